import { isQuantized, type QuantParams } from '../../nouns/value.js';
import { counted, precise } from '../../text.js';
import { hasCases, tellsNumber } from '../alternatives/cases.js';
import { byOtherScales } from '../alternatives/scalesInMultipliers.js';
import { formOf } from '../alternatives/tensorSteps.js';
import type { Cause } from '../cause.js';
import { contains, type Interval } from '../estimate/interval.js';
import { byFactor, factorOfCodes } from '../estimate/rescaledCodes.js';
import { bisected, type Line, sharedInterval, sharedIntervals } from '../estimate/scalar.js';
import { inputsScaleIn, isNoise, isTiny, movesTiesOnly, roundIn, scalesIn } from '../estimate/scales.js';
import type { View } from '../estimate/view.js';
import { convertsIn, writesCodes } from '../facts.js';
import type { CauseEvidence, FoundParameter, SomeChannels } from '../finding/evidence.js';
import { type Change, FREEDOM, withOutput } from '../setup.js';
import { isProductStudy, isTensorStudy, type Study, type TensorStudy } from '../study/study.js';
import { inC, rtl, scaleLine } from '../words/code.js';
import { foundFix } from '../words/fixes.js';
import { foundSentence, operands } from '../words/parts.js';
import { isFactor } from './inputScaleWrong.js';

declare module '../finding/evidence.js' {
  interface CauseEvidence {
    /** shift: of a candidate, whose results are 2^shift times as large. */
    'output-scale-wrong': SomeChannels &
      Partial<FoundParameter> & {
        readonly shift?: number;
        /** Results are not divided by it. */
        readonly left_out?: true;
        /** Operands of a product, whose scales move all values as this one does. */
        readonly or_inputs?: readonly number[];
      };
  }
}

/** Fewer values are given by a multiplier of some bits, whatever the scale is. */
const MANY_VALUES = 16;

