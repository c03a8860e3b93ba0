import type { Capture } from '../nouns/capture.js';
import type { Fast } from '../nouns/kernel.js';
import type { Model } from '../nouns/model.js';
import type { CompareOptions } from './options.js';
import { multiplyAddsOf, selectedLayers } from './shard.js';

export type AcceleratorSettings = Pick<CompareOptions, 'threads' | 'accelerator'>;
/** What of a run this process does. */
type Share = Pick<CompareOptions, 'selects' | 'shard' | 'samples'>;

/** Below this the readable steps are done before the accelerator is there. */
const WORTH_LOADING = 2 ** 20;

/**
 * What a run over these files multiplies with; null: everything in its readable form. Asked again with the same settings it
 * is the same one, so that what looks at single values after a comparison goes on with it.
 */
export async function acceleratorFor(
  model: Model,
  capture: Capture,
  settings: AcceleratorSettings & Share = {},
): Promise<Fast> {
  const expected = mostMultiplyAdds(model, capture, settings);
  if (expected < WORTH_LOADING) return null;
  const { accelerate } = await import('../accelerate/accelerator.js');
  return accelerate({ threads: settings.threads, portable: settings.accelerator === 'portable', expected });
}

/** Of one layer: a shard starts threads for its own work only. */
function mostMultiplyAdds(model: Model, capture: Capture, share: Share): number {
  const { from, to } = share.samples ?? { from: 0, to: capture.samples };
  const ofSample = [...selectedLayers(model, capture, share).own].map((layer) => multiplyAddsOf(layer, capture));
  return (to - from) * ofSample.reduce((most, count) => Math.max(most, count), 0);
}
