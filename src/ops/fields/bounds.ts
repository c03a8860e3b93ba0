import * as z from 'zod/mini';
import type { RawLayer } from '../op.js';
import type { Bounds } from './elementwise.js';

export const bound = z.optional(z.nullable(z.number()));

/** Two bounds in real units, the lower first; 'wrong' after a problem. */
export function orderedBounds(
  { fields, place, checks }: RawLayer,
  lowerField: string,
  upperField: string,
  defaults: readonly [lower: number, upper: number],
): Bounds | 'wrong' {
  const lower = numberOr(fields?.[lowerField], defaults[0]);
  const upper = numberOr(fields?.[upperField], defaults[1]);
  if (lower <= upper) return { lower, upper };
  checks.problem(
    'bounds',
    [...place, upperField],
    `expected at least ${lowerField} ${lower}, got ${upper}; swap the two`,
  );
  return 'wrong';
}

function numberOr(value: unknown, missing: number): number {
  return typeof value === 'number' ? value : missing;
}
