import { downward, halfAway, halfDown, halfEven, halfUp, towardZero, upward } from '../../kernels/steps/round.js';
import { printable } from '../../text.js';
import { ROUNDING_CAUSES } from '../alternatives/departures.js';
import { halfRules } from '../alternatives/halves.js';
import {
  HALF_COUNT_ADDED,
  type MeanRule,
  reciprocalOf,
  scriptsDividingCodes,
  scriptsInTwoPasses,
  scriptsRoundingMean,
} from '../alternatives/meanRules.js';
import { meansRescaled } from '../alternatives/meansRescaled.js';
import { countsPadding } from '../alternatives/pools.js';
import { scriptsScalingSum } from '../alternatives/scaledSums.js';
import { hasNegativeCodes } from '../alternatives/scriptedRounding.js';
import { formOf, isToNearest, scriptsRounding, stepsChange } from '../alternatives/tensorSteps.js';
import type { Cause } from '../cause.js';
import { writesCodes } from '../facts.js';
import type { AnotherRule, CauseEvidence, SomeChannels } from '../finding/evidence.js';
import { resemblesDeclared } from '../search/followed.js';
import type { TensorChange, TensorSetup } from '../setup.js';
import { isTensorStudy, type Study, type TensorStudy } from '../study/study.js';
import { codeOf, inC, numpy, rtl } from '../words/code.js';
import { declareCode, declareKernel } from '../words/fixes.js';
import { decidingSentence } from '../words/parts.js';
import { decidingValue } from './deciding.js';

declare module '../finding/evidence.js' {
  interface CauseEvidence {
    'pool-rounding': SomeChannels &
      AnotherRule & {
        /** Rounded in steps of the input, before it is brought to the output's scale. */
        readonly in_steps_of?: 'input';
        /** How, where not to nearest by the real number. */
        readonly then?: string;
        /** What is divided, where it is no sum of centred codes. */
        readonly divides?: 'raw_codes' | 'rounded_sum';
        readonly declared_divides?: 'raw_codes';
        /** Sums are multiplied by 1 / count in so few bits. */
        readonly reciprocal_bits?: number;
        /** The declared step. */
        readonly declared?: string;
      };
  }
}

const MEAN = [numpy('q = np.rint(total / count)  # total: the sum of the window without zero points')];
const OF_RAW_CODES = [
  numpy('q = np.trunc((total + np.where(total > 0, 1, -1) * (count // 2)) / count)  # total: the sum of raw codes'),
  inC(
    'q = (total + (total > 0 ? count / 2 : -(count / 2))) / count;  /* int32_t total: of raw codes; int32_t count */',
  ),
  rtl('q = (total + (total > 0 ? COUNT / 2 : -(COUNT / 2))) / COUNT;  // integer COUNT; signed total: of raw codes'),
];
const RESCALED = [
  numpy('q = np.rint(total * x_scale / (y_scale * count)) + y_zero_point  # total: the sum of x - x_zero_point'),
];

/** Of a code, which is what a cast cuts. */
const CAST = 'trunc(v + zp)';
const RULES = ROUNDING_CAUSES.map(([round]) => round);
/** With fewer bits a reciprocal is another number, whatever it is rounded by; with so many it matters little how it was made. */
const ENOUGH_BITS = 15;
const RECIPROCALS = [6, 8, 10, 12, 15, 16].flatMap((bits) =>
  (bits < ENOUGH_BITS ? [halfEven, downward] : [halfEven]).flatMap((of) =>
    [halfUp, downward].map((last) => ({ bits, rule: reciprocalOf(bits, of, last) })),
  ),
);
/** Rules to which it matters where zero is; of the others a mean of raw codes is that of centred ones. */
const AROUND_ZERO: readonly MeanRule[] = [towardZero, halfAway, halfEven, HALF_COUNT_ADDED];

