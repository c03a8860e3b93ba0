/** What several layers before one do, where its own values are given by a number that was fitted to them: an implementation does the same in each. */
import { FREEDOM } from '../setup.js';
import { Study } from '../study/study.js';
import { leastOf } from './elsewhere.js';
import { causesOf, type Hypothesis, keyOf, simplest } from './ranking.js';

/** What explains a layer, before it what several do that gives every value as well and needs no number of its own. */
export async function oftenFirst(study: Study, explanations: readonly Hypothesis[]): Promise<readonly Hypothesis[]> {
  const [best] = explanations;
  if (!best?.changes.some(({ freedom }) => freedom > FREEDOM.none)) return explanations;
  const { often: sets = [] } = study.data.before ?? {};
  if (sets.length === 0) return explanations;
  const proven = await Study.open({ ...study.data, proven: true }); // by those layers
  const often = sets.flatMap((changes) => leastOf(proven, changes) ?? []);
  if (often.length === 0) return explanations;
  const first = simplest(study, often);
  const known = new Set(first.map((own) => keyOf(causesOf(own))));
  return [...first, ...explanations.filter((own) => !known.has(keyOf(causesOf(own))))];
}
