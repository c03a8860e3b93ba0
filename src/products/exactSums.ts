import type { Codes, Fast, Product } from '../nouns/kernel.js';
import { groupOf, groupsOf } from './groups.js';
import { EXACT, fastSums } from './multiply.js';

/** Packed activations of a block: 512 KiB. */
const BLOCK_VALUES = 2 ** 17;

/**
 * sums[m, n] = sum over k of (x[m, k] - x_zero_point) * (w[n, k] - w_zero_point[n]), [rows, outFeatures], exact:
 * every intermediate is an integer below 2^53. (32-bit codes stay below it up to K = 4096, 8-bit ones always.)
 */
export function exactSums(x: Codes, product: Product, fast: Fast = null): Float64Array {
  if (groupsOf(product) > 1) return new Float64Array(groupedSums(x, product));
  const sums = fastSums(EXACT, x, product, fast);
  return sums ? new Float64Array(sums) : readableExactSums(x, product);
}

/** By weight and its zero points. */
const reaches = new WeakMap<Product['weight'], WeakMap<Int32Array, number>>();

/** Whether no sum of products leaves +-`most`, whatever their order, where it begins within +-`start`. */
export function sumsStayWithin(most: number, x: Codes, product: Product, start: number): boolean {
  const { input, weight, weightZeroPoint } = product;
  const known = reaches.get(weight) ?? new WeakMap<Int32Array, number>();
  reaches.set(weight, known);
  const reach = known.get(weightZeroPoint) ?? reachOf(product);
  known.set(weightZeroPoint, reach);
  return start + reach * largestDifference(x.data, [input.zeroPoint]) <= most;
}

/** The most that |w - zero point| adds up to in a channel. */
function reachOf(product: Product): number {
  const { weight, inFeatures, outFeatures } = product;
  let reach = 0;
  for (let channel = 0, i = 0; channel < outFeatures; channel++) {
    const zeroPoint = weightZeroPointOf(product, channel);
    let own = 0;
    for (let k = 0; k < inFeatures; k++, i++) own += Math.abs(weight[i] - zeroPoint);
    reach = Math.max(reach, own);
  }
  return reach;
}

/** The sum over k of |x[m, k] - x_zero_point| * |w[n, k] - w_zero_point[n]|: what no order of the products exceeds. */
export function magnitudeSums(x: Codes, product: Product, fast: Fast): Float64Array {
  const { input } = product;
  const isByte = largestDifference(x.data, [input.zeroPoint]) <= 255;
  const data = isByte ? new Uint8Array(x.data.length) : new Int32Array(x.data.length);
  for (let i = 0; i < data.length; i++) data[i] = Math.abs(x.data[i] - input.zeroPoint);
  const weight = weightsOfOneSign(product);
  const weightZeroPoint = Int32Array.of(0);
  const sums = exactSums(
    { ...x, data },
    { ...product, weight, weightZeroPoint, input: { ...input, zeroPoint: 0 } },
    fast,
  );
  for (let i = 0; i < sums.length; i++) sums[i] = Math.abs(sums[i]);
  return sums;
}

/** A layer comes in many blocks of samples. */
const weightsMade = new WeakMap<
  Product['weight'],
  { readonly zeroPoints: Int32Array; readonly weight: Int8Array | Int16Array }
>();

/** -|w - zero point|: bytes have a -128, and no 128. */
function weightsOfOneSign(product: Product): Int8Array | Int16Array {
  const made = weightsMade.get(product.weight);
  if (made?.zeroPoints === product.weightZeroPoint) return made.weight;
  const isByte = largestDifference(product.weight, product.weightZeroPoint) <= 128;
  const weight = new (isByte ? Int8Array : Int16Array)(product.weight.length);
  for (let channel = 0, i = 0; channel < product.outFeatures; channel++) {
    const zeroPoint = weightZeroPointOf(product, channel);
    for (let k = 0; k < product.inFeatures; k++, i++) weight[i] = -Math.abs(product.weight[i] - zeroPoint);
  }
  weightsMade.set(product.weight, { zeroPoints: product.weightZeroPoint, weight });
  return weight;
}

