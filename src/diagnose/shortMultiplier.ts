/** A multiplier k * 2^-n with a k of few bits, a number a channel. */
import { float64Product } from '../kernels/steps/multiplier.js';
import { weightScaleOf } from '../kernels/steps/scales.js';
import type { MultiplierStep, Product } from '../nouns/kernel.js';
import type { QuantParams } from '../nouns/value.js';

/** k * 2^-n. */
export interface Short {
  readonly k: number;
  readonly n: number;
}

export interface ShortMultiplierStep extends MultiplierStep {
  readonly numbers: readonly Short[];
}

export function numberOf({ k, n }: Short): number {
  return k * 2 ** -n;
}

/** What it stands for. */
export function realOf(params: Product, channel: number): number {
  const { input, output } = params;
  return (input.scale * weightScaleOf(params, channel)) / (output as QuantParams).scale;
}

/** @param of the numbers of a product with all channels, where its scales may be other ones */
export function shortMultiplier(
  numbers: readonly Short[],
  of: (product: Product) => readonly Short[] = () => numbers,
): ShortMultiplierStep {
  const name = `short multiplier ${numbers.map(({ k, n }) => `${k} * 2^-${n}`).join(', ')}`;
  return {
    ...float64Product,
    numbers,
    name,
    equation: `acc * ${numbers[0].k} * 2^-${numbers[0].n}`,
    toSteps: (product, output) => {
      const isWhole = product.outFeatures === numbers.length;
      const own = isWhole ? of(product).map(numberOf) : nearestOf(product, numbers);
      return (acc, channel, bias) => acc * own[channel] + (bias === 0 ? 0 : bias / output.scale);
    },
    operations: null,
  };
}

/** Of the channels that a product has: a scope may hold some of them only. */
function nearestOf(product: Product, numbers: readonly Short[]): number[] {
  return Array.from({ length: product.outFeatures }, (_, n) => {
    const real = realOf(product, n);
    return numbers
      .map(numberOf)
      .reduce((best, own) => (Math.abs(own / real - 1) < Math.abs(best / real - 1) ? own : best));
  });
}
