/** SPACE_TO_BATCH_ND and back: each place of an image once. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Blocks, toImages, toPlace } from '../../src/ops/fields/blocks.js';

/** Blocks, and an image [height, width, channels] that they divide with their padding. */
const images = fc
  .record({
    block: fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 })),
    places: fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 })),
    before: fc.tuple(fc.nat({ max: 2 }), fc.nat({ max: 2 })),
  })
  .map(({ block, places, before }) => {
    const padded = block.map((size, axis) => size * (places[axis] + 1));
    const ends = before.map((cells) => [cells, 0] as const);
    return { blocks: { block, ends } satisfies Blocks, dims: [...padded.map((size, axis) => size - before[axis]), 2] };
  })
  .filter(({ dims }) => dims.every((dim) => dim > 0));

test('a place goes to an image and comes back', () => {
  fc.assert(
    fc.property(images, ({ blocks, dims: [height, width, channels] }) => {
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
          const at = [y, x, channels - 1];
          expect(toPlace(blocks, toImages(blocks, at), [height, width, channels])).toEqual(at);
        }
      }
    }),
    { seed: 17, numRuns: 100 },
  );
});

test.each([
  // [2, 2] blocks without padding: image 1 has the odd columns
  [
    {
      block: [2, 2],
      ends: [
        [0, 0],
        [0, 0],
      ],
    },
    [0, 1, 0],
    [1, 0, 0, 0],
  ],
  [
    {
      block: [2, 2],
      ends: [
        [0, 0],
        [0, 0],
      ],
    },
    [3, 2, 5],
    [2, 1, 1, 5],
  ],
  // one cell before: the first place is the second of its block
  [{ block: [3], ends: [[1, 1]] }, [0, 7], [1, 0, 7]],
] as const)('%o: %o is %o', (blocks, place, image) => {
  expect(toImages(blocks, place)).toEqual(image);
});

test('a cell of the padding is none of the input', () => {
  expect(toPlace({ block: [2], ends: [[1, 0]] }, [0, 0, 4], [5, 6])).toEqual([-1, 4]);
});
