/** Products of floats, whose sum no order of is right: what each may give. */

import { clampOfCodes, clampOfReals, limitedTo } from '../kernels/steps/activation.js';
import type { NumericArray } from '../nouns/array.js';
import type { CodeArray, Codes, Fast, FloatSums, Product, ProductSteps, SumData } from '../nouns/kernel.js';
import { isQuantized, type QuantParams } from '../nouns/value.js';
import { float32s } from '../numeric/array.js';
import { float32AtLeast, isPowerOfTwo } from '../numeric/float.js';
import { groupOf } from '../products/groups.js';
import { oneChannel } from './oneChannel.js';
import { NO_SUMS, type Replayed } from './replayed.js';

export type ReplayedFloatProduct = Replayed & { readonly data: CodeArray | Float32Array };

/**
 * The float path of PT2E's reference graph: no summation order is right, so the exact sum is quantized and
 * [low, high] spans what the proven error bound allows.
 */
export function replayFloatProduct(
  record: ProductSteps,
  product: Product,
  x: Codes,
  fast: Fast = null,
  sums: SumData | null = null,
): ReplayedFloatProduct {
  const spread = isQuantized(product.output)
    ? quantizedSpread(record, product, product.output, x, fast, sums)
    : realSpread(record.float!.product.run(x, product), clampOfReals(product.activation));
  return { rows: x.rows, cols: product.outFeatures, ...spread, ...NO_SUMS };
}

/** Values that are looked at one after the other: their numbers stay in the cache. */
const SPREAD_AT_ONCE = 2 ** 14;
/** Taken out of a layer and kept. */
const MOST_CHANNELS = 1024;

/** By nearly right sums where the codes are certain with them, otherwise by the readable ones of that one value. */
function quantizedSpread(
  record: ProductSteps,
  product: Product,
  output: QuantParams,
  x: Codes,
  fast: Fast,
  sums: SumData | null,
) {
  const clamp = clampOfCodes(product.activation, output, record.bound);
  const certain = certainCodes(record, output, clamp);
  const codesOf = spreadCodes(record, output, clamp);
  const near = record.float!.product.near(x, product, fast, sums);
  const data = codesLike(output, x.rows * product.outFeatures);
  const oneSpread = spreadAlone(record, product, x, codesOf);
  let bounds: { readonly low: CodeArray; readonly high: CodeArray } | null = null;
  for (let from = 0; from < data.length; from += SPREAD_AT_ONCE) {
    const { exact, bound, error } = near(from, Math.min(data.length, from + SPREAD_AT_ONCE));
    for (let i = 0; i < exact.length; i++) {
      const code = certain(exact[i], bound[i], error[i]);
      data[from + i] = code;
      if (!Number.isNaN(code)) {
        if (bounds) bounds.low[from + i] = bounds.high[from + i] = code;
        continue;
      }
      const codes = codesOf(exact[i], bound[i], error[i]) ?? oneSpread(from + i);
      data[from + i] = codes[1];
      bounds ??= { low: data.slice(), high: data.slice() };
      [bounds.low[from + i], bounds.high[from + i]] = [codes[0], codes[2]];
    }
  }
  return { data, low: bounds?.low ?? data, high: bounds?.high ?? data };
}

/** All codes are in the output's range. */
function codesLike({ dtype }: QuantParams, length: number): CodeArray {
  if (dtype === 'uint8') return new Uint8Array(length);
  return dtype === 'int8' ? new Int8Array(length) : new Int32Array(length);
}

/** One in so many values may be asked for by itself: more of them take longer than all at once. */
const ASKED_ALONE = 64;

/**
 * Places of the first `most` codes that the float path does not allow, from exact sums; null: all are to be replayed. The bound, a
 * product as large as the sums', matters only where a number within it has another code than the observed one.
 */
export function floatMisses(
  record: ProductSteps,
  product: Product,
  x: Codes,
  sums: SumData,
  observed: NumericArray,
  most: number,
): readonly number[] | null {
  const real = record.float!.product.withinBound(product);
  if (!isQuantized(product.output) || real === null) return null;
  const clamp = clampOfCodes(product.activation, product.output, record.bound);
  const codeOf = codeOfReal(record, product.output, clamp);
  const codesOf = spreadCodes(record, product.output, clamp);
  const known = new KnownReals(codeOf, product.output);
  const next = (start: number) => nextOpen(known, real, sums, observed, start, product.outFeatures);
  const oneSpread = spreadAlone(record, product, x, codesOf);
  const isMiss = (i: number) => {
    const [low, , high] = oneSpread(i);
    return !(observed[i] >= low && observed[i] <= high);
  };
  const asked: number[] = [];
  const misses: number[] = [];
  const isEvery = most >= sums.length; // then whether they are too many is known first
  for (let i = next(0); i < sums.length && misses.length < most; i = next(i + 1)) {
    if (known.has(observed[i], real(sums[i], i % product.outFeatures))) continue;
    if (asked.push(i) > Math.max(ASKED_ALONE, sums.length / ASKED_ALONE)) return null;
    if (!isEvery && isMiss(i)) misses.push(i);
  }
  return isEvery ? asked.filter(isMiss) : misses;
}