/** Whether no sum can leave int32, whatever the order of its products. */
export function sumsFitInt32(x: Codes, { inFeatures, input, weight, weightZeroPoint }: Product): boolean {
  return (
    inFeatures * largestDifference(x.data, [input.zeroPoint]) * largestDifference(weight, weightZeroPoint) < 2 ** 31
  );
}

/** The same without the accelerator, and its reference. */
export function readableExactSums(x: Codes, product: Product): Float64Array {
  const { outFeatures, inFeatures } = product;
  const sums = new Float64Array(x.rows * outFeatures);
  const largest =
    largestDifference(x.data, [product.input.zeroPoint]) * largestDifference(product.weight, product.weightZeroPoint);
  // sums of so many products fit int32: K = 65,793 for |x - zx| <= 255 and |w| <= 128
  const depth = Math.min(inFeatures, Math.floor((2 ** 31 - 1) / Math.max(1, largest)));
  if (inFeatures === 0) return sums;
  if (depth === 0 || Math.min(x.rows, outFeatures) < TILE) return plainSums(x, product, sums);
  const blockRows = Math.max(64, 4 * Math.floor(BLOCK_VALUES / (4 * depth)));
  const packedX = new Int32Array(4 * Math.ceil(Math.min(blockRows, x.rows) / 4) * depth);
  const packedW = new Int32Array(4 * depth);
  for (let k = 0; k < inFeatures; k += depth) {
    const length = Math.min(depth, inFeatures - k);
    for (let row = 0; row < x.rows; row += blockRows) {
      const rows = Math.min(blockRows, x.rows - row);
      packRows(packedX, x, product.input.zeroPoint, row, rows, k, length);
      for (let channel = 0; channel < outFeatures; channel += 4) {
        packChannels(packedW, product, channel, k, length);
        for (let r = 0; r < rows; r += 4) {
          sumTile(packedX, r * length, packedW, length);
          addTile(sums, outFeatures, row + r, Math.min(4, rows - r), channel);
        }
      }
    }
  }
  return sums;
}

const TILE = 4;
/** The sums of a tile of 4 rows and 4 channels, a row after the other; integers, which a short run need not allocate. */
const tile = new Int32Array(TILE * TILE);

function sumTile(x: Int32Array, start: number, w: Int32Array, length: number): void {
  let a0 = 0;
  let a1 = 0;
  let a2 = 0;
  let a3 = 0;
  let b0 = 0;
  let b1 = 0;
  let b2 = 0;
  let b3 = 0;
  let c0 = 0;
  let c1 = 0;
  let c2 = 0;
  let c3 = 0;
  let d0 = 0;
  let d1 = 0;
  let d2 = 0;
  let d3 = 0;
  for (let j = 0, i = start; j < 4 * length; j += 4, i += 4) {
    const w0 = w[j];
    const w1 = w[j + 1];
    const w2 = w[j + 2];
    const w3 = w[j + 3];
    const a = x[i];
    a0 += a * w0;
    a1 += a * w1;
    a2 += a * w2;
    a3 += a * w3;
    const b = x[i + 1];
    b0 += b * w0;
    b1 += b * w1;
    b2 += b * w2;
    b3 += b * w3;
    const c = x[i + 2];
    c0 += c * w0;
    c1 += c * w1;
    c2 += c * w2;
    c3 += c * w3;
    const d = x[i + 3];
    d0 += d * w0;
    d1 += d * w1;
    d2 += d * w2;
    d3 += d * w3;
  }
  keep(0, a0, a1, a2, a3);
  keep(1, b0, b1, b2, b3);
  keep(2, c0, c1, c2, c3);
  keep(3, d0, d1, d2, d3);
}

/** One by one: a list of sixteen takes longer than the sums of a small layer. */
function keep(row: number, s0: number, s1: number, s2: number, s3: number): void {
  tile[TILE * row] = s0;
  tile[TILE * row + 1] = s1;
  tile[TILE * row + 2] = s2;
  tile[TILE * row + 3] = s3;
}

