/** Sums that lose their low bits before they are scaled, with the bias in them or before it: what hypotheses are made of. */
import type { BiasStep, Product } from '../../nouns/kernel.js';
import type { QuantParams } from '../../nouns/value.js';
import { float64s } from '../../numeric/array.js';
import { frexp } from '../../numeric/float.js';
import { floor, roundHalfUp, truncate } from '../../numeric/round.js';
import { float64Bias, int32BiasFloat64, unitsAdded } from './bias.js';
import { multiplierOfDoubles } from './fixedPointMultiplier.js';

const RULES = { down: floor, 'half up': roundHalfUp, 'towards zero': truncate } as const;
type Rule = keyof typeof RULES;

export interface RoundedSum extends BiasStep {
  readonly sum: SumRounding;
  /** What is added in each channel. */
  readonly biasOf: (product: Product) => (channel: number) => number;
  /** Of a sum and what is added to it: before they lose bits, and after. */
  readonly whole: (acc: number, bias: number) => number;
  readonly rounded: (acc: number, bias: number) => number;
}

interface SumRounding {
  readonly bits: number;
  readonly rule: Rule;
  /** In the sum by then, or added after it. */
  readonly bias: 'in' | 'after';
  /** It stays so much smaller. */
  readonly shifted?: true;
}

function roundedSum({ bits, rule, bias, ...more }: SumRounding, biasOf = integerBias): RoundedSum {
  const unit = 2 ** bits;
  const back = more.shifted ? 1 : unit;
  const withoutBits = (sum: number) => RULES[rule](sum / unit) * back;
  const isIn = bias === 'in';
  const rounded = isIn
    ? (acc: number, b: number) => withoutBits(acc + b)
    : (acc: number, b: number) => withoutBits(acc) + b;
  const equation = `${isIn ? '(acc + b)' : 'acc'} / 2^${bits}, rounded ${rule}${more.shifted ? '' : `, * 2^${bits}`}${isIn ? '' : biasOf === integerBias ? ', + b' : ', + f64(b)'}`;
  return {
    name: equation,
    equation,
    arithmetic: 'int32',
    sum: { bits, rule, bias, ...more },
    biasOf,
    whole: isIn ? (acc, b) => ((acc + b) / unit) * back : (acc, b) => (acc / unit) * back + b,
    rounded,
    prepare(product) {
      const own = biasOf(product);
      return { unit: 'accumulator', add: (acc, n) => rounded(acc, own(n)), operation: null };
    },
  };
}

/** As roundedSums, by the shift that each channel's int32 multiplier has: (acc >> shift) * m, in place of (acc * m) >> shift. */
export interface ShiftedFirst extends BiasStep {
  readonly sum: Pick<SumRounding, 'rule' | 'bias'> & { readonly own: true };
  /** Of a sum with its bias. */
  readonly shifted: (product: Product) => (sum: number, channel: number) => number;
}

export const shiftedFirst: readonly ShiftedFirst[] = (['down', 'half up', 'towards zero'] as const).map((rule) => {
  const equation = `(acc + b) / 2^shift, rounded ${rule}, * 2^shift`;
  const shifted: ShiftedFirst['shifted'] = (product) => {
    const units = float64s({ length: product.outFeatures }, (_, n) => 2 ** shiftOf(product, n));
    return (sum, channel) => RULES[rule](sum / units[channel]) * units[channel];
  };
  return {
    name: equation,
    equation,
    arithmetic: 'int32',
    sum: { rule, bias: 'in', own: true },
    shifted,
    prepare(product) {
      const [by, own] = [shifted(product), integerBias(product)];
      return { unit: 'accumulator', add: (acc, n) => by(acc + own(n), n), operation: null };
    },
  };
});

/** To the right; of a multiplier of 1/2 and more none. */
function shiftOf(product: Product, channel: number): number {
  const real = multiplierOfDoubles(product, product.output as QuantParams, channel);
  return Math.max(0, -frexp(real).exponent);
}

export const integerBias = (product: Product) => unitsAdded(int32BiasFloat64, product);
const floatBias = (product: Product) => unitsAdded(float64Bias, product);

const MOST_BITS = 16;
export const roundedSums: readonly RoundedSum[] = Array.from({ length: MOST_BITS }, (_, i) => i + 1).flatMap((bits) =>
  (['down', 'half up', 'towards zero'] as const).flatMap((rule) =>
    (['in', 'after'] as const).flatMap((bias) => [
      roundedSum({ bits, rule, bias }),
      roundedSum({ bits, rule, bias, shifted: true }),
      ...(bias === 'after' ? [roundedSum({ bits, rule, bias }, floatBias)] : []),
    ]),
  ),
);
