/** Accumulators narrower than int32: what hypotheses are made of; no kernel has one. */

import type { AccumulateStep, Codes, Fast, Product } from '../../nouns/kernel.js';
import { int32s } from '../../numeric/array.js';
import { clamp, saturateTo, wrapInt32, wrapTo } from '../../numeric/integer.js';
import { exactSums, magnitudeSums, sumsStayWithin, weightZeroPointOf } from '../../products/exactSums.js';
import { fastLossy } from '../../products/multiply.js';
import { scriptedInt32Bias } from './bias.js';
import { toInt32 } from './toInt32.js';

export interface NarrowAccumulateStep extends AccumulateStep {
  readonly bits: number;
  readonly overflow: 'wrap' | 'saturate';
  /** What is too wide: the sum with zero points subtracted first, or the sum of raw products (zero points' share exact). */
  readonly of: 'sum' | 'raw';
  /** Saturated after every product, in order of k, or once at the end. (Wrapping gives the same either way.) */
  readonly when: 'end' | 'running';
  /** The accumulator also holds the bias, as int32 at scale sx * sw: it begins with it, or it is added last. */
  readonly bias: 'first' | 'last' | null;
  /** Of a convolution, running: channel by channel, as the file has its weights, and not place by place. */
  readonly byChannel: boolean;
}

const LIMITED = { wrap: wrapTo, saturate: saturateTo };

interface Form {
  readonly when?: 'end' | 'running';
  readonly bias?: 'first' | 'last' | null;
  readonly byChannel?: boolean;
}

function narrow(
  bits: number,
  overflow: 'wrap' | 'saturate',
  of: 'sum' | 'raw',
  { when = 'end', bias = null, byChannel = false }: Form = {},
): NarrowAccumulateStep {
  const apply = LIMITED[overflow](bits);
  const operands = of === 'raw' ? 'x * w' : '(x - zx) * (w - zw)';
  const held = bias ? (bias === 'first' ? 'AfterBias' : 'WithBias') : '';
  const name = `int${bits}${overflow === 'wrap' ? 'Wrap' : 'Saturate'}${when === 'running' ? 'Running' : ''}${of === 'raw' ? 'Raw' : ''}${held}${byChannel ? 'ByChannel' : ''}`;
  return {
    name,
    equation: `sum of ${operands}${bias ? ' and the bias' : ''} in int${bits}, ${overflow === 'wrap' ? 'wrapping' : 'saturating'}${byChannel ? ', channel by channel' : ''}`,
    bits,
    overflow,
    of,
    when,
    bias,
    byChannel,
    ...(bias && { holdsBias: true }),
    run(x, product, fast = null) {
      const sums = exactSums(x, product, fast);
      const inFull = toInt32(sums);
      const factors = of === 'raw' ? withoutZeroPoints(product) : product;
      const held = bias ? scriptedInt32Bias(product) : null;
      const largest = held ? held.reduce((most, own) => Math.max(most, Math.abs(own)), 0) : 0;
      if (sumsStayWithin(2 ** (bits - 1) - 1, x, factors, largest)) return inFull;
      const wide = of === 'raw' ? exactSums(x, factors, fast) : sums;
      const added = (i: number) => (held ? held[i % held.length] : 0);
      const start = bias === 'first' ? held : null;
      const [ordered, taken] = byChannel ? channelByChannel(x, factors) : [x, factors];
      const running = when === 'running' ? runningSums(ordered, taken, bits, fast, start) : wide;
      // the bias is taken out again: it is added in its own step
      const narrowed = (i: number) => {
        if (when !== 'running') return apply(wide[i] + added(i)) - added(i);
        return bias === 'last' ? apply(running[i] + added(i)) - added(i) : running[i] - added(i);
      };
      const data = int32s(sums, (sum, i) => wrapInt32(sum - wide[i] + narrowed(i)));
      return { data, overflowed: inFull.overflowed };
    },
    numpy: (product) => [
      ...narrowNumpy(
        byChannel ? inChannels(product, operands) : operands,
        bits,
        overflow,
        when,
        bias ? { bias, value: scriptedInt32Bias(product)?.[0] ?? 0 } : null,
      ),
      ...(of === 'raw' ? ['acc -= int(zx*w.sum() + zw*(x - zx).sum())'] : []),
    ],
    c: null,
  };
}

