/** Accumulators narrower than int32: what hypotheses are made of; no kernel has one. */
import type { AccumulateStep, Codes, Fast, Product } from '../../nouns/kernel.js';
import { saturateInt16, saturateInt24, wrapInt16, wrapInt24, wrapInt32 } from '../../numeric/integer.js';
import { exactSums, magnitudeSums, weightZeroPointOf } from '../../products/exactSums.js';
import { toInt32 } from './toInt32.js';

export interface NarrowAccumulateStep extends AccumulateStep {
  readonly bits: 16 | 24;
  readonly overflow: 'wrap' | 'saturate';
  /** What is too wide: the sum with zero points subtracted first, or the sum of raw products (zero points' share exact). */
  readonly of: 'sum' | 'raw';
  /** Saturated after every product, in order of k, or once at the end. (Wrapping gives the same either way.) */
  readonly when: 'end' | 'running';
}

const widths = { 16: { wrap: wrapInt16, saturate: saturateInt16 }, 24: { wrap: wrapInt24, saturate: saturateInt24 } };

function narrow(
  bits: 16 | 24,
  overflow: 'wrap' | 'saturate',
  of: 'sum' | 'raw',
  when: 'end' | 'running' = 'end',
): NarrowAccumulateStep {
  const apply = widths[bits][overflow];
  const operands = of === 'raw' ? 'x * w' : '(x - zx) * (w - zw)';
  const name = `int${bits}${overflow === 'wrap' ? 'Wrap' : 'Saturate'}${when === 'running' ? 'Running' : ''}${of === 'raw' ? 'Raw' : ''}`;
  return {
    name,
    equation: `sum of ${operands} in int${bits}, ${overflow === 'wrap' ? 'wrapping' : 'saturating'}`,
    bits,
    overflow,
    of,
    when,
    run(x, product, fast = null) {
      const sums = exactSums(x, product, fast);
      const { overflowed } = toInt32(sums);
      const factors = of === 'raw' ? withoutZeroPoints(product) : product;
      const wide = of === 'raw' ? exactSums(x, factors, fast) : sums;
      const narrowed = when === 'running' ? runningSums(x, factors, bits, fast) : wide.map(apply);
      return { data: Int32Array.from(sums, (sum, i) => wrapInt32(sum - wide[i] + narrowed[i])), overflowed };
    },
    numpy: () => [
      ...narrowNumpy(operands, bits, overflow, when),
      ...(of === 'raw' ? ['acc -= int(zx*w.sum() + zw*(x - zx).sum())'] : []),
    ],
    c: null,
  };
}

function narrowNumpy(operands: string, bits: number, overflow: 'wrap' | 'saturate', when: 'end' | 'running'): string[] {
  const limit = 2 ** (bits - 1);
  const limited = (sum: string) => `min(max(${sum}, -${limit}), ${limit - 1})`;
  if (when === 'running') return ['acc = 0', `for p in ${operands}: acc = ${limited('acc + int(p)')}`];
  const sum = `int((${operands}).sum())`;
  if (overflow === 'saturate') return [`acc = ${limited(sum)}`];
  return [`acc = (${sum} + ${limit}) % ${2 * limit} - ${limit}`];
}

export const int16Wrap = narrow(16, 'wrap', 'sum');
export const int24Wrap = narrow(24, 'wrap', 'sum');
export const int16Saturate = narrow(16, 'saturate', 'sum');
export const int24Saturate = narrow(24, 'saturate', 'sum');
export const int16SaturateRunning = narrow(16, 'saturate', 'sum', 'running');
export const int24SaturateRunning = narrow(24, 'saturate', 'sum', 'running');
export const int16WrapRaw = narrow(16, 'wrap', 'raw');
export const int24WrapRaw = narrow(24, 'wrap', 'raw');
export const int16SaturateRaw = narrow(16, 'saturate', 'raw');
export const int24SaturateRaw = narrow(24, 'saturate', 'raw');
export const int16SaturateRunningRaw = narrow(16, 'saturate', 'raw', 'running');
export const int24SaturateRunningRaw = narrow(24, 'saturate', 'raw', 'running');

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

function withoutZeroPoints(product: Product): Product {
  return { ...product, input: { ...product.input, zeroPoint: 0 }, weightZeroPoint: new Int32Array(1) };
}

/** Saturated to so many bits after every product, in order of k. */
function runningSums(x: Codes, product: Product, bits: 16 | 24, fast: Fast): Float64Array {
  const { outFeatures, inFeatures, weight, input } = product;
  const [least, most] = [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1];
  const sums = exactSums(x, product, fast);
  const magnitudes = magnitudeSums(x, product, fast);
  const differences = new Int32Array(inFeatures);
  for (let row = 0; row < x.rows; row++) {
    for (let k = 0; k < inFeatures; k++) differences[k] = x.data[row * inFeatures + k] - input.zeroPoint;
    for (let channel = 0; channel < outFeatures; channel++) {
      // no order of the products leaves the range
      if (magnitudes[row * outFeatures + channel] <= most) continue;
      const zeroPoint = weightZeroPointOf(product, channel);
      const start = channel * inFeatures;
      let sum = 0;
      for (let k = 0; k < inFeatures; k++) {
        sum += differences[k] * (weight[start + k] - zeroPoint);
        if (sum > most) sum = most;
        else if (sum < least) sum = least;
      }
      sums[row * outFeatures + channel] = sum;
    }
  }
  return sums;
}
