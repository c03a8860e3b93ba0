/** Sums in parts of some products each, of which each loses something before it is added: what hypotheses are made of; no kernel has one. */
import type { AccumulateStep, Codes, Product } from '../../nouns/kernel.js';
import { int32s } from '../../numeric/array.js';
import { saturateInt16, wrapInt16 } from '../../numeric/integer.js';
import { floor, roundHalfUp, truncate } from '../../numeric/round.js';
import { weightZeroPointOf } from '../../products/exactSums.js';
import { toInt32 } from './toInt32.js';

/** Which products are a part: so many next to each other, of the channels of a place or of the places of a channel. */
export interface Tile {
  readonly products: number;
  readonly along: 'channels' | 'places';
}

interface Loss {
  readonly name: string;
  /** Of a part's sum. */
  readonly equation: (sum: string) => string;
  readonly of: 'sum' | 'raw';
  readonly keep: (sum: number) => number;
  readonly overflow?: 'wrap' | 'saturate';
  readonly rounding?: { readonly bits: number; readonly rule: keyof typeof RULES };
}

export interface TiledAccumulateStep extends AccumulateStep {
  readonly tile: Tile;
  readonly loss: Loss;
}

export function isTiled(step: AccumulateStep): step is TiledAccumulateStep {
  return 'tile' in step;
}

const RULES = { down: floor, 'half up': roundHalfUp, 'towards zero': truncate } as const;

function rounding(bits: number, rule: keyof typeof RULES): Loss {
  const unit = 2 ** bits;
  return {
    name: `rounded ${rule} by ${bits} bits`,
    equation: (sum) => `${sum} / 2^${bits}, rounded ${rule}, * 2^${bits}`,
    of: 'sum',
    keep: (sum) => RULES[rule](sum / unit) * unit,
    rounding: { bits, rule },
  };
}

function inInt16(overflow: 'wrap' | 'saturate', of: 'sum' | 'raw'): Loss {
  return {
    name: `${overflow} at int16, of ${of === 'raw' ? 'raw products' : 'products'}`,
    equation: (sum) => `int16(${sum}), ${overflow === 'wrap' ? 'wrapping' : 'saturating'}`,
    of,
    keep: overflow === 'wrap' ? wrapInt16 : saturateInt16,
    overflow,
  };
}

const NARROWING = (['saturate', 'wrap'] as const).flatMap((overflow) =>
  (['sum', 'raw'] as const).map((of) => inInt16(overflow, of)),
);
const ROUNDING = Array.from({ length: 12 }, (_, i) => i + 1).flatMap((bits) =>
  (['down', 'half up', 'towards zero'] as const).map((rule) => rounding(bits, rule)),
);

const LENGTHS = [4, 8, 9, 16, 32, 64, 128, 256];

/** The parts that a product's sums may have. */
function tilesOf({ inFeatures, patch }: Product): Tile[] {
  const { inChannels = 1 } = patch ?? {};
  const hasAxes = inChannels > 1 && inFeatures > inChannels;
  const lengths = (own: number) =>
    [...new Set([...LENGTHS, own])].filter((length) => length > 1 && length < inFeatures);
  const along = lengths(inChannels).map((products) => ({ products, along: 'channels' as const }));
  if (!hasAxes) return along;
  return [...along, ...lengths(inFeatures / inChannels).map((products) => ({ products, along: 'places' as const }))];
}

const known = new Map<string, TiledAccumulateStep>();

function tiled(tile: Tile, loss: Loss): TiledAccumulateStep {
  const name = `parts of ${tile.products} along ${tile.along}, ${loss.name}`;
  const made = known.get(name) ?? { ...stepOf(tile, loss), name };
  known.set(name, made);
  return made;
}

/** Sums of parts that leave int16. */
export function narrowTiles(product: Product): TiledAccumulateStep[] {
  return tilesOf(product).flatMap((tile) => NARROWING.map((loss) => tiled(tile, loss)));
}

/** Sums of parts that lose their low bits. */
export function roundedTiles(product: Product): TiledAccumulateStep[] {
  return tilesOf(product).flatMap((tile) => ROUNDING.map((loss) => tiled(tile, loss)));
}

function stepOf(tile: Tile, loss: Loss): Omit<TiledAccumulateStep, 'name'> {
  const factors = loss.of === 'raw' ? 'x * w' : '(x - zx) * (w - zw)';
  return {
    equation: `sum of (${loss.equation(`sum of ${tile.products} ${factors}`)})`,
    tile,
    loss,
    run: (x, product) => toInt32(sumsOf(x, product, tile, loss)),
    numpy: null,
    c: null,
  };
}

function sumsOf(x: Codes, product: Product, tile: Tile, { of, keep }: Loss): Float64Array {
  const { outFeatures, inFeatures, weight, input } = product;
  const order = orderOf(tile, product);
  const sums = new Float64Array(x.rows * outFeatures);
  const isRaw = of === 'raw';
  const codes = new Int32Array(inFeatures);
  for (let row = 0, i = 0; row < x.rows; row++) {
    for (let k = 0; k < inFeatures; k++) codes[k] = x.data[row * inFeatures + order[k]] - (isRaw ? 0 : input.zeroPoint);
    for (let n = 0; n < outFeatures; n++, i++) {
      const zeroPoint = weightZeroPointOf(product, n);
      const own = n * inFeatures;
      for (let k = 0; k < inFeatures; ) {
        const end = Math.min(inFeatures, k + tile.products);
        let [sum, share] = [0, 0];
        for (; k < end; k++) {
          const w = weight[own + order[k]];
          sum += codes[k] * (isRaw ? w : w - zeroPoint);
          // what raw products have beside those of the sum
          if (isRaw) share += codes[k] * w - (codes[k] - input.zeroPoint) * (w - zeroPoint);
        }
        sums[i] += keep(sum) - share;
      }
    }
  }
  return sums;
}

/** As the file has its convolutions' weights, or place by place, as rows are here. */
function orderOf({ along }: Tile, { inFeatures, patch }: Product): Int32Array {
  const { inChannels = 1 } = patch ?? {};
  const places = inFeatures / inChannels;
  const inOrder = along === 'channels';
  return int32s({ length: inFeatures }, (_, i) => (inOrder ? i : (i % places) * inChannels + Math.floor(i / places)));
}
