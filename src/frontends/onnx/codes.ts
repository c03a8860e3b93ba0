import { CODE_RANGES } from '../../nouns/value.js';

/** Smallest and largest code. */
export const RANGE_OF: ReadonlyMap<string, readonly [number, number]> = new Map([
  ...Object.entries(CODE_RANGES),
  ['uint4', [0, 15]],
  ['int4', [-8, 7]],
  ['uint2', [0, 3]],
  ['int2', [-2, 1]],
]);
