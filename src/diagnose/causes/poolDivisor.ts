import { downward, halfAway, halfEven, halfUp, towardZero } from '../../kernels/steps/round.js';
import type { AveragePoolAttributes } from '../../nouns/attributes.js';
import { isQuantized } from '../../nouns/value.js';
import { roundHalfUp } from '../../numeric/round.js';
import { sizeOf } from '../../tensor/shape.js';
import { printable } from '../../text.js';
import { type MeanRule, scriptsDividingCodes, scriptsRoundingMean } from '../alternatives/meanRules.js';
import { countOf, formOf, scriptsDividedBy, stepsChange, variantChange } from '../alternatives/tensorSteps.js';
import type { Cause } from '../cause.js';
import { type Interval, widened } from '../estimate/interval.js';
import { sharedInterval, sharedIntervals } from '../estimate/scalar.js';
import type { View } from '../estimate/view.js';
import type { AnotherRule, FoundParameter, SomeChannels } from '../finding/evidence.js';
import { FREEDOM, type TensorChange } from '../setup.js';
import { isTensorStudy, type TensorStudy } from '../study/study.js';
import type { FixContext } from '../words/causeWords.js';
import { codeOf, numpy } from '../words/code.js';
import { decidingSentence, fileOf } from '../words/parts.js';
import { decidingValue } from './deciding.js';

declare module '../finding/evidence.js' {
  interface CauseEvidence {
    'pool-divisor': SomeChannels &
      AnotherRule & {
        /** What each sum is divided by, and what the file says; absent: windows differ. */
        readonly found?: number;
        readonly declared?: number;
        /** What is added, where it is no sum of centred codes. */
        readonly adds?: 'raw_codes';
        /** The result is an integer, in steps of the input, before it is scaled. */
        readonly rounded_before?: true;
      };
  }
}

/** Where a wider interval of counts holds an integer, it does by chance; wider than the second, another scale is as likely. */
const [WIDEST, SURE] = [0.2, 1 / 16];
/** Of an end: what halves an even count is a tie, on which it lies. */
const TIE = 1e-6;

/** In steps, by the sign of what is rounded; the others are down, and towards zero. */
const TO_NEAREST = () => 0;
const ROUNDED: readonly ((sign: number) => number)[] = [TO_NEAREST, () => -0.5, (sign) => -0.5 * sign];

/** What a shift divides by, in place of a count. */
const POWERS: readonly [rule: string, of: (count: number) => number][] = [
  ['the power of two below the count', (count) => 2 ** Math.ceil(Math.log2(count) - 1)],
  ['the power of two above the count', (count) => 2 ** Math.floor(Math.log2(count) + 1)],
];

/** How scripts make an integer of a mean of raw codes. */
const ROUNDS = [halfEven, halfAway, halfUp, downward, towardZero];

const NOT_DIVIDED: MeanRule = { equation: 'the sum', apply: (mean, count) => roundHalfUp(mean * count) };

