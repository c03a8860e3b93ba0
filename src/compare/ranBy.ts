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
  let last: readonly [unknown, unknown] = [null, null]; // thousands of layers of one op share their steps
  return one.every((own, i) => {
    const its = other[i];
    if (own === its || (own === last[0] && its === last[1])) return true;
    if (!own || !its || !sameSteps(own, its)) return false;
    last = [own, its];
    return true;
  });
}
