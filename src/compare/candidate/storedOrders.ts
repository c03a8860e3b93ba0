/**
 * A candidate whose values stand in another order than the file's and are not all right besides: no order makes them the replay's, but
 * one makes them much more like it. Put back by that, what else is wrong is sought as ever; what its layers read is put back too.
 */
import type { NumericArray } from '../../nouns/array.js';
import type { Capture, CapturedValue, ValueReader } from '../../nouns/capture.js';
import type { Shape } from '../../nouns/value.js';
import { emptyLike } from '../../numeric/array.js';
import { sizeOf } from '../../tensor/shape.js';
import { type Layout, layoutsOf, type Order } from '../beyond/layouts.js';
import type { Samples } from './readings.js';
import { type Beside, saidInputs } from './storedSigns.js';

/** Values that are looked at. */
const LOOKED_AT = 4096;
/** A correlation, and how much more of it an order has to give than none. */
const [ALIKE, MORE] = [0.5, 0.1];
/** In deviations of the correlation of noise: that of ten values is often above a half. */
const BEYOND_CHANCE = 6;

interface Likeliest {
  /** In which values are most like others; null: in none much more than as they stand. */
  readonly order: Layout | null;
  readonly isLikeAnything: boolean;
}

export async function likeliestOrder(
  shape: Shape,
  own: ValueReader,
  expected: ValueReader,
  { from, to }: Pick<Samples, 'from' | 'to'>,
): Promise<Likeliest> {
  const features = sizeOf(shape.dims);
  if (own.features !== features || expected.features !== features || features < 2)
    return { order: null, isLikeAnything: true };
  const end = Math.min(to, from + Math.ceil(LOOKED_AT / features));
  const [stored, wanted] = [await own.read(from, end), await expected.read(from, end)];
  const asStored = likeness(stored, wanted, features, (at) => at);
  let best: Layout | null = null;
  const byChance = BEYOND_CHANCE / Math.sqrt(Math.min(stored.length, LOOKED_AT));
  let most = Math.max(ALIKE, byChance, asStored + MORE);
  // of three hundred values that are right as they stand all orders took a tenth of a run
  if (most >= 1) return { order: null, isLikeAnything: asStored > ALIKE };
  for (const order of layoutsOf(shape)) {
    const alike = likeness(stored, wanted, features, order.from);
    if (alike > most) [best, most] = [order, alike];
  }
  return { order: best, isLikeAnything: best !== null || asStored > ALIKE };
}

/**
 * Of the first values as they stand with those of their places, how many are equal, or Pearson's correlation: sums that wrap leave none,
 * another zero point no value.
 */
function likeness(stored: NumericArray, wanted: NumericArray, features: number, placeOf: Order['from']): number {
  const count = Math.min(stored.length, LOOKED_AT);
  let [equal, a, b, aa, bb, ab] = [0, 0, 0, 0, 0, 0];
  for (let i = 0; i < count; i++) {
    const at = i % features;
    const [x, y] = [stored[i], wanted[i - at + placeOf(at)]];
    if (x === y) equal++;
    a += x;
    b += y;
    aa += x * x;
    bb += y * y;
    ab += x * y;
  }
  const spread = Math.sqrt((aa - (a * a) / count) * (bb - (b * b) / count));
  return Math.max(equal / count, spread > 0 ? (ab - (a * b) / count) / spread : 0);
}

/** The same values, each in its own place. */
export function putBack<R extends ValueReader>(value: R, { from: placeOf }: Order): R {
  const { features } = value;
  const read = async (from: number, to: number) => {
    const stored = await value.read(from, to);
    const back = emptyLike(stored, stored.length);
    for (let at = 0; at < features; at++) {
      const place = placeOf(at);
      for (let start = 0; start < stored.length; start += features) back[start + place] = stored[start + at];
    }
    return back;
  };
  return { ...value, read };
}

/**
 * Its values put back, where they are much more like the captured ones then; null: none is. Those that are like nothing any more stand as
 * all others do.
 */
export async function inRightOrder(candidate: Capture, beside: Beside): Promise<Capture | null> {
  const { model, capture } = beside;
  const read = saidInputs(model);
  const values = new Map(candidate.values);
  const rules = new Set<string>();
  const open: [key: string, value: CapturedValue, shape: Shape][] = [];
  for (const [key, value] of candidate.values) {
    const expected = capture.values.get(read.get(key) ?? key);
    // of a row nothing but its end is another order: not worth reading all of a model of matrices
    if (!expected || expected.shape.dims.length < 2) continue;
    const { order, isLikeAnything } = await likeliestOrder(expected.shape, value, expected, beside);
    if (order) values.set(key, putBack(value, order));
    if (order) rules.add(order.rule);
    if (!isLikeAnything) open.push([key, value, expected.shape]);
  }
  if (rules.size === 0) return null;
  for (const [key, value, shape] of rules.size === 1 ? open : []) {
    const order = [...layoutsOf(shape)].find(({ rule }) => rules.has(rule));
    if (order) values.set(key, putBack(value, order));
  }
  return { ...candidate, values };
}
