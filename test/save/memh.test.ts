import { expect, test } from 'vitest';
import { memhText } from '../../src/save/memh.js';

test.each([
  ['bytes, a row a line', [2, 3], Int8Array.of(0, 1, -1, 127, -128, 16), '00 01 ff\n7f 80 10\n'],
  ['the last axis is the row', [2, 1, 2], Uint8Array.of(255, 0, 9, 10), 'ff 00\n09 0a\n'],
  ['of one axis a value a line', [3], Int16Array.of(-2, 0x1234, 0), 'fffe\n1234\n0000\n'],
  ['32 bits', [1, 2], Int32Array.of(-(2 ** 31), 2 ** 31 - 1), '80000000 7fffffff\n'],
  ['the bits of floats', [2], Float32Array.of(-1.5, 0.1), 'bfc00000\n3dcccccd\n'],
])('%s', (_, shape, data, words) => {
  expect(Buffer.from(memhText({ shape, data }, 'fc1')).toString()).toBe(`// fc1\n${words}`);
});
