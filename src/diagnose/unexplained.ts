import type { DiagnosisReport } from '../nouns/report.js';
import type { CauseEvidence, Evidence } from './evidence.js';
import { fixed } from './fixes.js';
import type { Side } from './study.js';

/** Nothing is named: no value of `of` is explained. */
export function unexplainedReport(
  side: Side,
  of: number,
  unexplained: CauseEvidence['unexplained'],
  basis: Evidence['basis'],
): DiagnosisReport {
  return {
    causes: ['unexplained'],
    subject: side,
    kernel: null,
    explained: 0,
    of,
    lost: 0,
    explained_by: [],
    indistinguishable: [],
    evidence: { unexplained, basis },
    ...fixed(side, null, null),
  };
}
