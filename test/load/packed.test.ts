/** Codes of fewer than 8 bits. */
import { expect, it, test } from 'vitest';
import { packedArray, unpacked } from '../../src/load/onnx/packed.js';

test.each([
  [4, false, [0x21, 0xf8], [1, 2, 8, 15]],
  [4, true, [0x21, 0xf8], [1, 2, -8, -1]],
  [2, false, [0b11100100], [0, 1, 2, 3]],
  [2, true, [0b11100100], [0, 1, -2, -1]],
  [8, false, [200], [200]],
])('%i bits, signed %s: the first in the lowest', (bits, isSigned, bytes, codes) => {
  expect([...unpacked(Uint8Array.from(bytes), 0, codes.length, { bits, isSigned })]).toEqual(codes);
});

it('reads rows that begin inside of a byte', async () => {
  const bytes = Uint8Array.of(0x10, 0x32, 0x54, 0x76, 0x08);
  const source = {
    size: bytes.length,
    head: async (length: number) => bytes.slice(0, length),
    read: async (target: Uint8Array, at: number) => target.set(bytes.subarray(at, at + target.length)),
  };
  const array = packedArray('w', [3, 3], source, { bits: 4, isSigned: false });
  expect([...(await array.read())]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  expect([...(await array.read(1, 2))]).toEqual([3, 4, 5]);
  expect([...(await array.read(1, 3))]).toEqual([3, 4, 5, 6, 7, 8]);
});
