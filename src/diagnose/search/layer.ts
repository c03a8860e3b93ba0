import type { NumericArray } from '../../nouns/array.js';
import { isQuantized } from '../../nouns/value.js';
import { isPossible } from '../cause.js';
import { constantsIn } from '../causes/constantValues.js';
import { inputScaleWrong } from '../causes/inputScaleWrong.js';
import { contains, widened } from '../estimate/interval.js';
import type { CauseEvidence, FoundParameter } from '../finding/evidence.js';
import {
  constantly,
  explained,
  type LayerCase,
  type LayerDiagnosis,
  unexplained,
  unnamed,
} from '../finding/explanation.js';
import { applyChanges, type Change, FREEDOM } from '../setup.js';
import type { DoneElsewhere, Outcome } from '../study/data.js';
import { Study } from '../study/study.js';
import { leastOf, withInPlace } from './elsewhere.js';
import { type Hypothesis, simplest } from './ranking.js';
import { searchReordered } from './reordered.js';
import { isLike } from './rivals.js';
import { search } from './search.js';
import type { SearchResult } from './searchResult.js';

/** How often a hypothesis that the subset admits and all samples refute may extend the subset. */
const MOST_ROUNDS = 3;

/** Reordered rows are confirmed where they are found: their search reads every sample. */
const IN_ANOTHER_ORDER: Outcome = {
  explained: Number.NaN,
  lost: 0,
  mismatched: 0,
  byChannel: new Float64Array(0),
  failures: [],
};

/** Names the smallest set of causes that explains every differing value of a layer, or says `unexplained`. */
export async function diagnoseLayer(layer: LayerCase): Promise<LayerDiagnosis> {
  if (layer.work?.isOver) return cutShort(layer);
  const refuting: number[] = [];
  let study = await Study.open(layer);
  const found = constantsIn(study);
  const constant = found && (await areConstant(study, found)) ? found : null;
  if (constant && !constant.channels) return constantly(layer, constant);
  const known =
    layer.work?.isLate && !constant && !layer.again ? await asSets(layer, study, layer.before?.several) : null;
  if (known) return known;
  let result = await searchWithShared(study, layer.shared);
  for (let round = 0; result.explanations.length > 0; round++) {
    const outcomes = await confirm(study, result.explanations);
    const proven = result.explanations.filter(
      (explanation, i) => outcomes[i].mismatched === 0 && (!constant || isSure(study, constant, explanation)),
    );
    if (proven.length > 0)
      return explained(layer, study, mostCommon(layer, proven), outcomes.find((o) => o.mismatched === 0)!);
    if (study.complete || round === MOST_ROUNDS) break;
    for (const { failures } of outcomes) for (const { sample } of failures) refuting.push(sample);
    study = await Study.open({ ...layer, refuting });
    result = await searchWithShared(study, layer.shared);
  }
  if (constant) return constantly(layer, constant);
  const inAnotherOrder = layer.single || layer.again ? [] : await searchReordered(study);
  if (inAnotherOrder.length > 0) return explained(layer, study, inAnotherOrder, IN_ANOTHER_ORDER);
  return unexplained(layer, study, result);
}

/** Of what is the same here, that which most layers do comes first. */
function mostCommon({ again = [] }: LayerCase, proven: readonly Hypothesis[]): readonly Hypothesis[] {
  const rank = ({ changes }: Hypothesis) => {
    const at = again.findIndex((set) => set.changes.every((own) => changes.some(isLike(own))));
    return at < 0 ? again.length : at;
  };
  return [...proven].sort((a, b) => rank(a) - rank(b));
}

/** Layers before this one have taken all that may be; what several of them show is still tried. */
async function cutShort({ work: _, ...layer }: LayerCase): Promise<LayerDiagnosis> {
  const none = () => unnamed(layer, { cut_short: true }, { samples: layer.to - layer.from });
  const { often = [], several = [] } = layer.before ?? {};
  if (several.length === 0) return none();
  // what so many do stands for the values that this layer lacks
  const asOften = often.length > 0 ? await asSets(layer, await Study.open({ ...layer, proven: true }), often) : null;
  return asOften ?? (await asSets(layer, await Study.open(layer), several)) ?? none();
}

