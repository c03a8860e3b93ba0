/**
 * acc[m, n] = sum over k of (x[m, k] - x_zero_point) * (w[n, k] - w_zero_point[n]), int32, and what real kernels make of it.
 * Saturating and narrow forms are the exact sum minus what they lose, so all share one fast loop.
 */

import type { Accumulated, AccumulateStep, Codes, Fast, Product } from '../../nouns/kernel.js';
import type { AccumulateForm } from '../../nouns/sumForms.js';
import type { CLines } from '../../nouns/written.js';
import { int32s } from '../../numeric/array.js';
import { excessOverInt16, positivePart, wrapInt16 } from '../../numeric/integer.js';
import { exactSums, rangeOf, readableExactSums } from '../../products/exactSums.js';
import { groupOf } from '../../products/groups.js';
import { EXACT, fastSums } from '../../products/multiply.js';
import {
  eightApartNumpy,
  hasHolesToLeave,
  type Narrowing,
  neighboursNumpy,
  type Pairing,
  type Pairs,
  pairedC,
  pairedNumpy,
  type Width,
} from './pairs.js';
import { saturatesOnX86 } from './ranAs.js';
import { toInt32 } from './toInt32.js';

export * from './narrowAccumulate.js';
export type { Pairs, Width } from './pairs.js';

const EXACT_NUMPY = ['acc = int(((x - zx) * (w - zw)).sum())'];

function exactC(id: string): CLines {
  const loop = `  for (int k = 0; k < ${id.toUpperCase()}_IN_FEATURES; k++) sum += (x[k] - zx) * (w[k] - zw);`;
  return { arrays: [], lines: [loop] };
}

/** Modulo 2^32. */
export const exact: AccumulateStep = {
  name: 'exact',
  equation: 'sum of (x - zx) * (w - zw)',
  run: (x, product, fast = null) => accelerated(EXACT, x, product, fast) ?? toInt32(readableExactSums(x, product)),
  numpy: () => EXACT_NUMPY,
  c: (_product, id) => exactC(id),
  form: () => EXACT,
};

/** The fast path's sums, none of which leaves int32; null where it does not take the case. */
function accelerated(form: AccumulateForm, x: Codes, product: Product, fast: Fast): Accumulated | null {
  const data = fastSums(form, x, product, fast);
  return data ? { data, overflowed: 0 } : null;
}

// ---------------------------------------------------------------- products added in pairs at int16

export interface PairedAccumulateStep extends AccumulateStep {
  pairs(product: Width): Pairs;
  /** Added to activation codes before they are multiplied (and taken out again, exactly, with the zero points). */
  codeShift(product: Product): number;
  /** What a pair's sum loses at int16, saturated or wrapped. */
  loss(sum: number): number;
  /** Sums that lose by a clamp stay in order, and no further apart than they were. */
  readonly clamps: boolean;
  /** Whether this layer's products are paired at all; otherwise the sum is exact. */
  applies(product: Product): boolean;
  /** Holes of patches take no part in pairs; otherwise they hold the zero point, as all who multiply do. */
  leavesHolesOut(product: Width): boolean;
}

export function isPaired(step: AccumulateStep): step is PairedAccumulateStep {
  return 'pairs' in step;
}

export function isSaturating(step: AccumulateStep): step is PairedAccumulateStep {
  return isPaired(step) && step.clamps;
}

/** ARM's pairs without dot product. */
export function isWrapping(step: AccumulateStep): step is PairedAccumulateStep {
  return isPaired(step) && !step.clamps;
}

/** Whether nothing of this layer's sums is lost but what leaves int32. */
export function isExact(step: AccumulateStep, product: Product): boolean {
  return step === exact || (isPaired(step) && !step.applies(product));
}

/** Whether holes of this layer's patches take no part in its pairs: then its written forms read `hole`. */
export function leavesHolesOut(step: AccumulateStep, product: Product): boolean {
  return isPaired(step) && step.applies(product) && hasHolesToLeave(step, product);
}

const saturating: Narrowing = {
  equation: 'sat16',
  loss: excessOverInt16,
  clamps: true,
  numpy: 'np.clip(p, -32768, 32767)',
  c: 'saturate16',
};

const wrapping: Narrowing = {
  equation: 'int16',
  loss: (sum) => sum - wrapInt16(sum),
  clamps: false,
  numpy: '((p + 32768) % 65536 - 32768)',
  c: 'wrap16',
};