/** Places and channels of a convolution's sum, where it has several of both. */
function axesOf({ patch, inFeatures }: Product): readonly [taps: number, channels: number] | null {
  const channels = patch?.inChannels ?? 1;
  return channels > 1 && inFeatures > channels ? [inFeatures / channels, channels] : null;
}

/** Rows and weights whose k counts channels before places. */
function channelByChannel(x: Codes, product: Product): [Codes, Product] {
  const axes = axesOf(product);
  if (!axes) return [x, product];
  const { patch: _, ...matrix } = product; // holes are the zero point's codes by now
  const turned = <A extends Codes['data'] | Product['weight']>(values: A): A => {
    const [taps, channels] = axes;
    const moved = values.slice() as A;
    for (let row = 0; row < values.length; row += taps * channels) {
      for (let k = 0; k < taps * channels; k++)
        moved[row + (k % channels) * taps + Math.floor(k / channels)] = values[row + k];
    }
    return moved;
  };
  return [
    { rows: x.rows, cols: x.cols, data: turned(x.data) },
    { ...matrix, weight: turned(product.weight) },
  ];
}

/** A row in the order in which its products are added. */
function inChannels(product: Product, operands: string): string {
  const axes = axesOf(product);
  return axes ? `(${operands}).reshape(${axes}).T.ravel()` : operands;
}

/** held: the bias of the one channel. */
function narrowNumpy(
  operands: string,
  bits: number,
  overflow: 'wrap' | 'saturate',
  when: 'end' | 'running',
  held: { readonly bias: 'first' | 'last'; readonly value: number } | null,
): string[] {
  const limit = 2 ** (bits - 1);
  const limited = (sum: string) => `min(max(${sum}, -${limit}), ${limit - 1})`;
  const bias = held ? ` + ${held.value}` : '';
  const without = held ? [`acc -= ${held.value}  # the bias, added below`] : [];
  if (when === 'running') {
    const last = held?.bias === 'last' ? [`acc = ${limited(`acc${bias}`)}`] : [];
    const start = held?.bias === 'first' ? held.value : 0;
    return [`acc = ${start}`, `for p in ${operands}: acc = ${limited('acc + int(p)')}`, ...last, ...without];
  }
  const sum = `int((${operands}).sum())${bias}`;
  if (overflow === 'saturate') return [`acc = ${limited(sum)}`, ...without];
  return [`acc = (${sum} + ${limit}) % ${2 * limit} - ${limit}`, ...without];
}

export const int16Wrap = narrow(16, 'wrap', 'sum');
const int24Wrap = narrow(24, 'wrap', 'sum');
export const int16Saturate = narrow(16, 'saturate', 'sum');
const int24Saturate = narrow(24, 'saturate', 'sum');
export const int16SaturateRunning = narrow(16, 'saturate', 'sum', { when: 'running' });
const int24SaturateRunning = narrow(24, 'saturate', 'sum', { when: 'running' });
const int16WrapRaw = narrow(16, 'wrap', 'raw');
const int24WrapRaw = narrow(24, 'wrap', 'raw');
const int16SaturateRaw = narrow(16, 'saturate', 'raw');
const int24SaturateRaw = narrow(24, 'saturate', 'raw');
const int16SaturateRunningRaw = narrow(16, 'saturate', 'raw', { when: 'running' });
const int24SaturateRunningRaw = narrow(24, 'saturate', 'raw', { when: 'running' });

export const narrowAccumulators: readonly NarrowAccumulateStep[] = [
  int16Wrap,
  int24Wrap,
  int16Saturate,
  int24Saturate,
  int16SaturateRunning,
  int24SaturateRunning,
  int16WrapRaw,
  int24WrapRaw,
  int16SaturateRaw,
  int24SaturateRaw,
  int16SaturateRunningRaw,
  int24SaturateRunningRaw,
];