/** What one of some sets gives, or the least of it; null: none gives every value. */
async function asSets(
  layer: LayerCase,
  study: Study,
  sets: DoneElsewhere['often'] = [],
): Promise<LayerDiagnosis | null> {
  const all = sets.flatMap((changes) => leastOf(study, changes) ?? []);
  const found = withInPlace(study, simplest(study, all));
  const outcomes = await confirm(study, found);
  const proven = found.filter((_, i) => outcomes[i].mismatched === 0);
  return proven.length > 0 ? explained(layer, study, proven, outcomes.find((o) => o.mismatched === 0)!) : null;
}

/**
 * Channels that hold one value, beside others that do not: a ReLU, another clamp or sums that saturate give that too, and any number may.
 * At a bound of the output, where sums end that leave their width, so may two changes.
 */
function isSure({ declared }: Study, { value }: CauseEvidence['constant-values'], { changes }: Hypothesis): boolean {
  const { output } = declared.params;
  const isAtBound = isQuantized(output) && (value === output.quantMin || value === output.quantMax);
  return (isAtBound || changes.length === 1) && changes.every(({ freedom }) => freedom === FREEDOM.none);
}

/** In every judged sample, and nothing else differs. */
async function areConstant(study: Study, { channels }: CauseEvidence['constant-values']): Promise<boolean> {
  const first = study.subset.observed.subarray(0, study.channels);
  // of one row there may be sixty million: no list of them, and no function for each
  const isOne = channels ? new Uint8Array(study.channels) : null;
  for (const channel of channels ?? []) isOne![channel] = 1;
  for await (const block of study.blocks()) {
    const misses = isOne && study.misses(study.declared, block);
    const isHeld = holds(block.observed, first, isOne, misses);
    if (block !== study.subset) study.engine.forget(block);
    if (!isHeld) return false;
  }
  return true;
}

/** Whether each row has the first one's values: in all channels, or in some, where the others miss nothing. */
function holds(rows: NumericArray, first: NumericArray, isOne: Uint8Array | null, misses: Int8Array | null): boolean {
  for (let i = 0, n = 0; i < rows.length; i++, n = n + 1 === first.length ? 0 : n + 1)
    if (isOne?.[n] === 0 ? misses![i] !== 0 : rows[i] !== first[n]) return false;
  return true;
}

/** With the numbers that layers before this one have proven, then with those that both layers admit, then without. */
async function searchWithShared(study: Study, shared: readonly Change[]): Promise<SearchResult> {
  if (shared.length === 0) return search(study, []);
  for (const prefix of [shared, ...refined(study, shared)]) {
    if (study.agreesOnSubset(applyChanges(study.declared, prefix))) return search(study, prefix);
  }
  // what a candidate's bench feeds a layer need not have the numbers of the layer before it
  const [first, last] = study.data.side === 'candidate' ? [[], shared] : [shared, []];
  const result = await search(study, first);
  return result.explanations.length > 0 ? result : search(study, last);
}

/** A shared scale was estimated from another layer's values: this layer narrows it down. */
function refined(study: Study, shared: readonly Change[]): Change[][] {
  if (!isPossible(inputScaleWrong, study)) return [];
  return shared.flatMap((change) => {
    const { interval } = (change.found ?? {}) as Partial<FoundParameter>;
    if (change.coordinate !== 'x_scale' || !interval) return [];
    const others = shared.filter((other) => other !== change);
    const base = applyChanges(study.declared, others);
    return (inputScaleWrong.estimate?.(study, base, true) ?? [])
      .map((own) => ({ own, scale: (own.found as FoundParameter).found }))
      .filter(({ scale }) => contains(widened({ lo: interval[0], hi: interval[1] }, 1e-6), scale))
      .map(({ own, scale }) => [...others, { ...change, found: { ...change.found, found: scale }, apply: own.apply }]);
  });
}

async function confirm(study: Study, hypotheses: readonly Hypothesis[]): Promise<Outcome[]> {
  const setups = hypotheses.map(({ setup }) => setup);
  const inOrder = await study.confirm(setups.filter((setup) => setup.order === null));
  const outcomes = inOrder.values();
  return setups.map((setup) => (setup.order === null ? outcomes.next().value! : IN_ANOTHER_ORDER));
}
