/** What is known to be wrong in the runtime that a layer ran in. */
import { clampDefect, defects } from '../../kernels/steps/knownDefects.js';
import type { Producer } from '../../nouns/model.js';
import type { LayerReport } from '../../nouns/report.js';
import { largestOf } from '../../numeric/extremes.js';
import type { LayerRun } from '../../replay/session.js';
import { isUnexplained } from '../layerReport.js';

const MODELLED = 'the replay computes it as PyTorch 2.13.0 does';

/** A defect that is modelled is said wherever it acts; one that is only recognized, where nothing explains the values. */
export function knownDefects(
  run: LayerRun,
  producer: Producer,
  batchSizes: readonly number[],
  { diagnosis }: LayerReport,
): string[] {
  const { kernel, ready, taken } = run;
  const { patch } = ready;
  const unexplained = isUnexplained(diagnosis);
  if (taken) return [`${MODELLED}: ${clampDefect.what}; ${clampDefect.avoid}`];
  if (!patch) return [];
  const batch = largestOf(batchSizes);
  return defects
    .filter(({ family, modelled }) => family === kernel.family && (modelled || unexplained))
    .filter((defect) => defect.has(patch, batch, producer))
    .map(({ what, avoid, modelled }) => {
      const shown = modelled ? MODELLED : 'known to be wrong here, in PyTorch 2.13.0';
      return `${shown}: ${what}; ${avoid}`;
    });
}
