/** What is known to be wrong in the runtime that a layer ran in. */
import { clampDefect, defects } from '../kernels/steps/knownDefects.js';
import { isElementwise, type Producer } from '../nouns/model.js';
import type { LayerReport } from '../nouns/report.js';
import type { LayerRun } from '../replay/session.js';
import { channelsOf, positionsOf } from '../tensor/shape.js';
import { isUnexplained } from './layerReport.js';

/** A defect that is modelled is said wherever it acts; one that is only recognized, where nothing explains the values. */
export function knownDefects(
  run: LayerRun,
  producer: Producer,
  batchSizes: readonly number[],
  { diagnosis }: LayerReport,
): string[] {
  const { kernel, ready } = run;
  const { patch } = ready;
  const unexplained = isUnexplained(diagnosis);
  if (unexplained && clampsScrambled(run))
    return [`known to be wrong here, in PyTorch 2.13.0: ${clampDefect.what}; ${clampDefect.avoid}`];
  if (!patch) return [];
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

/** An image whose channels lie side by side, clamped from both sides. */
function clampsScrambled({ kernel, ready: { layer, input, shapes }, inCalls }: LayerRun): boolean {
  if (kernel.family !== clampDefect.family || !isElementwise(layer) || input.dtype !== 'uint8') return false;
  const { lower, upper } = layer.form.clamp ?? { lower: Number.NEGATIVE_INFINITY, upper: 0 };
  const [image] = shapes.inputs;
  const isImage = image.dims.length === 3 && channelsOf(image) > 1 && positionsOf(image) > 1;
  const from = inCalls.memoryOf(layer.inputs[0]).format;
  return isImage && from === 'channels_last' && Number.isFinite(lower) && Number.isFinite(upper);
}
