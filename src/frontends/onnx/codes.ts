/** Smallest and largest code. */
export const RANGE_OF: ReadonlyMap<string, readonly [number, number]> = new Map([
  ['uint8', [0, 255]],
  ['int8', [-128, 127]],
  ['uint16', [0, 65535]],
  ['int16', [-32768, 32767]],
  ['int32', [-(2 ** 31), 2 ** 31 - 1]],
  ['uint4', [0, 15]],
  ['int4', [-8, 7]],
  ['uint2', [0, 3]],
  ['int2', [-2, 1]],
]);
