/** Sums whose operands are not the ones of their place: registers of a multiplier that are loaded late, early or not again. */

import type { Product } from '../../nouns/kernel.js';
import { int32s } from '../../numeric/array.js';
import { wrapInt16 } from '../../numeric/integer.js';
import { weightZeroPointOf } from '../../products/exactSums.js';
import { groupOf } from '../../products/groups.js';
import { FREEDOM, type ProductChange, type ProductSetup, withParams } from '../setup.js';
import type { ProductStudy } from '../study/study.js';
import { type BoundedValue, boundedIn, givingAll, REACH } from './boundedValues.js';
import { type Products, someProducts, type Walk } from './lanes.js';

/** How sums are called some of whose products are added twice. */
export const TWICE = 'with';

/** Those that give some values, nearly. */
export function heldOperands(study: ProductStudy, base: ProductSetup): ProductChange[] {
  const { data, free } = study;
  const { params } = study.declared;
  if (!free || data.dynamic || params.inFeatures < 2 || params.addend || params.curve) return [];
  if (base.params.weight !== params.weight || base.carried) return [];
  if (base !== study.declared && !study.sameSums(base, study.declared)) return [];
  const { scope, tried } = boundedIn(study, base, REACH);
  if (tried.length <= 8) return [];
  const codes = study.engine.codes(base, scope);
  const { weight, inFeatures, input } = base.params;
  const sumsOf = ({ row, channel: n }: BoundedValue) => {
    const x = row * codes.cols + (codes.cols === inFeatures ? 0 : groupOf(params, n) * inFeatures);
    const [w, zeroPoint, own] = [n * inFeatures, input.zeroPoint, weightZeroPointOf(base.params, n)];
    return ({ values, weights }: Products) => {
      let sum = 0;
      for (let j = 0; j < values.length; j++)
        sum += (codes.data[x + values[j]] - zeroPoint) * (weight[w + weights[j]] - own);
      return sum;
    };
  };
  return givingAll(productsOf(params), tried, { codes, params: base.params }, sumsOf).flatMap(
    (products) => changeTo(params, products) ?? [],
  );
}

const known = new WeakMap<Product, readonly Products[]>();

function productsOf(params: Product): readonly Products[] {
  const products = known.get(params) ?? made(params);
  known.set(params, products);
  return products;
}

type At = (j: number, count: number) => number;

/** Of product j of so many: which one's operand is used. */
const HELD: readonly (readonly [what: (one: string) => string, at: At])[] = [
  [(one) => `the ${one} before, the first one twice`, (j) => Math.max(j - 1, 0)],
  [(one) => `the ${one} after, the last one twice`, (j, count) => Math.min(j + 1, count - 1)],
  [(one) => `every other ${one} twice`, (j) => j - (j % 2)],
  [(one) => `every other ${one} twice, from the second on`, (j) => Math.max(0, j - 1 + (j % 2))],
  [(one) => `the first ${one} for all`, () => 0],
];

/** Of a matrix these are orders like others. */
const MOVED: readonly (readonly [what: (one: string) => string, at: At])[] = [
  [(one) => `the ${one} before, none for the first`, (j) => j - 1],
  [(one) => `the ${one} after, none for the last`, (j, count) => (j + 1 < count ? j + 1 : -1)],
  [(one) => `the ${one} before, the last one for the first`, (j, count) => (j + count - 1) % count],
  [(one) => `the ${one} after, the first one for the last`, (j, count) => (j + 1) % count],
];

function made(params: Product): Products[] {
  const { inFeatures: count, patch } = params;
  const places = int32s({ length: count }, (_, k) => k);
  const ways = patch ? [...HELD, ...MOVED] : HELD;
  const inOrder = walksOf(params, places);
  const parts = inOrder.flatMap((walk) => someProducts(walk, patch?.inChannels ?? 1));
  const walks = inOrder.flatMap(([innermost, walk]) =>
    ways.flatMap(([what, at]) => {
      const [own, others] = taken(walk, at);
      return [
        { order: `${what('value')}${innermost}`, of: 'input', values: others, weights: own } as const,
        { order: `${what('weight')}${innermost}`, of: 'weights', values: own, weights: others } as const,
      ];
    }),
  );
  const [first, last] = [0, count - 1];
  const twice = (what: string, list: Int32Array) =>
    ({ order: `${TWICE} the ${what}`, of: 'input', values: list, weights: list }) as const;
  return [
    twice('first product twice', Int32Array.of(first, ...places)),
    twice('last product twice', Int32Array.of(...places, last)),
    twice('first product twice, without the last', Int32Array.of(first, ...places.subarray(0, last))),
    twice('last product twice, without the first', Int32Array.of(...places.subarray(1), last)),
    ...walks,
    ...parts,
  ];
}

/** Of the products that have a value and a weight, the own places and those of the others. */
function taken(walk: Int32Array, at: At): [own: Int32Array, others: Int32Array] {
  const [own, others] = [new Int32Array(walk.length), new Int32Array(walk.length)];
  let count = 0;
  for (let j = 0; j < walk.length; j++) {
    const from = at(j, walk.length);
    if (from < 0) continue;
    own[count] = walk[j];
    others[count++] = walk[from];
  }
  return [own.subarray(0, count), others.subarray(0, count)];
}

/** The places along k in the order of the products: as the patch has them, and channel by channel. */
function walksOf({ patch }: Product, places: Int32Array): Walk[] {
  const channels = patch?.inChannels ?? 1;
  const taps = places.length / channels;
  if (channels === 1 || taps === 1) return [['', places]];
  const byChannel = places.map((j) => (j % taps) * channels + Math.floor(j / taps));
  return [
    [' (taps innermost)', byChannel],
    [' (channels innermost)', places],
  ];
}

/** Null: the weights of a value add up to more than 16 bits. */
function changeTo(params: Product, { order, of, values, weights }: Products): ProductChange | null {
  const { weight, inFeatures, outFeatures } = params;
  const sums = new Int32Array(weight.length);
  for (let n = 0; n < outFeatures; n++) {
    const [row, zeroPoint] = [n * inFeatures, weightZeroPointOf(params, n)];
    for (let k = 0; k < inFeatures; k++) sums[row + k] = zeroPoint;
    for (let j = 0; j < values.length; j++) sums[row + values[j]] += weight[row + weights[j]] - zeroPoint;
  }
  if (sums.some((sum) => sum !== wrapInt16(sum))) return null;
  const taken = Int16Array.from(sums);
  return {
    cause: 'k-order',
    coordinate: 'weights',
    freedom: FREEDOM.none,
    label: order,
    found: { of, order, ...(params.patch ? {} : { matrix: true as const }) },
    apply: (setup) => withParams(setup, { weight: taken }),
  };
}