/** k = (0,1), (2,3), ... within each block; an odd block ends with a product alone. order: which k stands at each place. */
function neighbours(blocks: readonly number[], order: Int32Array | null): Pairs {
  const count = blocks.reduce((sum, length) => sum + Math.ceil(length / 2), 0);
  const [first, second] = [new Int32Array(count), new Int32Array(count)];
  const at = (place: number) => (order ? order[place] : place);
  let [start, pair] = [0, 0];
  for (const length of blocks) {
    for (let place = start; place < start + length; place += 2, pair++) {
      first[pair] = at(place);
      second[pair] = place + 1 < start + length ? at(place + 1) : -1;
    }
    start += length;
  }
  return { first, second };
}

/**
 * K blocks of oneDNN's gemm:jit: one up to 256, two halves below 2 * blockSize, then blocks of blockSize.
 * Pairing restarts in each, so it is shifted where a block is odd: 256 < K < 2 * blockSize and K % 4 in (1, 2).
 */
function oneDnnGemmBlocks(inFeatures: number, blockSize: number): number[] {
  if (inFeatures <= 256) return [inFeatures];
  const length = inFeatures < 2 * blockSize ? Math.ceil(inFeatures / 2) : blockSize;
  const blocks = new Array<number>(Math.floor(inFeatures / length)).fill(length);
  if (inFeatures % length > 0) blocks.push(inFeatures % length);
  return blocks;
}

/** k and k + 8 of every 16. */
function eightApart({ inFeatures }: Width): Pairs {
  const count = 8 * Math.floor(inFeatures / 16) + Math.min(8, inFeatures % 16);
  const first = int32s({ length: count }, (_, pair) => pair + 8 * Math.floor(pair / 8));
  return { first, second: int32s(first, (k) => (k + 8 < inFeatures ? k + 8 : -1)) };
}

const isSigned = (product: Product) => product.input.dtype === 'int8';
/** int8 activations become uint8: x xor 0x80 is x + 128. */
export const shiftToUnsigned = (product: Product) => (isSigned(product) ? 128 : 0);
const shiftToSigned = (product: Product) => (isSigned(product) ? 0 : -128);

type Paired = Pick<PairedAccumulateStep, 'name' | 'codeShift' | 'applies' | 'leavesHolesOut' | 'form'>;

function paired(step: Paired, pairing: Pairing, narrowing: Narrowing): PairedAccumulateStep {
  const { applies } = step;
  const losing = { ...step, pairs: pairing.of, loss: narrowing.loss, clamps: narrowing.clamps };
  return {
    ...losing,
    equation: `sum of ${narrowing.equation}(x * w of two k: ${pairing.equation}), less the zero points' share`,
    run(x, product, fast = null) {
      const form = step.form?.(product);
      const found = form && accelerated(form, x, product, fast);
      if (found) return found;
      const sums = exactSums(x, product, fast);
      if (applies(product)) subtractLosses(sums, x, product, losing);
      return toInt32(sums);
    },
    numpy: (product) => (applies(product) ? pairedNumpy(pairing, narrowing, step, product) : EXACT_NUMPY),
    c: (product, id) => (applies(product) ? pairedC(pairing.of(product), narrowing, step, product, id) : exactC(id)),
  };
}

/** blocks: lengths of the K blocks in which pairs restart, all but the last the same. order: where neighbours are not neighbours in k. */
export function saturatingPairs(
  name: string,
  blocks: (product: Width) => number[],
  applies: PairedAccumulateStep['applies'],
  leavesHolesOut: PairedAccumulateStep['leavesHolesOut'] = () => false,
  order: (product: Width) => Int32Array | null = () => null,
  codeShift = shiftToUnsigned,
): PairedAccumulateStep {
  const of = (product: Width) => neighbours(blocks(product), order(product));
  const pairing: Pairing = {
    equation: 'neighbours',
    of,
    numpy: (terms, product) => neighboursNumpy(terms, of(product)),
  };
  const form = (product: Product): AccumulateForm | null => {
    if (!applies(product)) return EXACT;
    if (order(product)) return null;
    if (leavesHolesOut(product) && product.patch?.taps.hasHoles) return null; // the accelerator pairs what holes hold
    return { pairs: { codeShift: codeShift(product), blockLength: blocks(product)[0] } };
  };
  return paired({ name, codeShift, applies, leavesHolesOut, form }, pairing, saturating);
}

