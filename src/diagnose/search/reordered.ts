/** Samples in another order, and something else wrong with them: their order is found by likeness, what else by a search in that order. */
import { inOrderOf } from '../causes/samplesMisaligned.js';
import { orderByLikeness } from '../estimate/rowOrder.js';
import type { LayerData } from '../study/data.js';
import { Study } from '../study/study.js';
import type { Hypothesis } from './ranking.js';
import { search } from './search.js';

export async function searchReordered(study: Study): Promise<Hypothesis[]> {
  const order = orderByLikeness(study);
  const moved = order && inOrderOf(order, study.data.positions ?? 1);
  if (!moved) return [];
  const data = putBack(study, moved.apply(study.declared).order!);
  if (data.mismatched === 0) return [];
  const { explanations } = await search(await Study.open(data), []);
  // another order of samples takes this one back
  const inThisOrder = explanations.filter(({ setup }) => !setup.order);
  return inThisOrder.map(({ changes, setup }) => ({ changes: [...changes, moved], setup: moved.apply(setup) }));
}

/** The same layer, each observed row where the replay has it. */
function putBack(study: Study, order: readonly number[]): LayerData {
  const { data, channels, subset } = study;
  const observed = subset.observed.slice();
  order.forEach((from, row) => {
    observed.set(subset.observed.subarray(row * channels, (row + 1) * channels) as never, from * channels);
  });
  const scope = { ...subset, observed };
  const mismatched = study.mismatches(study.declared, scope);
  study.engine.forget(scope);
  const read = async (from: number, to: number) =>
    observed.subarray((from - data.from) * channels, (to - data.from) * channels);
  return { ...data, observed: { width: channels, read }, mismatched };
}
