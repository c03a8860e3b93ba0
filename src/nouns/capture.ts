/** What was captured of a model's values. */
import type { NumericArray, StoredDtype } from './array.js';
import type { Model, Producer } from './model.js';
import type { Warning } from './problem.js';
import type { Shape } from './value.js';

/** Where a value's numbers come from, [samples, features], read in blocks of samples. */
export interface ValueReader {
  readonly features: number;
  /** Samples [from, to): row-major [to - from, features]. */
  read(fromSample: number, toSample: number): Promise<NumericArray>;
}

/** One captured or candidate value. */
export interface CapturedValue extends ValueReader {
  readonly samples: number;
  readonly shape: Shape;
  readonly dtype: StoredDtype;
}

/** Names of a model's layers. */
const layerNames = new WeakMap<Model['layers'], ReadonlySet<string>>();

/** Whether such stand anywhere: names of thousands of layers are put together for each reader of them else. */
const hasBeside = new WeakMap<ReadonlyMap<string, unknown>, boolean>();

function mayStandBeside(values: ReadonlyMap<string, unknown>): boolean {
  let may = hasBeside.get(values);
  if (may === undefined) {
    may = [...values.keys()].some((key) => key.endsWith('.input') || key.endsWith('.accumulator'));
    hasBeside.set(values, may);
  }
  return may;
}

/** What stands beside a layer's value: what it read, or summed. Where another layer has that name, it is that layer's value. */
export function besideValue<V>(
  values: ReadonlyMap<string, V>,
  { layers }: Pick<Model, 'layers'>,
  layer: string,
  what: 'input' | 'accumulator',
): V | undefined {
  if (!mayStandBeside(values)) return undefined;
  const names = layerNames.get(layers) ?? new Set(layers.map(({ name }) => name));
  layerNames.set(layers, names);
  const key = `${layer}.${what}`;
  return names.has(key) ? undefined : values.get(key);
}

/** Values by name; also `NAME.input` and `NAME.accumulator`. */
export interface Capture {
  readonly path: string;
  /** Of its file, where it is one. */
  readonly bytes?: number | undefined;
  readonly samples: number;
  readonly values: ReadonlyMap<string, CapturedValue>;
  /** Of the model's values, as far as its file, its layers and this capture say. */
  readonly shapes: ReadonlyMap<string, Shape>;
  /** Who computed it, where it says so itself. */
  readonly producer?: Producer | null;
  /** How many samples each call had; sums to `samples`. */
  readonly batchSizes: readonly number[];
  readonly warnings: readonly Warning[];
}
