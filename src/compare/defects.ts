/** What is known to be wrong in the runtime that a layer ran in. */
import { defects } from '../kernels/steps/knownDefects.js';
import type { Producer } from '../nouns/model.js';
import type { LayerReport } from '../nouns/report.js';
import type { LayerRun } from '../replay/session.js';

/** A defect that is modelled is said wherever it acts; one that is only recognized, where nothing explains the values. */
export function knownDefects(
  { kernel, ready: { patch } }: LayerRun,
  producer: Producer,
  batchSizes: readonly number[],
  { diagnosis }: LayerReport,
): string[] {
  if (!patch) return [];
  const unexplained = diagnosis?.causes.includes('unexplained') ?? false;
  const batch = Math.max(...batchSizes);
  return defects
    .filter(({ family, modelled }) => family === kernel.family && (modelled || unexplained))
    .filter((defect) => defect.has(patch, batch, producer))
    .map(({ what, avoid, modelled }) => {
      const shown = modelled
        ? 'the replay computes it as PyTorch 2.13.0 does'
        : 'known to be wrong here, in PyTorch 2.13.0';
      return `${shown}: ${what}; ${avoid}`;
    });
}