/**
 * VPMADDUBSW: raw u8 * s8 products of k = (0,1), (2,3), ... are added and saturate at int16; the pair sums and the zero
 * points' share are exact. 255 * 90 + 255 * 60 = 38250 becomes 32767. FBGEMM, ONNX Runtime (int8 activations xored with
 * 0x80 first) on x86 with AVX2 and without VNNI.
 */
export const pairsSaturatingInt16 = saturatingPairs(
  'pairsSaturatingInt16',
  ({ inFeatures }) => [inFeatures],
  saturatesOnX86,
);

/** oneDNN's brgemm on AVX512 without VNNI: int8 activations take an exact path. */
export const pairsSaturatingInt16Unsigned = saturatingPairs(
  'pairsSaturatingInt16Unsigned',
  ({ inFeatures }) => [inFeatures],
  (product) => !isSigned(product),
);

/** oneDNN's gemm: int8 activations are xored with 0x80, but with a zero point they take an exact path. */
const takesOneDnnGemm = (product: Product) => !isSigned(product) || product.input.zeroPoint === 0;

/** oneDNN's gemm:jit on AVX2. */
export const pairsSaturatingInt16Blocks384 = saturatingPairs(
  'pairsSaturatingInt16Blocks384',
  ({ inFeatures }) => oneDnnGemmBlocks(inFeatures, 384),
  takesOneDnnGemm,
);

/** oneDNN's gemm:jit on AVX and SSE4.1. */
export const pairsSaturatingInt16Blocks256 = saturatingPairs(
  'pairsSaturatingInt16Blocks256',
  ({ inFeatures }) => oneDnnGemmBlocks(inFeatures, 256),
  takesOneDnnGemm,
);

/**
 * SMULL + SMLAL on ARM64 without dot product: activations made signed, products k and k + 8 of every 16 added in int16,
 * wrapping. Only (-128 * -128) * 2 = 32768 wraps, to -32768; without a weight of -128 this is exact.
 */
export const neonMlalInt16Wrap = wrappingEightApart('neonMlalInt16Wrap', ({ weightDtype }) => weightDtype !== 'uint8');

/** Uint8 weights are exact. */
export function wrappingEightApart(name: string, applies: PairedAccumulateStep['applies']): PairedAccumulateStep {
  return paired(
    { name, codeShift: shiftToSigned, applies, leavesHolesOut: () => false },
    { equation: 'k and k + 8 of 16', of: eightApart, numpy: eightApartNumpy },
    wrapping,
  );
}

/** Which products are added in int16, and what that loses. */
type Losing = Pick<PairedAccumulateStep, 'pairs' | 'codeShift' | 'loss' | 'applies' | 'leavesHolesOut'>;

/** Every pair of one output value that leaves int16, in order of k. */
export function* losingPairs(
  step: PairedAccumulateStep,
  x: Codes,
  product: Product,
  row: number,
  channel: number,
): Generator<{ readonly k: readonly [number, number]; readonly sum: number; readonly narrowed: number }> {
  if (!step.applies(product)) return;
  const { first, second } = step.pairs(product);
  const code = pairedCode(x, product, step);
  const productAt = (k: number) => (k < 0 ? 0 : code(row, k) * product.weight[channel * product.inFeatures + k]);
  for (let p = 0; p < first.length; p++) {
    const sum = productAt(first[p]) + productAt(second[p]);
    const lost = step.loss(sum);
    if (lost !== 0) yield { k: [first[p], second[p]], sum, narrowed: sum - lost };
  }
}

/** What takes part in a pair of raw products: the shifted code, nothing where a hole is left out. */
function pairedCode(x: Codes, product: Product, step: Losing): (row: number, k: number) => number {
  const { patch } = product;
  const shift = step.codeShift(product);
  const shifted = (row: number, k: number) => x.data[row * x.cols + k] + shift;
  const { positions } = x;
  if (!hasHolesToLeave(step, product) || !positions) return shifted;
  const { taps, inChannels } = patch!;
  const isHole = (row: number, k: number) => taps.at(positions[row])[Math.floor(k / inChannels)] < 0;
  return (row, k) => (isHole(row, k) ? 0 : shifted(row, k));
}

/**
 * Takes from the exact sums what pairs lose at int16. Weights decide which pairs can lose anything at all, given the
 * range of the codes (|w0| + |w1| > 128 at the least): few in trained layers, a quarter in uniformly random ones. x may be of several groups.
 */
