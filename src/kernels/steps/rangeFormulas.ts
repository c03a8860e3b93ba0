/** What scripts make of the range that a layer reads: what hypotheses are made of; no runtime does so. */
import type { RangeFormula } from '../../nouns/chosenRange.js';
import type { QuantParams } from '../../nouns/value.js';
import { toBFloat16, toFloat16 } from '../../numeric/float.js';
import { clamp } from '../../numeric/integer.js';
import { roundHalfEven, truncate } from '../../numeric/round.js';
import { inPrecision, uint8Params } from './dynamic.js';

interface Spread {
  /** Levels more than the codes have. */
  readonly more?: number;
  /** The range is that of the values alone; and its zero point is clamped to the codes, or not. */
  readonly withoutZero?: 'clamped' | 'free';
  readonly zeroPoint?: (value: number) => number;
  readonly scale?: (scale: number) => number;
  /** The zero point is of the scale before that. */
  readonly afterwards?: true;
}

const asItIs = (scale: number) => scale;

function spread(name: string, own: Spread): RangeFormula {
  const { more = 0, withoutZero, zeroPoint = roundHalfEven, scale: kept = asItIs, afterwards } = own;
  return {
    name,
    choose(least, most, levels, precision): QuantParams {
      const to = inPrecision(precision);
      const [min, max] = withoutZero ? [least, most] : [Math.min(least, 0), Math.max(most, 0)];
      const quotient = to(to(max - min) / (levels + more));
      const scale = kept(quotient) || 1; // nothing to spread
      const zero = zeroPoint(to(-min / (afterwards ? quotient : scale)));
      return uint8Params(scale, withoutZero === 'free' ? zero : clamp(zero, 0, levels));
    },
  };
}

/** int8 codes around 0, kept as bytes, 128 higher. */
function symmetric(name: string, half: number, kept = asItIs): RangeFormula {
  return {
    name,
    choose(least, most, _, precision) {
      const scale = inPrecision(precision)(Math.max(Math.abs(least), Math.abs(most)) / half);
      return uint8Params(kept(scale) || 1, 128);
    },
  };
}

const raised = (scale: number) => 2 ** Math.ceil(Math.log2(scale));
const nearest = (scale: number) => 2 ** roundHalfEven(Math.log2(scale));

export const RANGE_FORMULAS = {
  withoutZero: spread('withoutZero', { withoutZero: 'free' }),
  withoutZeroClamped: spread('withoutZeroClamped', { withoutZero: 'clamped' }),
  oneLevelMore: spread('oneLevelMore', { more: 1 }),
  oneLevelLess: spread('oneLevelLess', { more: -1 }),
  zeroPointCut: spread('zeroPointCut', { zeroPoint: truncate }),
  noZeroPoint: spread('noZeroPoint', { zeroPoint: () => 0 }),
  middleZeroPoint: spread('middleZeroPoint', { zeroPoint: () => 128 }),
  float16: spread('float16', { scale: toFloat16 }),
  float16Afterwards: spread('float16Afterwards', { scale: toFloat16, afterwards: true }),
  bfloat16: spread('bfloat16', { scale: toBFloat16 }),
  powerOfTwo: spread('powerOfTwo', { scale: raised }),
  powerOfTwoAfterwards: spread('powerOfTwoAfterwards', { scale: raised, afterwards: true }),
  nearestPowerOfTwo: spread('nearestPowerOfTwo', { scale: nearest }),
  symmetric127: symmetric('symmetric127', 127),
  symmetric127And5: symmetric('symmetric127And5', 127.5),
  symmetric128: symmetric('symmetric128', 128),
  symmetricFloat16: symmetric('symmetricFloat16', 127, toFloat16),
  symmetricPowerOfTwo: symmetric('symmetricPowerOfTwo', 127, raised),
} as const satisfies Record<string, RangeFormula>;

export type FormulaName = keyof typeof RANGE_FORMULAS;