/** The first value from `start` on whose number is none of those known to have its code. Of millions: such a loop is compiled soon. */
function nextOpen(
  { from, to, least }: KnownReals,
  real: (sum: number, channel: number) => number,
  sums: SumData,
  observed: NumericArray,
  start: number,
  channels: number,
): number {
  for (let i = start, channel = start % channels; i < sums.length; i++) {
    const own = real(sums[i], channel);
    const code = observed[i] - least;
    if (!(own >= from[code] && own <= to[code])) return i;
    if (++channel === channels) channel = 0;
  }
  return sums.length;
}

/** Steps around a code's number within which most numbers of that code are. */
const AROUND = 0.49;
const MOST_CODES = 2 ** 16;

/** By code, from the least on, numbers that all have it, as quantizing keeps their order: once they were asked for, most need no more. */
class KnownReals {
  readonly from: Float64Array;
  readonly to: Float64Array;
  readonly least: number;

  constructor(
    private readonly codeOf: (real: number) => number,
    private readonly output: QuantParams,
  ) {
    this.least = output.quantMin;
    // none where a hypothesis moves one end beyond the other
    const codes = Math.max(0, output.quantMax - output.quantMin + 1);
    this.from = new Float64Array(Math.min(MOST_CODES, codes)).fill(Number.NaN);
    this.to = new Float64Array(this.from.length);
  }

  has(code: number, real: number): boolean {
    if (Number.isNaN(this.from[code - this.least])) this.learn(code);
    return this.codeOf(real) === code;
  }

  private learn(code: number): void {
    const { scale, zeroPoint } = this.output;
    const ends = [-AROUND, AROUND].map((steps) => (code - zeroPoint + steps) * scale);
    const isCertain = ends.every((end) => this.codeOf(end) === code);
    this.from[code - this.least] = isCertain ? ends[0] : Number.POSITIVE_INFINITY;
    this.to[code - this.least] = isCertain ? ends[1] : Number.NEGATIVE_INFINITY;
  }
}

type SpreadCodes = (exact: number, bound: number, error: number) => [low: number, code: number, high: number] | null;

/** Null where the numbers' error leaves a code open, or is NaN. */
function spreadCodes(record: ProductSteps, output: QuantParams, clamp: readonly [number, number]): SpreadCodes {
  const codeOf = codeOfReal(record, output, clamp);
  const slackOf = slackIn(output);
  const code = (real: number, error: number) => {
    const found = codeOf(real - error);
    if (error === 0) return found;
    return error > 0 && codeOf(real + error) === found ? found : null;
  };
  return (exact, bound, error) => {
    const slack = slackOf(exact, bound);
    const [low, middle, high] = [code(exact - slack, error), code(exact, error), code(exact + slack, error)];
    return low === null || middle === null || high === null ? null : [low, middle, high];
  };
}

/** The one code of all numbers in reach, as quantizing keeps their order: that of the least and of the largest; NaN: there are several. */
function certainCodes(record: ProductSteps, output: QuantParams, clamp: readonly [number, number]) {
  const codeOf = codeOfReal(record, output, clamp);
  const slackOf = slackIn(output);
  return (exact: number, bound: number, error: number): number => {
    const slack = slackOf(exact, bound);
    const least = codeOf(exact - slack - error);
    return error >= 0 && codeOf(exact + slack + error) === least ? least : Number.NaN;
  };
}

function codeOfReal(record: ProductSteps, output: QuantParams, clamp: readonly [number, number]) {
  const quantize = record.float!.quantize.prepare(output);
  return (real: number) => limitedTo(clamp, quantize(real));
}

/** How far a number may lie from what is exact when it is quantized. */
function slackIn({ scale }: QuantParams): (exact: number, bound: number) => number {
  const isExact = isPowerOfTwo(scale);
  // 2^-22: the float32 reciprocal and product of the quantize step round twice
  return (exact, bound) => (bound === 0 && isExact ? 0 : bound + (Math.abs(exact) * 2 ** -22 + 2 ** -40 * scale));
}

/** Of one value; each channel is taken out of the layer once. */
function spreadAlone(record: ProductSteps, product: Product, x: Codes, codesOf: SpreadCodes) {
  const { inFeatures, outFeatures } = product;
  const known = new Map<number, Product>();
  return (index: number) => {
    const [row, channel] = [Math.floor(index / outFeatures), index % outFeatures];
    const own = known.get(channel) ?? oneChannel(product, channel);
    if (known.size < MOST_CHANNELS) known.set(channel, own);
    const start = row * x.cols + groupOf(product, channel) * inFeatures;
    const codes = { rows: 1, cols: inFeatures, data: x.data.subarray(start, start + inFeatures) };
    const { exact, bound } = record.float!.product.run(codes, own);
    return codesOf(exact[0], bound[0], 0)!;
  };
}

function realSpread({ exact, bound }: FloatSums, clamp: readonly [number, number]) {
  const data = float32s(exact, (v) => limitedTo(clamp, v));
  const low = new Float32Array(exact.length);
  const high = new Float32Array(exact.length);
  for (let i = 0; i < exact.length; i++) {
    const slack = bound[i] + Math.abs(exact[i]) * 2 ** -23;
    low[i] = limitedTo(clamp, float32AtLeast(exact[i] - slack));
    high[i] = limitedTo(clamp, -float32AtLeast(-exact[i] - slack));
  }
  return { data, low, high };
}
