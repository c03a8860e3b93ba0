import type { DiagnosisReport } from '../../nouns/report.js';

export type Fix = DiagnosisReport['fixes'][number];

/** Ways out of a finding as a report has them: the first is the one that is named. Apart from the search, which a start without a difference does not load. */
export function fixed(fixes: readonly Fix[]): Pick<DiagnosisReport, 'fix' | 'rehearsal' | 'fixes'> {
  const [first] = fixes;
  return { fix: first?.text ?? null, rehearsal: first?.rehearsal ?? null, fixes: [...fixes] };
}
