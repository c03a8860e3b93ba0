import type { Reference } from '../../kernels/reference.js';
import type { Capture } from '../../nouns/capture.js';
import type { Model } from '../../nouns/model.js';
import { ReplaySession } from '../../replay/session.js';

/** What a replay that is the judge starts from: the inputs, and what stands in for layers that are not replayed. */
export function inputsOnly(model: Model, capture: Capture, reference: Reference): Capture {
  const session = new ReplaySession(model, capture, reference, 'isolated');
  const replayed = new Set(model.layers.filter((layer) => !session.whyNotReplayed(layer)).map(({ name }) => name));
  const isOfReplay = (key: string) => replayed.has(key) || replayed.has(key.replace(/\.(input|accumulator)$/, ''));
  return { ...capture, values: new Map([...capture.values].filter(([key]) => !isOfReplay(key))) };
}
