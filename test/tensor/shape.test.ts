import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromRows, inRows, toRows } from '../../src/tensor/rows.js';
import {
  channelsOf,
  coordinatesOf,
  featureAt,
  placeOf,
  positionAt,
  positionsOf,
  sizeOf,
} from '../../src/tensor/shape.js';

const shapes = fc
  .array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 4 })
  .chain((dims) => fc.record({ dims: fc.constant(dims), channelAxis: fc.nat({ max: dims.length - 1 }) }));

describe('places of a sample', () => {
  it('are [y, x] of an image, whatever the layout', () => {
    expect(placeOf({ dims: [16, 8, 9], channelAxis: 0 }, 5 * 72 + 3 * 9 + 7)).toEqual({ channel: 5, position: 34 });
    expect(placeOf({ dims: [8, 9, 16], channelAxis: 2 }, (3 * 9 + 7) * 16 + 5)).toEqual({ channel: 5, position: 34 });
    expect(coordinatesOf({ dims: [16, 8, 9], channelAxis: 0 }, 34)).toEqual([3, 7]);
    expect(coordinatesOf({ dims: [16], channelAxis: 0 }, 0)).toEqual([]);
  });

  it('are found again from every feature', () => {
    fc.assert(
      fc.property(shapes, (shape) => {
        const seen = new Set<string>();
        for (let feature = 0; feature < sizeOf(shape.dims); feature++) {
          const place = placeOf(shape, feature);
          expect(featureAt(shape, place)).toBe(feature);
          expect(positionAt(shape, coordinatesOf(shape, place.position))).toBe(place.position);
          seen.add(`${place.channel} ${place.position}`);
        }
        expect(seen.size).toBe(channelsOf(shape) * positionsOf(shape));
      }),
      { seed: 12 },
    );
  });

  it('that are not there have no position', () => {
    const shape = { dims: [16, 8, 9], channelAxis: 0 };
    expect([[8, 0], [0, 9], [1], [0, 0, 0], [-1, 0]].map((at) => positionAt(shape, at))).toEqual(
      new Array(5).fill(null),
    );
  });
});

describe('rows of channels', () => {
  it('hold the value of a place in the column of its channel, and go back to what they were', () => {
    fc.assert(
      fc.property(shapes, fc.integer({ min: 1, max: 3 }), (shape, samples) => {
        const size = sizeOf(shape.dims);
        const data = Int32Array.from({ length: samples * size }, (_, i) => i);
        const rows = toRows(data, shape);
        const [channels, positions] = [channelsOf(shape), positionsOf(shape)];
        for (const [i, value] of data.entries()) {
          const { channel, position } = placeOf(shape, i % size);
          expect(rows[(Math.floor(i / size) * positions + position) * channels + channel]).toBe(value);
        }
        expect(fromRows(rows, shape)).toEqual(data);
      }),
      { seed: 13 },
    );
  });

  it('are read from anywhere, also in the middle of a sample', async () => {
    const shape = { dims: [3, 4], channelAxis: 0 };
    const data = Int32Array.from({ length: 36 }, (_, i) => i);
    const value = { features: 12, read: async (from: number, to: number) => data.subarray(from * 12, to * 12) };
    const rows = inRows(value, shape);
    expect(rows.features).toBe(3);
    expect([...(await rows.read(3, 6))]).toEqual([3, 7, 11, 12, 16, 20, 13, 17, 21]);
  });

  it('are the same one by one as all together, whatever the layout', async () => {
    const reads = shapes.chain((shape) => {
      const last = 3 * positionsOf(shape);
      return fc.record({ shape: fc.constant(shape), ends: fc.tuple(fc.nat({ max: last - 1 }), fc.nat({ max: last })) });
    });
    const check = fc.asyncProperty(reads, async ({ shape, ends: [a, b] }) => {
      const [from, to] = a < b ? [a, b] : [a, a + 1];
      const [size, channels] = [sizeOf(shape.dims), channelsOf(shape)];
      const data = Int32Array.from({ length: 3 * size }, (_, i) => i);
      const value = { features: size, read: async (f: number, t: number) => data.subarray(f * size, t * size) };
      const read = await inRows(value, shape).read(from, to);
      expect(read).toEqual(toRows(data, shape).subarray(from * channels, to * channels));
    });
    await fc.assert(check, { seed: 14 });
  });

  it('are read from a sample once, where few are asked for at a time', async () => {
    let reads = 0;
    for (const channelAxis of [0, 2]) {
      const buffer = new Int32Array(60); // another's next
      const read = async (from: number) => buffer.fill(reads++ && from);
      const rows = inRows({ features: 60, read }, { dims: [4, 5, 3], channelAxis });
      for (let row = 0; row < 36; row++) {
        const [value, ...others] = await rows.read(row, row + 1);
        expect(value).toBe(Math.floor(row / (channelAxis === 0 ? 15 : 20)));
        expect(new Set([value, ...others]).size).toBe(1);
      }
    }
    expect(reads).toBe(3 + 2);
  });

  it('take no memory of the rows beside them', async () => {
    const shape = { dims: [64, 64, 64], channelAxis: 0 };
    const value = { features: 64 ** 3, read: async () => new Uint8Array(64 ** 3) };
    expect((await inRows(value, shape).read(70, 72)).buffer.byteLength).toBe(128);
  });
});
