/** A multiplier k * 2^-n with a k of few bits, a number a channel. */
import { noBias } from '../../../kernels/steps/bias.js';
import type { NumbersOf } from '../../../kernels/steps/fixedPointMultiplier.js';
import { float64Product } from '../../../kernels/steps/multiplier.js';
import { weightScaleOf } from '../../../kernels/steps/scales.js';
import type { BiasStep, MultiplierStep, Product } from '../../../nouns/kernel.js';
import type { QuantParams } from '../../../nouns/value.js';
import { float64s } from '../../../numeric/array.js';
import { frexp } from '../../../numeric/float.js';
import { floor, roundHalfAway, roundHalfEven } from '../../../numeric/round.js';

/** k * 2^-n. */
export interface Short {
  readonly k: number;
  readonly n: number;
}

export interface ShortMultiplierStep extends MultiplierStep, NumbersOf {
  readonly numbers: readonly Short[];
}

/** A multiplier's numbers, where they are not what the scales make; null: they are. */
export function numbersIn(product: Product, multiplier: MultiplierStep): readonly number[] | null {
  return (multiplier as Partial<NumbersOf>).numbersOf?.(product) ?? null;
}

export function numberOf({ k, n }: Short): number {
  return k * 2 ** -n;
}

/** What it stands for. */
export function realOf(params: Product, channel: number): number {
  const { input, output } = params;
  return (input.scale * weightScaleOf(params, channel)) / (output as QuantParams).scale;
}

/** @param of the numbers of a product, which may have some of the channels only, or other scales */
export function shortMultiplier(
  numbers: readonly Short[],
  of: (product: Product) => readonly Short[],
): ShortMultiplierStep {
  const name = `short multiplier ${numbers.map(({ k, n }) => `${k} * 2^-${n}`).join(', ')}`;
  const numbersOf = (product: Product) => of(product).map(numberOf);
  return {
    ...float64Product,
    numbers,
    numbersOf,
    name,
    equation: `acc * ${numbers[0].k} * 2^-${numbers[0].n}`,
    toSteps: (product, output) => {
      const own = numbersOf(product);
      return (acc, channel, bias) => acc * own[channel] + (bias === 0 ? 0 : bias / output.scale);
    },
    operations: null,
  };
}

export interface BiasBehind extends BiasStep {
  readonly behind: true;
}

/** An int32 bias of the file that is added behind the multiplier, as a lambda is: (k * acc + lambda) >> n. bits: of its fraction; null: all. */
export function biasBehind(bits: number | null): BiasBehind {
  const b = 'b * (sx * sw) / sy';
  const equation = bits === null ? b : `rint(${b} * 2^${bits}) / 2^${bits}`;
  const kept = (steps: number) => (bits === null ? steps : roundHalfEven(steps * 2 ** bits) / 2 ** bits);
  return {
    name: `biasBehind ${bits ?? 'whole'}`,
    equation,
    arithmetic: 'float',
    behind: true,
    prepare: (product) => {
      // another change may have taken it away
      if (!product.biasInt32) return noBias.prepare(product);
      const { scale } = product.output as QuantParams;
      const values = float64s(product.biasInt32, (own, n) => kept(own * realOf(product, n)) * scale);
      return { unit: 'real', values };
    },
  };
}

/** Of a k that has them, and behind the point of one shift for all. */
export const [MOST_BITS, MOST_FRACTION] = [16, 31];

/** To the nearest, down and up; a shift also by its logarithm. */
export function roundsOf(bits: number): ((v: number) => number)[] {
  return [roundHalfAway, floor, Math.ceil, ...(bits === 1 ? [nearestPower] : [])];
}

/** Of a number from 1 up to 2, as a rounded logarithm has it. */
function nearestPower(v: number): number {
  return v < Math.SQRT2 ? 1 : 2;
}

/** oneShift: the largest of some numbers that have one shift; null: its own. */
export function numberIn(real: number, bits: number, round: (v: number) => number, oneShift: number | null): Short {
  const shift = bits - frexp(oneShift ?? real).exponent;
  return simplest(Math.max(1, round(real * 2 ** shift)), shift);
}

/** To the nearest that so many bits hold: what is nearest to the power of two above them saturates, as CMSIS-NN's 0x7FFF of int16 layers. */
export function saturatingIn(real: number, bits: number): Short {
  const shift = bits - frexp(real).exponent;
  return simplest(Math.min(2 ** bits - 1, roundHalfAway(real * 2 ** shift)), shift);
}

/** Whether one of some numbers does. */
export function saturates(reals: readonly number[], bits: number): boolean {
  return bits > 1 && reals.some((real) => frexp(real).fraction * 2 ** bits >= 2 ** bits - 0.5);
}

/** Without factors of 2 in k. */
function simplest(k: number, n: number): Short {
  return k % 2 === 0 ? simplest(k / 2, n - 1) : { k, n };
}
