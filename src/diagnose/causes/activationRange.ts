import { codesOf } from '../../kernels/steps/dynamic.js';
import type { FormulaName } from '../../kernels/steps/rangeFormulas.js';
import type { RangeGrain } from '../../nouns/chosenRange.js';
import type { DynamicStep } from '../../nouns/kernel.js';
import { precise, printable } from '../../text.js';
import { distinctRanges, OF_CALLS, ofSamples, ofScripts, RANGES, rangeChange } from '../alternatives/ranges.js';
import type { Cause } from '../cause.js';
import { quantizesItsInput } from '../facts.js';
import type { CauseEvidence, ChosenParams, QuantizedRange, SomeChannels } from '../finding/evidence.js';
import type { ProductSetup } from '../setup.js';
import { rangesOfRows } from '../study/rangesOfRows.js';
import type { ProductStudy } from '../study/study.js';
import type { FixContext } from '../words/causeWords.js';
import { declareCode, declareKernel, reduceRangeCode, reduceRangeFix } from '../words/fixes.js';

declare module '../finding/evidence.js' {
  interface CauseEvidence {
    'activation-range': SomeChannels & {
      /** The codes that a range is spread over, and what has a range of its own: a call of the runtime, or each of its rows. */
      readonly declared?: QuantizedRange;
      readonly found?: QuantizedRange;
      /** As the file says. */
      readonly reduce_range?: boolean;
      /** Of a layer whose scale is the file's: what each sample's was made of in its place. */
      readonly scale_of?: string;
      /** The first sample that differs by it, the range it belongs to, and what that makes of its input on both sides. */
      readonly sample?: number;
      readonly min?: number;
      readonly max?: number;
      readonly declared_params?: ChosenParams;
      readonly found_params?: ChosenParams;
    };
  }
}

/** A dynamic layer's input is spread over other codes (reduce_range or not), by another formula, or with the range of other values. */
export const activationRange: Cause<'activation-range', 'product'> = {
  code: 'activation-range',
  kinds: ['product'],
  needs: [quantizesItsInput],
  whose: 'kernel',

  changes: (study) => {
    const ranges = RANGES.filter(({ codes }) => study.free || codes !== 'symmetric');
    return distinctRanges(study, [...ranges, ...ofSamples(study)]).map(rangeChange);
  },

  // what only a script does: on the declared arithmetic or a script's, but beside nothing else
  estimate: (study, base) => {
    const { codes, grain } = study.declared.steps.dynamic!;
    const isOther = base.params !== study.declared.params || base.steps.dynamic!.grain !== grain;
    if (!study.free || isOther || base.steps.dynamic!.codes !== codes || base.patches) return [];
    return ofScripts(study, [grain])
      .map(rangeChange)
      .filter((one) => study.agreesOnSubset(one.apply(base)));
  },

  evidence: ({ study, setup, without }) => ({
    declared: rangeIn(study, without),
    found: rangeIn(study, setup),
    reduce_range: study.data.dynamic!.reduceRange,
    ...batchOf(study, without, setup),
  }),

  words: {
    title: ({ declared, found, scale_of }) => {
      if (scale_of !== undefined) return "each sample quantized by its own range, not with the file's scale";
      if (!declared || !found) return 'input quantized over another range';
      const grain = found.grain === declared.grain ? null : GRAINS[found.grain];
      if (found.formula) return [FORMULAS[found.formula](declared), grain].filter(Boolean).join(', ');
      const codes = found.codes.join() === declared.codes.join() ? null : `over ${found.codes.join('..')}`;
      return `input quantized ${[codes, grain].filter(Boolean).join(', ')}${codes ? `, not ${declared.codes.join('..')}` : ''}`;
    },
    explanation: (e) =>
      e.scale_of === undefined
        ? 'A dynamic layer takes the scale of its input from what it reads: the range of a call, spread over the codes.'
        : 'The file has one scale and zero point for all samples; layers after it read codes of any other as other numbers.',
    evidence: (e) => [
      e.scale_of === undefined ? null : `scale: ${printable(e.scale_of)} of each sample`,
      rangeSentence(e),
    ],
    fix: rangeFix,
    code: (_, context) =>
      context.subject === 'candidate'
        ? []
        : context.foundKernel !== context.declaredKernel
          ? declareCode(context)
          : reduceRangeCode(context),
  },
};

const GRAINS: Readonly<Record<RangeGrain, string>> = {
  row: 'row by row',
  batch: 'call by call',
  sample: 'sample by sample',
  step: 'step by step',
  all: 'over the range of all calls',
  first: 'over the range of the first call',
  previous: 'over the range of the call before',
  running: 'over the range of all calls so far',
};

type Words = (declared: QuantizedRange) => string;

