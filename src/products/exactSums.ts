import type { Codes, Fast, Product } from '../nouns/kernel.js';
import { roundHalfEven } from '../numeric/round.js';
import { EXACT, fastSums } from './multiply.js';

/** Two channels share one float64: channel n + 4 times 2^26, plus channel n. */
const UPPER = 2 ** 26;
/** Sums below 2^25 keep the two channels apart. */
const SUM_LIMIT = 2 ** 25;
/** Packed activations of a block: 1 MiB. */
const BLOCK_VALUES = 2 ** 17;

/**
 * sums[m, n] = sum over k of (x[m, k] - x_zero_point) * (w[n, k] - w_zero_point[n]), [rows, outFeatures], exact:
 * every intermediate is an integer below 2^53. (32-bit codes stay below it up to K = 4096, 8-bit ones always.)
 */
export function exactSums(x: Codes, product: Product, fast: Fast = null): Float64Array {
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
export function magnitudeSums(x: Codes, product: Product, fast: Fast = null): Float64Array {
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
  // sums of fewer products than this fit SUM_LIMIT: K = 1028 for |x - zx| <= 255 and |w| <= 128
  const depth = Math.min(inFeatures, Math.floor((SUM_LIMIT - 1) / Math.max(1, largest)));
  if (depth === 0) return inFeatures === 0 ? sums : sumsOfWideCodes(x, product, sums);
  const blockRows = Math.max(64, 4 * Math.floor(BLOCK_VALUES / (4 * depth)));
  const packedX = new Float64Array(4 * Math.ceil(Math.min(blockRows, x.rows) / 4) * depth);
  const packedW = new Float64Array(4 * depth);
  for (let k = 0; k < inFeatures; k += depth) {
    const length = Math.min(depth, inFeatures - k);
    for (let row = 0; row < x.rows; row += blockRows) {
      const rows = Math.min(blockRows, x.rows - row);
      packRows(packedX, x, product.input.zeroPoint, row, rows, k, length);
      for (let channel = 0; channel < outFeatures; channel += 8) {
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

/** Of a tile of 4 rows and 8 channels: tile[row * 4 + c] holds channel c, and channel c + 4 times UPPER. */
const tile = new Float64Array(16);

function sumTile(x: Float64Array, start: number, w: Float64Array, length: number): void {
  let [a0, a1, a2, a3, b0, b1, b2, b3] = [0, 0, 0, 0, 0, 0, 0, 0];
  let [c0, c1, c2, c3, d0, d1, d2, d3] = [0, 0, 0, 0, 0, 0, 0, 0];
  const end = 4 * length;
  for (let j = 0, i = start; j < end; j += 4, i += 4) {
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
  tile[0] = a0;
  tile[1] = a1;
  tile[2] = a2;
  tile[3] = a3;
  tile[4] = b0;
  tile[5] = b1;
  tile[6] = b2;
  tile[7] = b3;
  tile[8] = c0;
  tile[9] = c1;
  tile[10] = c2;
  tile[11] = c3;
  tile[12] = d0;
  tile[13] = d1;
  tile[14] = d2;
  tile[15] = d3;
}

/** Takes the two channels of each tile entry apart: |lower| < 2^25, so rounding to multiples of UPPER finds the upper. */
function addTile(sums: Float64Array, channels: number, row: number, rows: number, channel: number): void {
  const lowers = Math.min(4, channels - channel);
  const uppers = Math.min(4, channels - channel - 4);
  for (let r = 0; r < rows; r++) {
    const start = (row + r) * channels + channel;
    for (let c = 0; c < lowers; c++) {
      const both = tile[4 * r + c];
      const upper = roundHalfEven(both / UPPER);
      sums[start + c] += both - upper * UPPER;
      if (c < uppers) sums[start + c + 4] += upper;
    }
  }
}

/** 4 rows interleaved along k; rows beyond the block are 0. */
function packRows(
  packed: Float64Array,
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

/** 8 channels in 4 numbers along k; channels beyond the layer repeat the last and are not stored. */
function packChannels(packed: Float64Array, product: Product, channel: number, k: number, length: number): void {
  const { weight, inFeatures, outFeatures } = product;
  for (let c = 0; c < 4; c++) {
    const lower = Math.min(channel + c, outFeatures - 1);
    const upper = Math.min(channel + c + 4, outFeatures - 1);
    const lowerZeroPoint = weightZeroPointOf(product, lower);
    const upperZeroPoint = weightZeroPointOf(product, upper);
    const fromLower = lower * inFeatures + k;
    const fromUpper = upper * inFeatures + k;
    for (let i = 0; i < length; i++) {
      packed[4 * i + c] = weight[fromLower + i] - lowerZeroPoint + (weight[fromUpper + i] - upperZeroPoint) * UPPER;
    }
  }
}

/** Codes far beyond 8 bits (a candidate's int32 input): the plain loop. */
function sumsOfWideCodes(x: Codes, product: Product, sums: Float64Array): Float64Array {
  const { outFeatures, inFeatures, weight, input } = product;
  for (let row = 0; row < x.rows; row++) {
    for (let channel = 0; channel < outFeatures; channel++) {
      const zeroPoint = weightZeroPointOf(product, channel);
      let sum = 0;
      for (let k = 0; k < inFeatures; k++) {
        sum += (x.data[row * inFeatures + k] - input.zeroPoint) * (weight[channel * inFeatures + k] - zeroPoint);
      }
      sums[row * outFeatures + channel] = sum;
    }
  }
  return sums;
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
