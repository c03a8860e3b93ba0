import * as z from 'zod/mini';
import { integer } from './schema.js';

/** `dim` of ops that take one axis, or several. */
export const oneOrMoreAxes = z.union(
  [integer, z.array(integer).check(z.minLength(1))],
  'expected an axis, or a list of axes',
);

/** Samples are computed each by itself: an op over their axis is not replayed. */
export function isOverSamples(field: (name: string) => unknown): string | null {
  return [field('dim')].flat().includes(0) ? "over the samples' axis" : null;
}
