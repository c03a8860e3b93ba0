/** Observed values that no code of the output has: what was taken before it was requantized, or is not clamped. */
import { scriptedInt32Bias } from '../../kernels/steps/bias.js';
import { isQuantized, type QuantParams } from '../../nouns/value.js';
import { furthestOf } from '../../numeric/extremes.js';
import { clamp, wrapInt8 } from '../../numeric/integer.js';
import { countWhere } from '../causes/count.js';
import type { CauseEvidence } from '../finding/evidence.js';
import type { Scope } from '../study/data.js';
import { observedRange } from '../study/observedRange.js';
import { isProductStudy, type ProductStudy, type Study } from '../study/study.js';

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
function sumsIn(study: ProductStudy): 'sums' | 'sums-and-bias' | null {
  return sumsThatAre(study, (sum, value) => value === sum);
}

const KEPT = ['low 8 bits', 'clamped'] as const;

/** Codes that are the sums after all: cast to a byte, or clamped to one, and perhaps through a ReLU. */
export function bytesOfSums(study: Study): NonNullable<CauseEvidence['unexplained']['bytes_of_sums']> | null {
  const { output } = study.declared.params;
  if (!isProductStudy(study) || !isQuantized(output) || !hasSeveral(study)) return null;
  const { quantMin, quantMax } = output;
  const least = (value: number) => Math.max(0, value);
  for (const kept of KEPT) {
    const byte = (sum: number) => (kept === 'clamped' ? clamp(sum, quantMin, quantMax) : wrapInt8(sum));
    const isByte = (sum: number, value: number) => ((value - byte(sum)) & 255) === 0;
    const are = sumsThatAre(study, kept === 'clamped' ? (sum, value) => value === byte(sum) : isByte);
    const areAfterRelu = are ?? sumsThatAre(study, (sum, value) => value === least(byte(sum)));
    if (areAfterRelu) return { are: areAfterRelu, kept };
  }
  return null;
}

const FEWEST_INSIDE = 8;

/** Of clamped bytes nothing is told. */
function hasSeveral({ declared, subset }: ProductStudy): boolean {
  const { quantMin, quantMax } = declared.params.output as QuantParams;
  const { observed } = subset;
  let inside = 0;
  for (let i = 0; i < observed.length && inside < FEWEST_INSIDE; i++)
    if (observed[i] !== 0 && observed[i] > quantMin && observed[i] < quantMax) inside++;
  return inside === FEWEST_INSIDE;
}

/** Whether each observed value follows from its sum, without the bias or with it; few refute nearly all. */
function sumsThatAre(
  { engine, declared, sketch, subset, channels }: ProductStudy,
  follows: (sum: number, value: number) => boolean,
): 'sums' | 'sums-and-bias' | null {
  const added = scriptedInt32Bias(declared.params);
  const areIn = (scope: Scope, beside: Int32Array | null) => {
    const [sums, observed] = [engine.accumulator(declared, scope), scope.observed];
    for (let i = 0; i < observed.length; i++)
      if (!follows(sums[i] + (beside ? beside[i % channels] : 0), observed[i])) return false;
    return true;
  };
  const are = (beside: Int32Array | null) => areIn(sketch, beside) && areIn(subset, beside);
  return are(null) ? 'sums' : added && are(added) ? 'sums-and-bias' : null;
}
