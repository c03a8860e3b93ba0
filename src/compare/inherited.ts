import { fixed } from '../diagnose/fixed.js';
import type { LayerReport } from '../nouns/report.js';

/** Exact on its own input; it differs only since its input does. */
export function inherited(report: LayerReport, kernel: string, from: string): LayerReport['diagnosis'] {
  return {
    causes: ['inherited'],
    subject: 'capture',
    kernel,
    explained: report.mismatched!,
    of: report.mismatched!,
    lost: 0,
    explained_by: [kernel],
    indistinguishable: [],
    evidence: { inherited: { from } },
    ...fixed([]),
  };
}
