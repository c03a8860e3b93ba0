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
}

const asItIs = (scale: number) => scale;

function spread(name: string, own: Spread): RangeFormula {
  const { more = 0, withoutZero, zeroPoint = roundHalfEven } = own;
  return {
    name,
    choose(least, most, levels, { precision }): QuantParams {
      const to = inPrecision(precision);
      const [min, max] = withoutZero ? [least, most] : [Math.min(least, 0), Math.max(most, 0)];
      const scale = to(to(max - min) / (levels + more)) || 1; // nothing to spread
      const zero = zeroPoint(to(-min / scale));
      return uint8Params(scale, withoutZero === 'free' ? zero : clamp(zero, 0, levels));
    },
  };
}

/** The own scale in fewer bits; afterwards: its zero point is of the scale before that. */
function kept(name: string, keep: (scale: number) => number, afterwards = false): RangeFormula {
  return {
    name,
    choose(min, max, levels, own): QuantParams {
      const chosen = own.choose(min, max, levels);
      const scale = keep(chosen.scale) || 1;
      if (afterwards || own.symmetric) return { ...chosen, scale };
      const zeroPoint = roundHalfEven(inPrecision(own.precision)(-Math.min(min, 0) / scale));
      return { ...chosen, scale, zeroPoint: clamp(zeroPoint, 0, levels) };
    },
  };
}

/** int8 codes around 0, kept as bytes, 128 higher. */
function symmetric(name: string, half: number, keep = asItIs): RangeFormula {
  return {
    name,
    choose(least, most, _, { precision }) {
      const scale = inPrecision(precision)(Math.max(Math.abs(least), Math.abs(most)) / half);
      return uint8Params(keep(scale) || 1, 128);
    },
  };
}

/** As far below 0 as above it, spread over all codes: the zero point is the middle one. */
const AROUND_ZERO: RangeFormula = {
  name: 'aroundZero',
  choose(min, max, levels, own) {
    const most = Math.max(Math.abs(min), Math.abs(max));
    return own.choose(-most, most, levels);
  },
};

const raised = (scale: number) => 2 ** Math.ceil(Math.log2(scale));
const nearest = (scale: number) => 2 ** roundHalfEven(Math.log2(scale));

export const RANGE_FORMULAS = {
  /** Where the own one has none. */
  asymmetric: spread('asymmetric', {}),
  withoutZero: spread('withoutZero', { withoutZero: 'free' }),
  withoutZeroClamped: spread('withoutZeroClamped', { withoutZero: 'clamped' }),
  oneLevelMore: spread('oneLevelMore', { more: 1 }),
  oneLevelLess: spread('oneLevelLess', { more: -1 }),
  zeroPointCut: spread('zeroPointCut', { zeroPoint: truncate }),
  noZeroPoint: spread('noZeroPoint', { zeroPoint: () => 0 }),
  middleZeroPoint: spread('middleZeroPoint', { zeroPoint: () => 128 }),
  float16: kept('float16', toFloat16),
  float16Afterwards: kept('float16Afterwards', toFloat16, true),
  bfloat16: kept('bfloat16', toBFloat16),
  powerOfTwo: kept('powerOfTwo', raised),
  powerOfTwoAfterwards: kept('powerOfTwoAfterwards', raised, true),
  nearestPowerOfTwo: kept('nearestPowerOfTwo', nearest),
  symmetric127: symmetric('symmetric127', 127),
  symmetric127And5: symmetric('symmetric127And5', 127.5),
  symmetric128: symmetric('symmetric128', 128),
  symmetricFloat16: symmetric('symmetricFloat16', 127, toFloat16),
  symmetricPowerOfTwo: symmetric('symmetricPowerOfTwo', 127, raised),
  aroundZero: AROUND_ZERO,
} as const satisfies Record<string, RangeFormula>;

export type FormulaName = keyof typeof RANGE_FORMULAS;
