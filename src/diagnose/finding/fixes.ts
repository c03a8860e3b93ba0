/** What would make two sides agree: ways out of a finding, each rehearsed by itself by a replay. */

import { causeOf } from '../registry.js';
import type { Hypothesis } from '../search/ranking.js';
import { applyChanges, type Change, type ProductSetup } from '../setup.js';
import { isProductStudy, type ProductStudy, type Study } from '../study/study.js';
import type { FixContext, Snippet } from '../words/causeWords.js';
import { type Remedy, saturationWays } from '../words/saturation.js';
import type { Fix } from './fixed.js';
import { rehearseReducedRange, rehearseSmallWeights, rehearseSums } from './rehearse.js';
import { candidateCode, candidateFix, codeFor, fixFor } from './sentences.js';

/** A candidate's is rehearsed where the other side's values are known. */
export async function fixesOf(study: Study, hypothesis: Hypothesis, context: FixContext): Promise<Fix[]> {
  const named = hypothesis.changes.filter(({ unnamed }) => !unnamed);
  const names = [...new Set(named.map(({ cause }) => cause))];
  if (context.subject === 'candidate') {
    const text = candidateFix(names, context);
    return text === null
      ? []
      : [withCode({ subject: 'candidate', text, rehearsal: null }, candidateCode(names, context))];
  }
  const fixes = [...(await saturationFixes(study, hypothesis, context))];
  for (const subject of ['capture', 'model'] as const) {
    const own = named.filter((change) => subjectOf(change) === subject);
    const causes = [...new Set(own.map(({ cause }) => cause))].filter(
      (cause) => cause !== 'int16-saturation' || !saturates(context),
    );
    const text = fixFor(causes, { ...context, subject });
    if (text === null) continue;
    const rehearsal = await rehearsed(study, hypothesis, own);
    fixes.push(withCode({ subject, text, rehearsal }, codeFor(causes, { ...context, subject })));
  }
  return changing(fixes, study.data.mismatched);
}

function withCode(fix: Fix, code: readonly Snippet[]): Fix {
  return code.length === 0 ? fix : { ...fix, code: [...code] };
}

/** A way that leaves every value as it was is none; what leaves least comes first. */
function changing(fixes: readonly Fix[], mismatched: number): Fix[] {
  const left = ({ rehearsal }: Fix) => rehearsal?.mismatched_after_fix ?? 0;
  const helping = fixes.filter((fix) => left(fix) < mismatched);
  if (helping.length > 0 || fixes.length === 0) return helping;
  // each needs the other
  const text = fixes.map((fix) => fix.text).join('. Also: ');
  const code = fixes.flatMap((fix) => fix.code ?? []);
  return [withCode({ subject: fixes[0].subject, text, rehearsal: { mismatched_after_fix: 0 } }, code)];
}

export function subjectOf({ cause }: Change): 'capture' | 'model' {
  return causeOf(cause).whose === 'model' ? 'model' : 'capture';
}

/** The declared layer with some of the changes, against the capture. */
async function rehearsed(study: Study, { changes }: Hypothesis, own: readonly Change[]): Promise<Fix['rehearsal']> {
  if (own.length === changes.length) return { mismatched_after_fix: 0 };
  if (own.some(({ coordinate }) => coordinate === 'rows')) return null;
  const [{ mismatched }] = await study.outcomes([applyChanges(study.declared, own)]);
  return { mismatched_after_fix: mismatched };
}

const REHEARSALS: Readonly<
  Record<Remedy, (study: ProductStudy, found: ProductSetup, declared: ProductSetup) => Promise<number>>
> = {
  'seven-bit-activations': rehearseReducedRange,
  'seven-bit-weights': rehearseSmallWeights,
  'exact-sums': rehearseSums,
};

/** The judged side does, not the declared kernel. */
function saturates({ evidence }: FixContext): boolean {
  return !evidence['int16-saturation']?.exact;
}

/** The capture taken again, another way: by what then still differs from the declared replay. */
async function saturationFixes(study: Study, { changes }: Hypothesis, context: FixContext): Promise<Fix[]> {
  const isFound = changes.some(({ cause }) => cause === 'int16-saturation') && saturates(context);
  if (!isFound || !isProductStudy(study)) return [];
  const fixes: Fix[] = [];
  for (const { remedy, text, code } of saturationWays(context)) {
    const left = changes.filter(({ cause }) => remedy !== 'exact-sums' || cause !== 'int16-saturation');
    const found = applyChanges(study.declared, left);
    const mismatched = await REHEARSALS[remedy](study, found, study.declared);
    fixes.push(withCode({ subject: 'capture', text, rehearsal: { mismatched_after_fix: mismatched } }, code));
  }
  return fixes;
}