const FORMULAS: Readonly<Record<FormulaName, Words>> = {
  withoutZero: () => 'input quantized over a range that need not hold 0',
  withoutZeroClamped: () => 'input quantized over a range that need not hold 0, its zero point clamped',
  asymmetric: () => 'input quantized with a zero point, over its whole range',
  oneLevelMore: levels(1),
  oneLevelLess: levels(-1),
  zeroPointCut: () => 'zero point of the input cut off, not rounded',
  noZeroPoint: () => 'input quantized without its zero point, what is negative to 0',
  middleZeroPoint: () => "input's zero point always the middle code, whatever the range",
  aroundZero: () => 'input quantized over a range as far below 0 as above it',
  float16: () => "input's scale kept in float16",
  float16Afterwards: () => "input's scale kept in float16, its zero point of the full one",
  bfloat16: () => "input's scale kept in bfloat16",
  powerOfTwo: () => "input's scale raised to a power of two",
  powerOfTwoAfterwards: () => "input's scale raised to a power of two, its zero point of the full one",
  nearestPowerOfTwo: () => "input's scale rounded to a power of two",
  symmetric127: symmetrically('127'),
  symmetric127And5: symmetrically('127.5'),
  symmetric128: symmetrically('128'),
  symmetricFloat16: symmetrically('127 in float16'),
  symmetricPowerOfTwo: symmetrically('127, raised to a power of two'),
};

function levels(more: number): Words {
  return ({ codes: [lo, hi] }) => `input's range divided by ${hi - lo + more}, not ${hi - lo}`;
}

function symmetrically(by: string): Words {
  return () => `input quantized without a zero point, its scale the largest size / ${by}`;
}

type Range = NonNullable<CauseEvidence['activation-range']['found']>;

function rangeIn({ data }: ProductStudy, { steps }: ProductSetup): Range {
  const { grain, formula } = steps.dynamic!;
  const name = formula?.name as FormulaName | undefined;
  return { codes: codesOf(steps.dynamic!, data.dynamic!.reduceRange), grain, ...(name && { formula: name }) };
}

/** What the first samples that differ by it were quantized with, on both sides. */
function batchOf(study: ProductStudy, without: ProductSetup, setup: ProductSetup): CauseEvidence['activation-range'] {
  const { subset, engine } = study;
  const [before, after] = [engine.inputParams(without, subset), engine.inputParams(setup, subset)];
  const row = before.findIndex((p, i) => p.scale !== after[i].scale || p.zeroPoint !== after[i].zeroPoint);
  if (row < 0) return {};
  const sample = subset.samples[row];
  const { min, max } = rangeAt(study, setup.steps.dynamic!, row);
  const paramsOf = ({ scale, zeroPoint }: { scale: number; zeroPoint: number }) => ({ scale, zero_point: zeroPoint });
  return { sample, min, max, declared_params: paramsOf(before[row]), found_params: paramsOf(after[row]) };
}

function rangeAt({ data, subset }: ProductStudy, step: DynamicStep, row: number) {
  for (const { first, rows, range } of rangesOfRows(data.dynamic!, step, subset)) if (row < first + rows) return range;
  throw new Error('no row of the subset');
}

/** What has to be another: the kernel, the file's reduce_range, the capture's calls. */
function rangeFix(e: Partial<CauseEvidence['activation-range']>, context: FixContext): string | null {
  const { declared, found } = e;
  if (e.scale_of !== undefined) return "quantize every sample with the file's scale and zero point";
  if (context.subject === 'candidate') {
    const kernel = printable(context.declaredKernel);
    const own = found?.grain === declared?.grain ? null : declared?.grain;
    if (found?.formula)
      return `choose the input's scale and zero point as ${kernel} does${own ? `, of each ${own === 'row' ? 'row' : 'call'}` : ''}`;
    if (found && OF_CALLS.includes(found.grain)) return 'take the range of each call from what that call reads';
    const codes = declared && `${declared.codes.join('..')}, as ${kernel} does`;
    if (declared?.grain === 'row')
      return `take a range of its own for each row, or image of a convolution, spread over ${codes}`;
    return found?.grain === 'row' || found?.grain === 'sample'
      ? `take one range over all rows of a call, spread over ${codes}`
      : found?.grain === 'step'
        ? `take one range over all rows of a call, of every step, spread over ${codes}`
        : `spread the range of each call over ${codes ?? 'the declared codes'}`;
  }
  const kernel = context.foundKernel !== context.declaredKernel ? declareKernel(context) : null;
  const file = kernel === null ? reduceRangeFix(context) : null;
  const calls =
    found?.grain === 'row' && declared?.grain === 'batch'
      ? `each row was a call of its own: save "batch_sizes" with the capture (ones)`
      : null;
  return [kernel, file, calls].filter((text) => text !== null).join(', and ') || null;
}

/** "range of sample 0's call -3.2 .. 3.4: declared scale 0.05, zero point 61; found scale 0.025, zero point 123". */
function rangeSentence(e: Partial<CauseEvidence['activation-range']>): string | null {
  const { sample, min, max, declared, found, declared_params: before, found_params: after } = e;
  if (sample === undefined || !before || !after || min === undefined || max === undefined) return null;
  const params = (p: typeof before) => `scale ${precise(p.scale)}, zero point ${p.zero_point}`;
  const ofOne = (found?.grain === 'row' && declared?.grain === 'batch') || found?.grain === 'sample';
  const isOfCalls = found !== undefined && OF_CALLS.includes(found.grain);
  const whose = `${isOfCalls ? 'used for' : 'of'} ${ofOne || isOfCalls ? '' : `the ${found?.grain === 'step' ? 'step' : 'call'} of `}sample ${sample}`;
  return `range ${whose}: ${precise(min)} .. ${precise(max)}: declared ${params(before)}; found ${params(after)}`;
}
