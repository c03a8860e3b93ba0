import { expect, it } from 'vitest';
import { webAssembly } from '../../src/accelerate/accelerator.js';
import { fastFromRows } from '../../src/products/multiply.js';
import { fromRows } from '../../src/tensor/rows.js';
import { amongLeftovers } from './leftovers.js';

amongLeftovers();

const fast = webAssembly({ threads: 1, worthStarting: 0 });
fast.expect(1);

/** Every remainder of the blocks of 8 rows and 16 columns, and matrices larger than what is in shared memory at a time. */
const matrices = [
  ...Array.from({ length: 18 }, (_, i) => [i + 1, 33 - i] as const),
  [1, 20000],
  [20000, 1],
  [700, 401],
  [56 * 56, 64],
] as const;

it.each(matrices)('puts %i places of %i channels into planes', (places, channels) => {
  const samples = Math.ceil((1 << 14) / (places * channels)) + 2;
  const shape = { dims: [channels, places], channelAxis: 0 };
  const codes = Uint8Array.from({ length: samples * places * channels }, (_, i) => (i * 2654435761) >>> 24);
  expect(fast.transposed(codes, places, channels)).not.toBeNull();
  expect(Buffer.from(fastFromRows(codes, shape, fast)).equals(fromRows(codes, shape))).toBe(true);
  const signed = new Int8Array(codes.buffer);
  expect(fastFromRows(signed, shape, fast)).toBeInstanceOf(Int8Array);
});

it('leaves few codes to the readable loop', () => {
  expect(fast.transposed(new Uint8Array((1 << 12) - 1), (1 << 12) - 1, 1)).toBeNull();
});
