import * as zlib from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { crc32, crc32ByTable } from '../../src/load/crc32.js';

const bytes = fc.uint8Array({ maxLength: 300 });

test("the table's CRC-32 is zlib's, in one piece or in two", async () => {
  const uint32 = fc.integer({ min: 0, max: 0xffffffff });
  fc.assert(
    fc.property(bytes, uint32, (data, before) => crc32ByTable(data, before) === zlib.crc32(data, before)),
    { seed: 1 },
  );
  const twice = async (a: Uint8Array, b: Uint8Array) =>
    (await crc32(b, await crc32(a))) === zlib.crc32(Buffer.concat([a, b]));
  await fc.assert(fc.asyncProperty(bytes, bytes, twice), { seed: 2 });
});

test('of few bytes and of many', async () => {
  const data = Uint8Array.from({ length: (1 << 14) + 1 }, (_, i) => i * 7);
  for (const length of [0, 1, 1 << 14, (1 << 14) + 1]) {
    const part = data.subarray(0, length);
    expect(await crc32(part)).toBe(zlib.crc32(part));
  }
});
