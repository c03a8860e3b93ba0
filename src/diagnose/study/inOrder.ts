import type { Setup } from '../setup.js';
import { firstMissOf } from './agree.js';
import { rowsOf } from './arrays.js';
import type { Outputs, Scope } from './data.js';

interface Rows {
  /** Whether the subset is every sample. */
  readonly complete: boolean;
  readonly subset: Scope;
  readonly channels: number;
  outputs(setup: Setup, scope: Scope): Outputs;
}

/** Rows in another order can be compared only where all of them are in memory. */
export function agreesInOrder(rows: Rows, setup: Setup, order: readonly number[]): boolean {
  if (!rows.complete) return false;
  const { data, low, high } = rows.outputs({ ...setup, order: null }, rows.subset);
  const moved = <A extends Outputs['data']>(values: A) => rowsOf(values, order, rows.channels);
  const outputs = {
    data: moved(data),
    low: low && rowsOf(low, order, rows.channels),
    high: high && rowsOf(high, order, rows.channels),
  };
  return firstMissOf(outputs, rows.subset.observed) < 0;
}