export function subtractLosses(sums: Float64Array, x: Codes, product: Product, step: Losing): void {
  const { outFeatures, inFeatures } = product;
  eachCapableChannel(x, product, step, (channel, codes, pairs) => {
    const first = groupOf(product, channel) * inFeatures;
    for (let row = 0; row < x.rows; row++)
      sums[row * outFeatures + channel] -= lostBy(pairs, codes, row * x.cols + first, step);
  });
}

/** In the row of codes that begins at `start`. */
function lostBy({ count, k0, k1, w0, w1 }: CapablePairs, codes: Int32Array, start: number, { loss }: Losing): number {
  let lost = 0;
  for (let p = 0; p < count; p++) {
    const sum = Math.imul(codes[start + k0[p]], w0[p]) + Math.imul(codes[start + k1[p]], w1[p]);
    if (sum > 32767 || sum < -32768) lost += loss(sum);
  }
  return lost;
}

/** How many pairs leave int16, over all output values. */
export function countLosingPairs(step: PairedAccumulateStep, x: Codes, product: Product): number {
  let losing = 0;
  if (!step.applies(product)) return losing;
  eachCapableChannel(x, product, step, (_, codes, { count, k0, k1, w0, w1 }) => {
    for (let start = 0; start < codes.length; start += product.inFeatures) {
      for (let p = 0; p < count; p++) {
        const sum = Math.imul(codes[start + k0[p]], w0[p]) + Math.imul(codes[start + k1[p]], w1[p]);
        losing += step.loss(sum) === 0 ? 0 : 1;
      }
    }
  });
  return losing;
}

/** Pairs of one channel that can leave int16 given the range of the codes: where they are, and their weights. */
interface CapablePairs {
  count: number;
  readonly k0: Int32Array;
  readonly k1: Int32Array;
  readonly w0: Int32Array;
  readonly w1: Int32Array;
}

/** Visits the channels that have such pairs; codes are shifted as the step wants them. */
function eachCapableChannel(
  x: Codes,
  product: Product,
  step: Losing,
  visit: (channel: number, codes: Int32Array, pairs: CapablePairs) => void,
): void {
  const { outFeatures, inFeatures, weight } = product;
  const { first, second } = step.pairs(product);
  const range = pairedRange(x, product, step);
  let codes: Int32Array | null = null; // where no pair of weights can lose anything none are made
  const list = () => new Int32Array(first.length);
  const pairs: CapablePairs = { count: 0, k0: list(), k1: list(), w0: list(), w1: list() };
  // loops in functions of their own: with all of them in one V8 takes 20 ms and more to compile it
  for (let channel = 0; channel < outFeatures; channel++) {
    takeCapable(pairs, weight, channel * inFeatures, { first, second }, range);
    if (pairs.count === 0) continue;
    codes ??= pairedCodes(x, product, step);
    visit(channel, codes, pairs);
  }
}

/** In which the codes lie that take part in pairs. */
function pairedRange({ data }: Codes, product: Product, step: Losing): ReturnType<typeof rangeOf> {
  const { min, max } = rangeOf(data);
  const [shift, rest] = [step.codeShift(product), hasHolesToLeave(step, product) ? [0] : []];
  return { min: Math.min(min + shift, ...rest), max: Math.max(max + shift, ...rest) };
}

function pairedCodes(x: Codes, product: Product, step: Losing): Int32Array {
  const codes = new Int32Array(x.data);
  if (hasHolesToLeave(step, product)) {
    const code = pairedCode(x, product, step);
    for (let row = 0, i = 0; row < x.rows; row++) for (let k = 0; k < x.cols; k++, i++) codes[i] = code(row, k);
    return codes;
  }
  const shift = step.codeShift(product);
  if (shift !== 0) for (let i = 0; i < codes.length; i++) codes[i] += shift;
  return codes;
}

function takeCapable(
  pairs: CapablePairs,
  weight: Product['weight'],
  start: number,
  { first, second }: Pairs,
  { min: smallest, max: largest }: ReturnType<typeof rangeOf>,
): void {
  pairs.count = 0;
  for (let p = 0; p < first.length; p++) {
    const a = weight[start + first[p]];
    const b = second[p] < 0 ? 0 : weight[start + second[p]];
    const positive = positivePart(a) + positivePart(b);
    const negative = a + b - positive;
    const highest = positive * largest + negative * smallest;
    const lowest = negative * largest + positive * smallest;
    if (highest <= 32767 && lowest >= -32768) continue;
    pairs.k0[pairs.count] = first[p];
    pairs.k1[pairs.count] = Math.max(second[p], 0);
    pairs.w0[pairs.count] = a;
    pairs.w1[pairs.count++] = b;
  }
}
