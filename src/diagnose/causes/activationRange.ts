import { codesOf, type DynamicRange, quantizationOf, withRange } from '../../kernels/steps/dynamic.js';
import type { DynamicStep } from '../../nouns/kernel.js';
import { rangeOfRow } from '../../replay/layer.js';
import { printable } from '../../text.js';
import type { Cause } from '../cause.js';
import { dynamicChange } from '../departures.js';
import type { CauseEvidence, ChosenParams, QuantizedRange, SomeChannels } from '../evidence.js';
import { quantizesItsInput } from '../facts.js';
import type { ProductSetup } from '../setup.js';
import type { ProductStudy } from '../study/study.js';
import type { FixContext } from '../words/causeWords.js';
import { declareCode, declareKernel, reduceRangeCode, reduceRangeFix } from '../words/fixes.js';
import { precise } from '../words/parts.js';

declare module '../evidence.js' {
  interface CauseEvidence {
    'activation-range': SomeChannels & {
      /** The codes that a range is spread over, and what has a range of its own: a call of the runtime, or each of its rows. */
      readonly declared?: QuantizedRange;
      readonly found?: QuantizedRange;
      /** As the file says. */
      readonly reduce_range?: boolean;
      /** The first sample that differs by it, the range it belongs to, and what that makes of its input on both sides. */
      readonly sample?: number;
      readonly min?: number;
      readonly max?: number;
      readonly declared_params?: ChosenParams;
      readonly found_params?: ChosenParams;
    };
  }
}

/** A dynamic layer's input is spread over other codes (reduce_range or not), or row by row in place of batch by batch. */
export const activationRange: Cause<'activation-range', 'product'> = {
  code: 'activation-range',
  kinds: ['product'],
  needs: [quantizesItsInput],
  whose: 'kernel',

  changes: ({ declared, data, free }) => {
    const own = declared.steps.dynamic!;
    const known = new Set([quantizationOf(own, data.dynamic!.reduceRange)]);
    return RANGES.filter(({ codes }) => free || codes !== 'symmetric').flatMap((range) => {
      const quantization = quantizationOf(withRange(own, range), data.dynamic!.reduceRange);
      if (known.has(quantization)) return [];
      known.add(quantization);
      return [dynamicChange('activation-range', `${range.codes}, ${range.grain}`, (step) => withRange(step, range))];
    });
  },

  evidence: ({ study, setup, without }) => ({
    declared: rangeIn(study, without),
    found: rangeIn(study, setup),
    reduce_range: study.data.dynamic!.reduceRange,
    ...batchOf(study, without, setup),
  }),

  words: {
    title: ({ declared, found }) => {
      if (!declared || !found) return 'input quantized over another range';
      const grain = found.grain === declared.grain ? null : { row: 'row by row', batch: 'call by call' }[found.grain];
      const codes = found.codes.join() === declared.codes.join() ? null : `over ${found.codes.join('..')}`;
      return `input quantized ${[codes, grain].filter(Boolean).join(', ')}${codes ? `, not ${declared.codes.join('..')}` : ''}`;
    },
    explanation:
      'A dynamic layer takes the scale of its input from what it reads: the range of a call, spread over the codes.',
    evidence: (e) => [rangeSentence(e)],
    fix: rangeFix,
    code: (_, context) =>
      context.subject === 'candidate'
        ? []
        : context.foundKernel !== context.declaredKernel
          ? declareCode(context)
          : reduceRangeCode(context),
  },
};

const RANGES: readonly DynamicRange[] = (['batch', 'row'] as const).flatMap((grain) =>
  (['8 bits', '7 bits', 'symmetric'] as const).map((codes) => ({ grain, codes })),
);

type Range = NonNullable<CauseEvidence['activation-range']['found']>;

function rangeIn({ data }: ProductStudy, { steps }: ProductSetup): Range {
  const { grain } = steps.dynamic!;
  return { codes: codesOf(steps.dynamic!, data.dynamic!.reduceRange), grain };
}

/** What the first samples that differ by it were quantized with, on both sides. */
function batchOf(study: ProductStudy, without: ProductSetup, setup: ProductSetup): CauseEvidence['activation-range'] {
  const { subset, engine, data } = study;
  const [before, after] = [engine.inputParams(without, subset), engine.inputParams(setup, subset)];
  const row = before.findIndex((p, i) => p.scale !== after[i].scale || p.zeroPoint !== after[i].zeroPoint);
  if (row < 0) return {};
  const sample = subset.samples[row];
  const { min, max } = isByRow(setup.steps.dynamic!)
    ? rowRange(study, row)
    : data.dynamic!.rangeOf(data.dynamic!.batchOf(sample));
  const paramsOf = ({ scale, zeroPoint }: { scale: number; zeroPoint: number }) => ({ scale, zero_point: zeroPoint });
  return { sample, min, max, declared_params: paramsOf(before[row]), found_params: paramsOf(after[row]) };
}

function isByRow({ grain }: DynamicStep): boolean {
  return grain === 'row';
}

function rowRange({ subset }: ProductStudy, row: number) {
  const [{ cols, data }] = subset.inputs;
  return rangeOfRow(data.subarray(row * cols, (row + 1) * cols));
}

/** What has to be another: the kernel, the file's reduce_range, the capture's calls. */
function rangeFix(e: Partial<CauseEvidence['activation-range']>, context: FixContext): string | null {
  const { declared, found } = e;
  if (context.subject === 'candidate') {
    const codes = declared && `${declared.codes.join('..')}, as ${printable(context.declaredKernel)} does`;
    return declared?.grain === 'batch' && found?.grain === 'row'
      ? `take one range over all rows of a call, spread over ${codes}`
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
  const whose =
    found?.grain === 'row' && declared?.grain === 'batch' ? `sample ${sample}` : `the call of sample ${sample}`;
  return `range of ${whose}: ${precise(min)} .. ${precise(max)}: declared ${params(before)}; found ${params(after)}`;
}
