/** Sums over some of their products only, and over a tile of operands again and again: multipliers side by side, and buffers of so many places. */
import { int32s } from '../../numeric/array.js';
import { LEFT_OUT } from '../orders/matrixOrders.js';

/** Products of a sum: of each the place of its value and of its weight along k. */
export interface Products {
  readonly order: string;
  readonly of: 'input' | 'weights';
  readonly values: Int32Array;
  readonly weights: Int32Array;
}

/** Places along k in the order of the products, and what of it is to be said. */
export type Walk = readonly [innermost: string, places: Int32Array];

/** Multipliers side by side. */
const LANES = [2, 4, 8, 16];
/** Places of a buffer. */
const TILES = [8, 16, 32, 64, 128, 256];
/** Of a longer sum these lists take more memory than its weights. */
const MOST_PLACES = 8192;
/** A shorter end is a loop's (matrixOrders.ts). */
const LONGEST_END = 15;

/** channels: of each tap; one walk is along them. */
export function someProducts([innermost, walk]: Walk, channels: number): Products[] {
  const count = walk.length;
  if (count > MOST_PLACES) return [];
  const kept = (order: string, has: (j: number) => boolean): Products => {
    const all = new Int32Array(count);
    let length = 0;
    for (let j = 0; j < count; j++) if (has(j)) all[length++] = walk[j];
    const own = all.subarray(0, length);
    return { order: `${LEFT_OUT} ${order}${innermost}`, of: 'input', values: own, weights: own };
  };
  const lanes = LANES.filter((n) => 2 * n <= count).flatMap((n) =>
    Array.from({ length: n }, (_, lane) => kept(`product ${lane} of each ${n}`, (j) => j % n !== lane)),
  );
  const firsts = [2, 4, 8].flatMap((share) => [Math.floor(count / share), Math.ceil(count / share)]).concat(TILES);
  const ends = [...new Set(firsts)]
    .filter((n) => n > 0 && n < count - LONGEST_END)
    .map((n) => kept(`what follows the first ${n} products`, (j) => j < n));
  const begins = [Math.ceil(count / 2)]
    .filter((n) => n > LONGEST_END)
    .map((n) => kept(`the first ${n} products`, (j) => j >= n));
  return [...lanes, ...ends, ...begins, ...tiles(walk, innermost, channels)];
}

/** A buffer that is filled once: of a convolution with channels of each tap, where they lie beside each other. */
function tiles(walk: Int32Array, innermost: string, channels: number): Products[] {
  const all = channels > 1 ? channels : walk.length;
  const isByChannel = channels === 1 || walk[1] === 1;
  const what = channels > 1 ? 'channels' : 'values';
  return TILES.filter((n) => isByChannel && n < all).flatMap((n) => {
    const again = int32s(walk, (_, j) => walk[j - (j % all) + ((j % all) % n)]);
    return [
      { order: `the first ${n} ${what} again and again${innermost}`, of: 'input', values: again, weights: walk },
      {
        order: `the weights of the first ${n} ${what} again and again${innermost}`,
        of: 'weights',
        values: walk,
        weights: again,
      },
    ] as const;
  });
}
