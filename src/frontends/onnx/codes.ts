import { RANGES } from '../../ops/fields/valueParams.js';

/** Smallest and largest code. */
export const RANGE_OF: ReadonlyMap<string, readonly [number, number]> = new Map([
  ...Object.entries(RANGES),
  ['uint4', [0, 15]],
  ['int4', [-8, 7]],
  ['uint2', [0, 3]],
  ['int2', [-2, 1]],
]);