function addTile(sums: Float64Array, channels: number, row: number, rows: number, channel: number): void {
  const own = Math.min(4, channels - channel);
  for (let r = 0; r < rows; r++) {
    const start = (row + r) * channels + channel;
    for (let c = 0; c < own; c++) sums[start + c] += tile[4 * r + c];
  }
}

/** 4 rows interleaved along k; rows beyond the block are 0. */
function packRows(
  packed: Int32Array,
  x: Codes,
  zeroPoint: number,
  row: number,
  rows: number,
  k: number,
  length: number,
) {
  for (let r = 0; r < rows + (-rows & 3); r++) {
    const to = (r >> 2) * 4 * length + (r & 3);
    const from = (row + r) * x.cols + k;
    for (let i = 0; i < length; i++) packed[to + 4 * i] = r < rows ? x.data[from + i] - zeroPoint : 0;
  }
}

/** 4 channels interleaved along k; channels beyond the layer repeat the last and are not stored. */
function packChannels(packed: Int32Array, product: Product, channel: number, k: number, length: number): void {
  const { weight, inFeatures, outFeatures } = product;
  for (let c = 0; c < 4; c++) {
    const own = Math.min(channel + c, outFeatures - 1);
    const zeroPoint = weightZeroPointOf(product, own);
    const from = own * inFeatures + k;
    for (let i = 0; i < length; i++) packed[4 * i + c] = weight[from + i] - zeroPoint;
  }
}

/**
 * The same of groups, [rows, channels], where sums fit int32; x: [rows, groups * inFeatures]. To cut each group out of rows and weights
 * takes ten times as long as its sums.
 */
export function groupedSums(x: Codes, product: Product): Int32Array {
  return plainSums(x, product, new Int32Array(x.rows * product.outFeatures));
}

/** One after the other: also of codes far beyond 8 bits (a candidate's int32 input), and where a tile would hold more zeros than sums. */
function plainSums<A extends Int32Array | Float64Array>(x: Codes, product: Product, sums: A): A {
  const { outFeatures: channels, inFeatures, weight } = product;
  const weights = { data: weight, from: 0, length: inFeatures, zeroPoint: 0 };
  const codes = { data: x.data, from: 0, zeroPoint: product.input.zeroPoint };
  for (let channel = 0; channel < channels; channel++) {
    weights.from = channel * inFeatures;
    weights.zeroPoint = weightZeroPointOf(product, channel);
    codes.from = groupOf(product, channel) * inFeatures;
    for (let row = 0; row < x.rows; row++, codes.from += x.cols)
      sums[row * channels + channel] = plainSum(codes, weights);
  }
  return sums;
}

interface Span<A> {
  readonly data: A;
  readonly from: number;
  readonly zeroPoint: number;
}

function plainSum(x: Span<Codes['data']>, w: Span<Product['weight']> & { readonly length: number }): number {
  const { data: codes, from: start, zeroPoint: zx } = x;
  const { data: weights, from, length, zeroPoint: zw } = w;
  let sum = 0;
  for (let k = 0; k < length; k++) sum += (codes[start + k] - zx) * (weights[from + k] - zw);
  return sum;
}

export function weightZeroPointOf(product: Pick<Product, 'weightZeroPoint'>, channel: number): number {
  return product.weightZeroPoint[product.weightZeroPoint.length === 1 ? 0 : channel];
}

/** Upper bound of |value - zero point| over all pairs of the two. */
export function largestDifference(values: Codes['data'] | Product['weight'], zeroPoints: ArrayLike<number>): number {
  const value = dtypeRange(values) ?? rangeOf(values);
  const zeroPoint = rangeOf(zeroPoints);
  return Math.max(value.max - zeroPoint.min, zeroPoint.max - value.min);
}

/** The range of the dtype spares reading the values where it is narrow. */
function dtypeRange(values: Codes['data'] | Product['weight']) {
  if (values instanceof Int8Array) return { min: -128, max: 127 };
  return values instanceof Uint8Array ? { min: 0, max: 255 } : null;
}

/** 0 counts as a value, so that empty arrays have a range. */
export function rangeOf(values: ArrayLike<number>): { readonly min: number; readonly max: number } {
  let min = 0;
  let max = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return { min, max };
}