/** Windows divided by another count, or not at all; on the border padding counted or not. */
export const poolDivisor: Cause<'pool-divisor', 'tensor'> = {
  code: 'pool-divisor',
  kinds: ['tensor'],
  needs: [(study) => isTensorStudy(study) && formOf(study)?.is === 'mean'],
  whose: 'model',

  changes: (study) => [
    ...(formOf(study)?.divisors?.(study.declared.params.attributes) ?? []).map((variant) =>
      variantChange('pool-divisor', 'multiplier', variant),
    ),
    ...[...POWERS, ...wholeWindow(study)].flatMap(([rule, of]) =>
      scriptsDividedBy(study, of).map((steps) => stepsChange('pool-divisor', 'multiplier', steps, { rule })),
    ),
    ...POWERS.flatMap(([rule, of]) => shiftedThenScaled(study, rule, of)),
    ...[...POWERS, ...wholeWindow(study)].flatMap(([rule, of]) => ofRawCodes(study, rule, of)),
    ...paddedWithZero(study),
    ...dividedBy(study, 1),
    ...scriptsDividingCodes(study, NOT_DIVIDED, true).map((steps) =>
      stepsChange('pool-divisor', 'multiplier', steps, { found: 1, adds: 'raw_codes' }),
    ),
  ],

  estimate: (study, base) => {
    const declared = study.free ? countOf(study) : null;
    if (declared === null) return [];
    return ROUNDED.flatMap((offset) => {
      const line = (view: View) => ({
        slope: (i: number) => view.acc[i] * view.stepsPerUnit[0],
        offset: (i: number) => offset(Math.sign(view.acc[i])),
      });
      const intervals = sharedIntervals(study, base, line);
      const factor = intervals && sharedInterval(intervals);
      if (!factor || factor.lo <= 0) return [];
      const counts = { lo: declared / factor.hi, hi: declared / factor.lo };
      // beside a rounding down a scale is looked for later
      const widest = offset === TO_NEAREST ? WIDEST : SURE;
      const rare = counts.hi - counts.lo > SURE;
      return wholeIn(counts, widest, declared).flatMap((found) =>
        dividedBy(study, found).map((own) => ({ ...own, rare })),
      );
    });
  },

  // a whole count gives what another scale does
  twinsOf: (study, { cause, found: of }) => {
    const count = study.free && cause === 'output-scale-wrong' ? countOf(study) : null;
    const { declared: scale, interval } = (of ?? {}) as Partial<FoundParameter>;
    if (count === null || !scale || !interval) return [];
    const [lo, hi] = interval.map((own) => (count * own) / scale);
    // a rounding beside it is in its steps
    const inItsPlace = (own: TensorChange): TensorChange => ({ ...own, coordinate: 'y_scale' });
    return wholeIn({ lo, hi }, 1, count).flatMap((found) => dividedBy(study, found).map(inItsPlace));
  },

  evidence: (found) => ({
    deciding: decidingValue(found),
    declared: countOf(found.study as TensorStudy) ?? undefined,
  }),

  words: {
    title: (e) => {
      if (e.found === 1) return `sums of windows${e.adds ? ', of raw codes,' : ''} are not divided`;
      if (e.found !== undefined) return `windows divided by ${e.found}, not by ${e.declared}`;
      const [, power] = POWERS.find(([rule]) => rule === e.rule) ?? [];
      if (power && e.declared !== undefined)
        return `windows divided by ${power(e.declared)}, ${e.rule}, not by ${e.declared}`;
      return `windows divided by another count${e.rule === undefined ? '' : `: ${printable(e.rule)}`}`;
    },
    explanation: (e) =>
      e.declared === undefined
        ? 'It matters what the sum is divided by, and on the border whether padding counts.'
        : `The mean of a window is its sum divided by ${e.declared}, the number of its values.`,
    ofOneLayer: true,
    evidence: (e, context) => [
      decidingSentence(e.deciding, context),
      e.adds && e.rule !== undefined ? 'sums are of raw codes, from which no zero point was taken' : null,
      e.rounded_before ? 'what is divided is rounded, and then brought to the scale of the output' : null,
    ],
    fix: (e, context) => {
      const fields = fieldsOf(context);
      const layer = printable(context.layer);
      if (context.subject !== 'candidate') return fields ? `correct ${fields} of ${layer} in ${fileOf(context)}` : null;
      if (e.declared !== undefined)
        return `divide the sum of each window by ${e.declared}${e.adds && e.rule !== undefined ? ', and round to nearest' : ''}`;
      return fields
        ? `divide as the file says: ${fields} of ${layer}`
        : 'divide by the number of values of the window that lie on the image';
    },
    code: (e, context) => {
      if (e.declared !== undefined)
        return codeOf([numpy(`mean = total / ${e.declared}  # total: the sum of the window without zero points`)])(
          context,
        );
      const count = fieldsOf(context) ? '(kh * kw if count_include_pad else inside)' : 'inside';
      return codeOf([numpy(`mean = total / ${count}  # inside: values of the window on the image`)])(context);
    },
  },
};

