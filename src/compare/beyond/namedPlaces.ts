/** A layer whose values are right but stand in, or were taken from, other places: named without the search. */
import type { CauseCode, Evidence } from '../../diagnose/finding/evidence.js';
import type { LayerDiagnosis } from '../../diagnose/finding/explanation.js';
import type { DiagnosisReport } from '../../nouns/report.js';
import type { AskedOfPlaces } from '../candidate/readings.js';
import { named } from './named.js';

/** All that differs, under the kernel that was replayed. */
export function namedPlaces(
  { reading: { run, diff }, model, subject }: AskedOfPlaces,
  causes: readonly CauseCode[],
  evidence: Evidence,
  rehearsal: DiagnosisReport['rehearsal'] = null,
): LayerDiagnosis {
  const { name: kernel } = run.kernel;
  const report = named({
    layer: run.ready.layer,
    subject,
    producer: model.producer,
    declaredKernel: kernel,
    kernel,
    explainedBy: [kernel],
    causes: [...causes],
    evidence,
    explained: diff.mismatched,
    of: diff.mismatched,
    hasFix: true,
    rehearsal,
  });
  return { report, byChannel: new Map(), changes: [] };
}
