/** What runs the layers of a model, to know of two kernels that they give the same without a replay of both. */
import { sameSteps, stepsOf } from '../kernels/kernel.js';
import type { OpSteps } from '../nouns/kernel.js';
import type { Model } from '../nouns/model.js';
import type { ReplaySession } from '../replay/session.js';

/** Of each layer; undefined: it is not replayed. */
export type RanBy = readonly (OpSteps | null | undefined)[];

export function ranBy({ layers }: Model, session: ReplaySession): RanBy {
  return layers.map((layer) =>
    session.whyNotReplayed(layer) === null ? stepsOf(session.kernelOf(layer), layer) : undefined,
  );
}

/** Kernels of a runtime do by the same steps what multiplies no weights: what one computes, the others do. */
export function areAlike(one: RanBy, other: RanBy): boolean {
  return one.every((steps, i) => steps === other[i] || (steps && other[i] && sameSteps(steps, other[i])));
}