/** As a MAC that is loaded with the bias, or adds it last. */
export const biasedAccumulators: readonly NarrowAccumulateStep[] = [
  narrow(16, 'wrap', 'sum', { bias: 'last' }),
  narrow(24, 'wrap', 'sum', { bias: 'last' }),
  narrow(16, 'saturate', 'sum', { bias: 'last' }),
  narrow(24, 'saturate', 'sum', { bias: 'last' }),
  narrow(16, 'saturate', 'sum', { when: 'running', bias: 'first' }),
  narrow(16, 'saturate', 'sum', { when: 'running', bias: 'last' }),
];

/** Sums that are codes already, and then scaled. */
export const byteAccumulators: readonly NarrowAccumulateStep[] = [
  narrow(8, 'saturate', 'sum'),
  narrow(8, 'wrap', 'sum'),
  narrow(8, 'saturate', 'sum', { bias: 'last' }),
  narrow(8, 'wrap', 'sum', { bias: 'last' }),
  narrow(8, 'wrap', 'raw'),
];

const ofWidths = new Map<number, readonly NarrowAccumulateStep[]>();

/** An RTL's own width, with the bias in it or not; of one width the same steps. */
export function accumulatorsOf(bits: number): readonly NarrowAccumulateStep[] {
  if (!ofWidths.has(bits)) {
    ofWidths.set(bits, [
      narrow(bits, 'wrap', 'sum'),
      narrow(bits, 'saturate', 'sum'),
      narrow(bits, 'saturate', 'sum', { when: 'running' }),
      narrow(bits, 'wrap', 'sum', { bias: 'last' }),
      narrow(bits, 'saturate', 'sum', { bias: 'last' }),
      narrow(bits, 'saturate', 'sum', { when: 'running', bias: 'first' }),
    ]);
  }
  return ofWidths.get(bits)!;
}

/** Of a convolution with several channels and places. */
export const accumulatorsByChannel: readonly NarrowAccumulateStep[] = [
  narrow(16, 'saturate', 'sum', { when: 'running', byChannel: true }),
  narrow(16, 'saturate', 'sum', { when: 'running', bias: 'first', byChannel: true }),
  narrow(16, 'saturate', 'sum', { when: 'running', bias: 'last', byChannel: true }),
];

export function hasPlacesAndChannels(product: Product): boolean {
  return axesOf(product) !== null;
}

const NO_ZERO_POINT = Int32Array.of(0);

function withoutZeroPoints(product: Product): Product {
  return { ...product, input: { ...product.input, zeroPoint: 0 }, weightZeroPoint: NO_ZERO_POINT };
}

/** Saturated to so many bits after every product, in order of k. start: what each channel begins with. */
function runningSums(
  x: Codes,
  product: Product,
  bits: number,
  fast: Fast,
  start: Int32Array | null,
): Int32Array | Float64Array {
  const { outFeatures, inFeatures, weight, input } = product;
  const [least, most] = [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1];
  const found = fastLossy({ bits: 0, up: 0, inward: 0, least, most, start }, x, product, fast);
  if (found) return found;
  const sums = exactSums(x, product, fast);
  const magnitudes = magnitudeSums(x, product, fast);
  const differences = new Int32Array(inFeatures);
  for (let row = 0; row < x.rows; row++) {
    for (let k = 0; k < inFeatures; k++) differences[k] = x.data[row * inFeatures + k] - input.zeroPoint;
    for (let channel = 0; channel < outFeatures; channel++) {
      const first = start?.[channel] ?? 0;
      // no order of the products leaves the range
      if (magnitudes[row * outFeatures + channel] + Math.abs(first) <= most) {
        sums[row * outFeatures + channel] += first;
        continue;
      }
      const zeroPoint = weightZeroPointOf(product, channel);
      const row0 = channel * inFeatures;
      let sum = clamp(first, least, most);
      for (let k = 0; k < inFeatures; k++) {
        sum += differences[k] * (weight[row0 + k] - zeroPoint);
        if (sum > most) sum = most;
        else if (sum < least) sum = least;
      }
      sums[row * outFeatures + channel] = sum;
    }
  }
  return sums;
}