/** The one count that an interval holds, ties of sums at its ends; none where it is the declared one, or the interval wider. */
function wholeIn(interval: Interval, widest: number, declared: number): number[] {
  const { lo, hi } = widened(interval, TIE);
  const found = roundHalfUp((lo + hi) / 2);
  return hi - lo < widest && found >= lo && found <= hi && found > 1 && found !== declared ? [found] : [];
}

/** Every sum by one number. */
function dividedBy(study: TensorStudy, found: number): TensorChange[] {
  return scriptsDividedBy(study, () => found).map((steps) => ({
    ...stepsChange('pool-divisor', 'multiplier', steps, { found }),
    freedom: found === 1 ? FREEDOM.none : FREEDOM.oneNumber,
  }));
}

/** What a file says it with; null: it counts what lies on the image. */
function fieldsOf({ op, producer }: FixContext): string | null {
  if (!op.startsWith('avg_pool') || producer.file === 'tflite') return null;
  return producer.file === 'onnx' ? 'count_include_pad' : 'count_include_pad and divisor_override';
}

/**
 * One number where the file counts what lies on the image: what a shift divides by, in place of the kernel's size, and the size itself under a
 * runtime that has no option for it.
 */
function wholeWindow(study: TensorStudy): typeof POWERS {
  const size = sizeOfPadded(study);
  if (size === null) return [];
  const all = [...(study.declared.steps.ofRawCodes ? [size] : []), ...POWERS.map(([, of]) => of(size))];
  return [...new Set(all)].map((own) => [`always ${own}`, () => own] as const);
}

/** A shift that makes an integer of a sum, which is brought to the output's scale. */
function shiftedThenScaled(study: TensorStudy, rule: string, of: (count: number) => number): TensorChange[] {
  return [halfEven, halfUp, downward, towardZero].flatMap((round) => {
    const shifted: MeanRule = {
      equation: `${round.equation}, v = sum / (${rule})`,
      apply: (mean, count) => round.apply(roundHalfUp(mean * count) / of(count)),
    };
    return scriptsRoundingMean(study, shifted, false).map((steps) =>
      stepsChange('pool-divisor', 'multiplier', steps, { rule, rounded_before: true }),
    );
  });
}

/** Sums of codes as they are, shifted. */
function ofRawCodes(study: TensorStudy, rule: string, of: (count: number) => number): TensorChange[] {
  const [input] = study.declared.params.inputs;
  if (!isQuantized(input) || input.zeroPoint === 0) return [];
  return ROUNDS.flatMap((round) => {
    const shifted: MeanRule = {
      equation: `${round.equation}, v = sum / (${rule})`,
      apply: (mean, count) => round.apply(roundHalfUp(mean * count) / of(count)),
    };
    return scriptsDividingCodes(study, shifted, true).map((steps) =>
      stepsChange('pool-divisor', 'multiplier', steps, { rule, adds: 'raw_codes' }),
    );
  });
}

/** An image that a script pads with code 0, and counts, where the file counts what lies on the image. */
function paddedWithZero(study: TensorStudy): TensorChange[] {
  const size = sizeOfPadded(study);
  const [input] = study.declared.params.inputs;
  if (size === null || !isQuantized(input) || input.zeroPoint === 0) return [];
  const rule = `always ${size}, of an image padded with code 0`;
  return ROUNDS.flatMap((round) => {
    const mean: MeanRule = {
      equation: round.equation,
      apply: (mean, count) => round.apply(roundHalfUp(mean * count) / size),
    };
    return scriptsDividingCodes(study, mean, true).map((steps) =>
      stepsChange('pool-divisor', 'multiplier', { ...steps, equation: `${rule}: ${steps.equation}` }, { rule }),
    );
  });
}

/** How many cells windows have that reach over the border, where those on the image alone count. */
function sizeOfPadded({ declared }: TensorStudy): number | null {
  const { window, countIncludePad } = (declared.params.attributes ?? {}) as Partial<AveragePoolAttributes>;
  const isPadded = window?.padding.some((ends) => ends[0] + ends[1] > 0);
  return window && isPadded && countIncludePad !== true ? sizeOf(window.kernel) : null;
}
