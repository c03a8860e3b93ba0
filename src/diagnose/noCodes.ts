/** Observed values that no code of the output has: what was taken before it was requantized, or is not clamped. */
import { int32BiasFloat64 } from '../kernels/steps/bias.js';
import { isQuantized } from '../nouns/value.js';
import { furthestOf } from '../numeric/extremes.js';
import { countWhere } from './causes/count.js';
import type { CauseEvidence } from './evidence.js';
import { observedRange } from './study/observedRange.js';
import { isProductStudy, type ProductStudy, type Study } from './study/study.js';

type NoCodes = NonNullable<CauseEvidence['unexplained']['no_codes']>;

/** Of those that were looked at; null where all of them are codes. */
export function noCodesIn(study: Study): NoCodes | null {
  const { output } = study.declared.params;
  const { observed } = study.subset;
  if (!isQuantized(output)) return null;
  const { quantMin, quantMax } = output;
  const [least, most] = observedRange(study);
  if (least >= quantMin && most <= quantMax) return null;
  const values = countWhere(observed, (value) => value < quantMin || value > quantMax);
  const are = isProductStudy(study) ? sumsIn(study) : null;
  const furthest = observed[furthestOf(observed)];
  return { values, of: observed.length, range: [quantMin, quantMax], furthest, ...(are && { are }) };
}

/** Whether all of them are the layer's sums, without the bias or with it. */
function sumsIn({ engine, declared, subset, channels }: ProductStudy): 'sums' | 'sums-and-bias' | null {
  const sums = engine.accumulator(declared, subset);
  const { observed } = subset;
  if (observed.every((value: number, i: number) => value === sums[i])) return 'sums';
  const bias = int32BiasFloat64.prepare(declared.params);
  if (bias.unit !== 'int32') return null;
  const isWithBias = observed.every((value: number, i: number) => value === sums[i] + bias.values[i % channels]);
  return isWithBias ? 'sums-and-bias' : null;
}
