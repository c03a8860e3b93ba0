/** A candidate that takes each value from its own place, where the runtime of the capture is known not to. */
import { fixed } from '../../diagnose/finding/fixed.js';
import { elementwiseSteps } from '../../kernels/kernel.js';
import { clampDefect } from '../../kernels/steps/knownDefects.js';
import type { ValueReader } from '../../nouns/capture.js';
import type { Kernel } from '../../nouns/kernel.js';
import type { Layer } from '../../nouns/model.js';
import type { LayerReport } from '../../nouns/report.js';
import { diffReplay } from '../candidate/readings.js';
import type { OwnComparison } from '../comparison.js';

export async function explainsPlaces(
  comparison: OwnComparison,
  layer: Layer,
  report: LayerReport,
  { observed, zeroPoint }: { readonly observed: ValueReader; readonly zeroPoint: number | null },
): Promise<boolean> {
  const { chainedSession, session } = comparison;
  if (session.whyNotReplayed(layer)) return false;
  const { kernel, taken } = await session.open(layer);
  if (!taken) return false;
  for (const one of [chainedSession, session]) {
    if (one.whyNotReplayed(layer)) continue;
    const { mismatched } = await diffReplay(
      comparison,
      await one.open(layer, rightly(kernel, layer)),
      observed,
      zeroPoint,
    );
    if (mismatched > 0) continue;
    report.diagnosis = {
      causes: ['kernel-defect'],
      subject: 'capture',
      kernel: kernel.name,
      explained: report.mismatched!,
      of: report.mismatched!,
      lost: 0,
      explained_by: [kernel.name],
      indistinguishable: [],
      evidence: { 'kernel-defect': { found: clampDefect.what } },
      ...fixed([{ subject: 'capture', text: clampDefect.avoid, rehearsal: { mismatched_after_fix: 0 } }]),
    };
    for (const channel of report.channels ?? []) channel.causes = ['kernel-defect'];
    return true;
  }
  return false;
}

/** The same arithmetic, each value from its own place. */
function rightly(kernel: Kernel, layer: Layer): Kernel {
  const { taken: _, ...steps } = elementwiseSteps(kernel, layer)!;
  return { ...kernel, ops: { ...kernel.ops, [layer.op]: steps } };
}