/** The output's scale is another than the file says: every real value before rounding is off by one factor. */
export const outputScaleWrong: Cause<'output-scale-wrong'> = {
  code: 'output-scale-wrong',
  kinds: ['product', 'elementwise', 'tensor'],
  needs: [writesCodes, (study) => convertsIn(study.declared) || study.free],
  whose: 'model',

  changes: (study) => {
    const { output } = study.declared.params;
    if (!isQuantized(output) || output.scale === 1 || !convertsIn(study.declared)) return [];
    const leftOut = {
      cause: 'output-scale-wrong',
      coordinate: 'y_scale',
      freedom: FREEDOM.none,
      label: 'left out',
      found: { declared: output.scale, found: 1, left_out: true },
    } as const;
    if (isProductStudy(study)) return byOtherScales(study, { output: 1 }, leftOut) as Change[];
    // of several operands, whose results have a scale of their own
    const ofSeveral = isTensorStudy(study) && study.declared.reads.length > 1 && formOf(study)?.value;
    return study.free && (ofSeveral || study.declared.kind === 'elementwise')
      ? [{ ...leftOut, apply: (setup) => withOutput(setup, { scale: 1 }) }]
      : [];
  },

  afterSums: true,
  estimate: (study, base) => {
    const { output } = base.params;
    if (!isQuantized(output) || !tellsNumber(study)) return [];
    if (!convertsIn(base)) return base === study.declared ? ofClamped(study, output) : [];
    // v scales with 1 / s_y: factor = declared / found; bounds are those without a second value
    const line = (view: View): Line =>
      view.curved
        ? { slope: (i) => view.curved!.reals[i], offset: () => 0, bounds: view.curved }
        : {
            slope: (i, n) => view.acc[i] * view.stepsPerUnit[n] + view.biasSteps[n] + (view.added?.[i] ?? 0),
            offset: (i) => -(view.added?.[i] ?? 0),
            slack: view.ofLargerScales,
          };
    const intervals = sharedIntervals(study, base, line);
    const factor = intervals && sharedInterval(intervals);
    if (!factor || factor.lo <= 0) return [];
    const interval = { lo: output.scale / factor.hi, hi: output.scale / factor.lo };
    if (movesTiesOnly(interval, output.scale)) return [];
    const exactly = bisected(study, base, line, factor, (own) => withOutput(base, { scale: output.scale / own }));
    const halved = exactly === null ? [] : [Math.fround(output.scale / exactly), output.scale / exactly];
    const shift = study.free ? shiftIn(interval, output.scale) : null;
    const shifted = shift === null ? [] : [output.scale / 2 ** shift];
    const inputs = inputsScaleIn(base, interval);
    return [...new Set([...shifted, ...inputs, ...roundIn(interval), ...halved, ...scalesIn(interval)])]
      .filter((scale) => !isNoise(scale, output.scale))
      .map((scale): Change => {
        const found = { declared: output.scale, found: scale, interval: [interval.lo, interval.hi] as const };
        return {
          cause: 'output-scale-wrong',
          coordinate: 'y_scale',
          freedom: FREEDOM.oneNumber,
          tiny: isTiny(scale, output.scale),
          label: String(scale),
          found: {
            ...found,
            ...(shift !== null && scale === shifted[0] && { shift }),
            ...(inputs.includes(scale) && { of_input: true as const }),
          },
          apply: (setup) => withOutput(setup, { scale }),
        };
      });
  },

  evidence: ({ study, change }) => {
    const factors = isTensorStudy(study) ? factorsOf(study) : [];
    const { shift } = (change.found ?? {}) as CauseEvidence['output-scale-wrong'];
    return shift === undefined && factors.length > 0 ? { or_inputs: factors } : {};
  },

  // of few values a multiplier of some bits is one of many, and a scale may make a shift of any
  twinsOf: (study, { cause, found }) => {
    const { bits } = (found ?? {}) as CauseEvidence['multiplier-short'];
    const isOpen = cause === 'multiplier-short' && (!hasCases(study, MANY_VALUES) || isShift(study, bits));
    return isOpen ? (outputScaleWrong.estimate?.(study, study.declared, false) ?? []) : [];
  },

  words: {
    title: (e) =>
      e.left_out
        ? 'output scale left out'
        : e.shift
          ? `shifted right by ${bits(e.shift)}`
          : e.of_input
            ? "the input's scale in place of the output's"
            : `wrong output scale${e.or_inputs ? ", or an input's" : ''}`,
    explanation: (e) =>
      e.left_out
        ? 'Results are not divided by the scale of the output: as if a step of it were 1.'
        : e.shift
          ? `Every result is ${2 ** Math.abs(e.shift)} times as ${e.shift > 0 ? 'large' : 'small'}: a shift off by ${Math.abs(e.shift)}, or another output scale.`
          : e.or_inputs
            ? `Every result is off by one factor: the scale of the output, or of ${operands(e.or_inputs)}, is another than the file says.`
            : "The output's scale is another than the file says.",
    ofOneLayer: true,
    evidence: (e) => [foundSentence('output scale', e)],
    fix: (e, context) =>
      e.left_out
        ? `divide by the output scale ${precise(e.declared ?? 1)}`
        : e.shift
          ? `shift by ${Math.abs(e.shift)} ${e.shift > 0 ? 'more' : 'less'}; with a multiplier in float, ${foundFix('output scale')(e, context)}`
          : e.or_inputs && context.subject === 'candidate'
            ? `multiply by the declared scales of ${operands(e.or_inputs)}, and divide by that of the output`
            : foundFix('output scale')(e, context),
    code: (e, context) => {
      if (e.or_inputs && context.subject === 'candidate') return [];
      const lines = scaleLine('output', 'scale', 'y_scale', e, context);
      if (!e.shift) return lines;
      const s = `(S ${e.shift > 0 ? '+' : '-'} ${Math.abs(e.shift)})`;
      const rounded = (one: string) => `(v + (${one} << (${s} - 1)))`;
      return [
        ...lines.slice(0, 1),
        inC(`q = ${rounded('INT64_C(1)')} >> ${s};  /* S: your shift as it is now */`),
        rtl(`q = ${rounded("64'sd1")} >>> ${s};  // S: your shift as it is now; all signed`),
      ];
    },
  },
};

/** A clamp keeps its input's scale: what is not kept is brought to another behind it. */
function ofClamped(study: Study, output: QuantParams): Change[] {
  const factor = factorOfCodes(study);
  if (!factor) return [];
  const interval = { lo: output.scale / factor.hi, hi: output.scale / factor.lo };
  return scalesIn(interval).map((found) => ({
    cause: 'output-scale-wrong',
    coordinate: 'y',
    freedom: FREEDOM.oneNumber,
    label: String(found),
    found: { declared: output.scale, found, interval: [interval.lo, interval.hi] },
    apply: byFactor(output, output.scale / found),
  }));
}

/** Of whole values: of sums each channel has its own. */
function isShift(study: Study, bits: number | undefined): boolean {
  return isTensorStudy(study) && bits === 1;
}

function factorsOf(study: TensorStudy): number[] {
  const { declared } = study;
  const { inputs } = declared.params;
  if (inputs.length < 2 || !formOf(study)?.value) return [];
  return inputs.flatMap((own, input) => (isQuantized(own) && isFactor(study, declared, input) ? input : []));
}

const MOST_BITS = 8;

/** By how many bits a shift is off, where no other number is as near; null: it is not that. */
function shiftIn({ lo, hi }: Interval, declared: number): number | null {
  const bits = Math.log2(declared / ((lo + hi) / 2));
  const whole = Math.floor(bits + 0.5);
  if (whole === 0 || Math.abs(whole) > MOST_BITS) return null;
  return contains({ lo, hi }, declared / 2 ** whole) && hi / lo < 1.01 ? whole : null;
}

function bits(shift: number): string {
  return `${counted(Math.abs(shift), 'bit')} too ${shift > 0 ? 'few' : 'many'}`;
}
