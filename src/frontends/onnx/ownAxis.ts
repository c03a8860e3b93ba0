/** An axis of a graph's tensor as model.json counts it. */
import { dimsOf } from './dims.js';
import type { Context } from './draft.js';
import type { GraphNode } from './graph.js';
import { isFirst, placeOf, sampleAxis } from './samples.js';

/** Of one sample, the samples' axis being 0; null: that. */
export function ownAxis(axis: number, { inputs: [x] }: GraphNode, { asRun }: Context, tensor = x): number | null {
  const place = placeOf(tensor, asRun);
  const rank = dimsOf(tensor, asRun)?.length;
  if (isFirst(place) && (rank === undefined || axis < 0)) return axis === 0 || axis + (rank ?? 0) === 0 ? null : axis;
  return sampleAxis(axis, rank!, place);
}
