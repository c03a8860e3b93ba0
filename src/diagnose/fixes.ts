import type { DiagnosisReport } from '../nouns/report.js';

type Fixed = Pick<DiagnosisReport, 'fix' | 'rehearsal' | 'fixes'>;

/** What would make both sides agree: this side's own fix first, then what others can do instead. */
export function fixed(
  subject: DiagnosisReport['subject'],
  fix: string | null,
  rehearsal: DiagnosisReport['rehearsal'],
  others: DiagnosisReport['fixes'] = [],
): Fixed {
  const own = fix === null ? [] : [{ subject, text: fix, rehearsal }];
  return { fix, rehearsal, fixes: [...own, ...others] };
}
