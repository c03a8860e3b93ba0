import { expect, test } from 'vitest';
import { mapOf, type RowValue } from '../../src/analyze/explain/map.js';
import { cssClass, number } from '../../src/report/page/classes.js';
import { sizeText } from '../../src/report/page/model.js';
import { pictureOf } from '../../src/report/page/picture.js';

async function mapped(dims: readonly number[], wrong: ReadonlyMap<number, number>, sample = 0) {
  const read = async function* (from: number, to: number): AsyncGenerator<RowValue> {
    for (let row = from; row < to; row++) yield { row, expected: 7, actual: 7 + (wrong.get(row) ?? 0) };
  };
  return mapOf({ dims, rowLength: 1, sample, read });
}

/** A channel's details that hold a map alone. */
const detailsWith = (map: NonNullable<Awaited<ReturnType<typeof mapped>>>) => {
  return { channel: 0, samples: [], expected: [], actual: [], map, explained: null };
};

test.each([
  [[8, 4], 9, [2, 1]], // of an 8 x 4 image with 8 channels, too: the sizes of a position are the map's own
  [[5], 3, [3]],
  [[2, 3, 4], 23, [1, 2, 3]],
])('of positions %j the %i-th is %j', async (dims, place, at) => {
  const map = await mapped(dims, new Map([[place, -2]]));
  const off = pictureOf(detailsWith(map!)).cells.filter(({ expected, actual }) => expected !== actual);
  expect(off).toEqual([{ sample: 0, at, expected: 7, actual: 5 }]);
});

test('samples as cells know their positions where there are any', () => {
  const points = { channel: 0, samples: [1, 4], expected: [5, 6], actual: [5, 9], map: null, explained: null };
  expect(
    pictureOf({
      ...points,
      at: [
        [0, 2],
        [3, 1],
      ],
    }).cells.map(({ at }) => at),
  ).toEqual([
    [0, 2],
    [3, 1],
  ]);
  expect(pictureOf(points).cells.map(({ at }) => at)).toEqual([[], []]);
});

test('floats are coloured by 256ths of their range', () => {
  const layer = { unit: 'real', step: 2 / 256 } as never;
  expect(sizeText(layer, 0.25)).toBe('0.25 (12.5% of the range)');
  expect(sizeText({ unit: 'lsb', step: 1 } as never, 1)).toBe('1 step');
  expect([0.25 / (2 / 256), 0.5 / (2 / 256)].map((size) => cssClass(size))).toEqual(['c4', 'c4']);
  expect([2.5e-7, -Infinity, Number.NaN].map(number)).toEqual(['2.50e−7', '−inf', 'NaN']);
});

test('of a large image a cell is the worst of a square of places', async () => {
  const map = await mapped(
    [64, 100],
    new Map([
      [6400 + 63 * 100 + 99, 3],
      [6400 + 62 * 100 + 98, -40],
    ]),
    1,
  );
  expect([map!.rows, map!.columns]).toEqual([16, 25]);
  const { cells, columns } = pictureOf(detailsWith(map!));
  expect(columns).toBe(25);
  expect(cells.at(-1)).toEqual({ sample: 1, at: [62, 98], expected: 7, actual: -33 });
  expect(cells.slice(0, -1).every(({ expected, actual }) => expected === actual)).toBe(true);
});

test('one value a channel is no image', async () => {
  expect(await mapped([], new Map())).toBeNull();
  expect(await mapped([1, 1], new Map())).toBeNull();
});