/** A mean over places rounded by another rule than the kernel's. */
export const poolRounding: Cause<'pool-rounding', 'tensor'> = {
  code: 'pool-rounding',
  kinds: ['tensor'],
  needs: [writesCodes, (study) => isTensorStudy(study) && formOf(study)?.is === 'mean'],
  whose: 'kernel',

  changes: (study) => [
    ...[...(isToEven({ declared: study.declared.steps.equation }) ? [] : [halfEven]), ...RULES].flatMap((round) =>
      scriptsRounding(study, round).map((steps) =>
        stepsChange('pool-rounding', 'round', steps, { rule: round.equation }),
      ),
    ),
    ...scriptsDividingCodes(study, HALF_COUNT_ADDED, false).map((steps) =>
      stepsChange('pool-rounding', 'round', steps, { rule: HALF_COUNT_ADDED.equation }),
    ),
    ...(countsPadding(study) ? [] : AROUND_ZERO).flatMap((round) =>
      scriptsDividingCodes(study, round, true).map((steps) =>
        stepsChange('pool-rounding', 'round', steps, { rule: round.equation, divides: 'raw_codes' }),
      ),
    ),
    ...[halfEven, ...RULES, halfDown, HALF_COUNT_ADDED].flatMap((round) =>
      scriptsRoundingMean(study, round, false).map((steps) =>
        stepsChange('pool-rounding', 'round', steps, { rule: round.equation, in_steps_of: 'input' }),
      ),
    ),
    ...(countsPadding(study) ? [] : AROUND_ZERO).flatMap((round) =>
      scriptsRoundingMean(study, round, true).map((steps) =>
        stepsChange('pool-rounding', 'round', steps, {
          rule: round.equation,
          in_steps_of: 'input',
          divides: 'raw_codes',
        }),
      ),
    ),
  ],

  parameterFree: true,
  // thirty rules more beside each other change would take the time of all pairs
  estimate: (study, base) =>
    base === study.declared && resemblesDeclared(study as Study)
      ? [
          ...byReciprocals(study),
          ...inTwoPasses(study),
          ...ofScaledSum(study),
          ...ofScripts(study),
          ...rescaledOtherwise(study),
        ].filter((change) => study.agreesOnSubset(change.apply(base)))
      : [],

  shows: ({ study, change, setup }) => {
    const { rule, divides, in_steps_of } = (change.found ?? {}) as CauseEvidence['pool-rounding'];
    if (rule === halfEven.equation || divides || in_steps_of) return true;
    return !isToNearest(study as TensorStudy, setup as TensorSetup);
  },

  evidence: (found) => {
    const { steps } = (found.study as TensorStudy).declared;
    const own: Pick<CauseEvidence['pool-rounding'], 'declared_divides'> = steps.ofRawCodes
      ? { declared_divides: 'raw_codes' }
      : {};
    return { deciding: decidingValue(found), declared: steps.equation, ...own };
  },

  words: {
    title: (e) => {
      if (e.divides === 'rounded_sum') return "sum rounded at the output's scale before it is divided";
      const rule = e.rule === undefined ? 'another rule' : printable(e.rule);
      const of = e.divides ? ' of raw codes' : '';
      const by = e.then === undefined ? '' : ` by ${printable(e.then)}`;
      return `mean rounded by ${rule}${of}${e.in_steps_of ? `, then brought to the output's scale${by}` : ''}`;
    },
    explanation: (e) =>
      e.divides === 'rounded_sum'
        ? "The sum of a window is brought to the output's scale and rounded, then divided by its count and rounded again (TFLite before 2.10); the reference rounds once."
        : e.in_steps_of
          ? "The mean of a window is an integer in steps of the input before it is brought to the output's scale; the reference rounds it once, there."
          : e.reciprocal_bits
            ? `Sums are multiplied by 1 / n as an integer of ${e.reciprocal_bits} bits of fraction, which is another number.`
            : 'The mean of a window is rounded to the nearest code; another rule, or another one for ties, moves it by one.',
    evidence: (e, context) => [
      decidingSentence(e.deciding, context),
      e.declared === undefined ? null : `${printable(context.declaredKernel)}: ${e.declared}`,
    ],
    fix: (e, context) => {
      if (context.subject !== 'candidate') return declareKernel(context);
      if (isRescaled(e))
        return "bring the sum of the window to the output's scale, s_x / (s_y * count), and round once";
      if (e.reciprocal_bits)
        return `divide by the count, or multiply by 1 / n with more bits (16 or more), and round as ${printable(context.declaredKernel)} does: ${e.declared}`;
      if (e.declared_divides)
        return 'add half the count to the sum of raw codes, away from zero, before it is divided (C and RTL: toward zero)';
      return isToEven(e)
        ? 'round the mean to nearest, ties to even (numpy: np.rint), not by an integer division'
        : `round the mean as ${printable(context.declaredKernel)} does`;
    },
    code: (e, context) => codeOf(linesOf(e), declareCode)(context),
  },
};

function byReciprocals(study: TensorStudy): TensorChange[] {
  return RECIPROCALS.flatMap(({ bits, rule }) =>
    (countsPadding(study) ? [false] : [false, true]).flatMap((raw) =>
      scriptsDividingCodes(study, rule, raw).map((steps) =>
        stepsChange('pool-rounding', 'round', steps, {
          rule: rule.equation,
          ...(bits < ENOUGH_BITS && { reciprocal_bits: bits }),
          ...(raw && { divides: 'raw_codes' as const }),
        }),
      ),
    ),
  );
}

function rescaledOtherwise(study: TensorStudy): TensorChange[] {
  return meansRescaled(study).map(({ rule, raw, then, steps }) =>
    stepsChange(
      'pool-rounding',
      'round',
      steps,
      { rule, in_steps_of: 'input', then, ...(raw && { divides: 'raw_codes' as const }) },
      true,
    ),
  );
}

function inTwoPasses(study: TensorStudy): TensorChange[] {
  return scriptsInTwoPasses(study).map(([rule, raw, steps]) =>
    stepsChange('pool-rounding', 'round', steps, { rule, ...(raw && { divides: 'raw_codes' as const }) }),
  );
}

function ofScaledSum(study: TensorStudy): TensorChange[] {
  return scriptsScalingSum(study).map((steps) =>
    stepsChange('pool-rounding', 'round', steps, { rule: steps.equation, divides: 'rounded_sum' }),
  );
}

/** A half that is added by hand, or its count less one before a shift; a count less one before a division; a cast with the zero point in it. */
function ofScripts(study: TensorStudy): TensorChange[] {
  const rules = [...halfRules(study).map(([round]) => round), upward, halfDown].map((round) => [round, false] as const);
  const casts = hasNegativeCodes(study.declared) ? [[towardZero, true] as const] : [];
  return [...rules, ...casts].flatMap(([round, zeroPointFirst]) =>
    scriptsRounding(study, round, zeroPointFirst).map((steps) =>
      stepsChange('pool-rounding', 'round', steps, { rule: zeroPointFirst ? CAST : round.equation }),
    ),
  );
}

type Evidence = Partial<CauseEvidence['pool-rounding']>;

/** Twice rounded, where the reference brings the sum to the output's scale and rounds once. */
const isRescaled = ({ in_steps_of, divides }: Evidence) => Boolean(in_steps_of) || divides === 'rounded_sum';

function linesOf(e: Evidence) {
  if (isRescaled(e)) return RESCALED;
  if (e.declared_divides) return OF_RAW_CODES;
  return isToEven(e) ? MEAN : [];
}

function isToEven({ declared }: Partial<CauseEvidence['pool-rounding']>): boolean {
  return declared === undefined || declared.includes('rint');
}
