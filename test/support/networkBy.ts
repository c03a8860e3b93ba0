/** What a whole network computes by other steps than the declared ones. */
import { openCapture, openModel } from '../../src/frontends/open.js';
import { nodeFileSystem } from '../../src/io.js';
import { kernelByName } from '../../src/kernels/registry.js';
import type { OpSteps, ProductSteps } from '../../src/nouns/kernel.js';
import { replayedCapture } from '../../src/replay/reference.js';
import { ReplaySession } from '../../src/replay/session.js';

/** Each layer on its own values. */
export async function networkBy(steps: Partial<ProductSteps>, folder = 'cnn-x86') {
  const [MODEL, CAPTURE] = ['model.json', 'capture.npz'].map((name) => `fixtures/pytorch/${folder}/${name}`);
  const model = await openModel(nodeFileSystem, MODEL);
  const capture = await openCapture(nodeFileSystem, CAPTURE, model);
  const own = kernelByName('fbgemm')!;
  const changed = Object.entries(own.ops).map(([op, old]) => [op, old.kind === 'product' ? { ...old, ...steps } : old]);
  const kernel = { ...own, ops: Object.fromEntries(changed) as Record<string, OpSteps> };
  return {
    model,
    capture,
    candidate: replayedCapture(model, capture, new ReplaySession(model, capture, kernel, 'propagated')),
  };
}
