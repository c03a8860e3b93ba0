import { codesOf, type DynamicRange, quantizationOf, withRange } from '../../kernels/steps/dynamic.js';
import type { DynamicStep } from '../../nouns/kernel.js';
import { rangeOfRow } from '../../replay/layer.js';
import type { Cause } from '../cause.js';
import { dynamicChange } from '../departures.js';
import type { CauseEvidence } from '../evidence.js';
import { quantizesItsInput } from '../facts.js';
import type { ProductSetup } from '../setup.js';
import type { ProductStudy } from '../study/study.js';

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
