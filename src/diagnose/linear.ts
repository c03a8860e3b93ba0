import { kernels, productKernels } from '../kernels/registry.js';
import { pairsSaturatingInt16 } from '../kernels/steps/accumulate.js';
import type { ProductSteps } from '../nouns/kernel.js';
import type { Producer } from '../nouns/model.js';
import type { DiagnosisReport } from '../nouns/report.js';
import type { Found } from './cause.js';
import { inputScaleWrong } from './causes/inputScaleWrong.js';
import { countPairs } from './causes/int16Saturation.js';
import { STEP_CAUSES } from './departures.js';
import { contains, widened } from './estimate/interval.js';
import type { CauseCode, CauseEvidence, Evidence, FoundParameter } from './evidence.js';
import { fixed } from './fixes.js';
import { causes } from './registry.js';
import { rehearseReducedRange } from './rehearse.js';
import { causesOf, type Hypothesis, type SearchResult, search } from './search.js';
import { fixFor } from './sentences.js';
import { applyChanges, type Change } from './setup.js';
import { type LayerData, type Outcome, Study } from './study.js';
import { unexplainedReport } from './unexplained.js';

export interface LayerCase extends LayerData {
  readonly name: string;
  readonly op: string;
  readonly producer: Producer;
  /** Values that differ under the reference. */
  readonly mismatched: number;
  /** What other layers have proven of this one's parameters. */
  readonly shared: readonly Change[];
}

/** A diagnosis, and what of it concerns each differing channel and the layers after this one. */
export interface LayerDiagnosis {
  readonly report: DiagnosisReport;
  /** Causes by differing channel; absent channels have the report's. */
  readonly byChannel: ReadonlyMap<number, readonly string[]>;
  /** The winning changes; empty if unexplained or exact. */
  readonly changes: readonly Change[];
}

/** How often a hypothesis that the subset admits and all samples refute may extend the subset. */
const MOST_ROUNDS = 3;

/** Names the smallest set of causes that explains every differing value of a linear layer, or says `unexplained`. */
export async function diagnoseLinear(layer: LayerCase): Promise<LayerDiagnosis> {
  const refuting: number[] = [];
  let study = await Study.open(layer);
  let result = await searchWithShared(study, layer.shared);
  for (let round = 0; result.explanations.length > 0; round++) {
    const outcomes = await confirm(study, result.explanations);
    const proven = result.explanations.filter((_, i) => outcomes[i].mismatched === 0);
    if (proven.length > 0) return explained(layer, study, proven, outcomes.find((o) => o.mismatched === 0)!);
    if (study.complete || round === MOST_ROUNDS) break;
    refuting.push(...outcomes.flatMap(({ failures }) => failures.map(({ sample }) => sample)));
    study = await Study.open({ ...layer, refuting });
    result = await searchWithShared(study, layer.shared);
  }
  return unexplained(layer, study, result);
}

/** With the numbers that layers before this one have proven, then with those that both layers admit, then without. */
async function searchWithShared(study: Study, shared: readonly Change[]): Promise<SearchResult> {
  if (shared.length === 0) return search(study, []);
  for (const prefix of [shared, ...refined(study, shared)]) {
    if (study.agreesOnSubset(applyChanges(study.declared, prefix))) return search(study, prefix);
  }
  const result = await search(study, shared);
  return result.explanations.length > 0 ? result : search(study, []);
}

/** A shared scale was estimated from another layer's values: this layer narrows it down. */
function refined(study: Study, shared: readonly Change[]): Change[][] {
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

/** Which kernels compute exactly the observed values, given the parameters' changes: "consistent with ...". */
export async function consistentKernels(study: Study, changes: readonly Change[]): Promise<string[]> {
  const parameters = changes.filter((change) => !STEP_CAUSES.has(change.cause));
  const possible = productKernels(study.data.op)
    .flatMap(({ kernel, steps: own }) => formsOf(own).map((steps) => ({ kernel, steps })))
    .map(({ kernel, steps }) => ({ kernel, setup: applyChanges({ ...study.declared, steps }, parameters) }))
    .filter(({ setup }) => study.agreesOnSubset(setup));
  const outcomes = await study.confirm(possible.map(({ setup }) => setup));
  return [...new Set(possible.filter((_, i) => outcomes[i].mismatched === 0).map(({ kernel }) => kernel.name))];
}

/** What runs under a kernel's name: ready-made biases as the converter or the user rounded them, a product in one step or in two. */
function formsOf(steps: ProductSteps): ProductSteps[] {
  const biases = [...new Set([steps.bias, ...steps.alsoBiases])];
  const multipliers = [steps.multiplier, ...steps.alsoMultipliers];
  return biases.flatMap((bias) => multipliers.map((multiplier) => ({ ...steps, bias, multiplier })));
}

/** Reordered rows are confirmed where they are found: their search reads every sample. */
async function confirm(study: Study, hypotheses: readonly Hypothesis[]): Promise<Outcome[]> {
  const setups = hypotheses.map(({ setup }) => setup);
  const inOrder = await study.confirm(setups.filter((setup) => setup.order === null));
  const outcomes = inOrder.values();
  const all: Outcome = { explained: Number.NaN, lost: 0, mismatched: 0, byChannel: new Float64Array(0), failures: [] };
  return setups.map((setup) => (setup.order === null ? outcomes.next().value! : all));
}

async function explained(
  layer: LayerCase,
  study: Study,
  proven: readonly Hypothesis[],
  outcome: Outcome,
): Promise<LayerDiagnosis> {
  const [best, ...others] = proven;
  const names = causesOf(best);
  const explainedBy = await consistentKernels(study, best.changes);
  const evidence = evidenceOf(layer, study, best);
  const subject = subjectOf(layer, names);
  const kernel = nearestKernel(layer, explainedBy);
  const context = {
    layer: layer.name,
    op: layer.op,
    subject,
    declaredKernel: layer.kernel.name,
    foundKernel: kernel,
    explainedBy,
    evidence,
    producer: layer.producer,
    dynamic: layer.dynamic !== null,
    quantizes: false,
  };
  return {
    report: {
      causes: names,
      subject,
      kernel,
      explained: Number.isNaN(outcome.explained) ? layer.mismatched : outcome.explained,
      of: layer.mismatched,
      lost: outcome.lost,
      explained_by: explainedBy,
      indistinguishable: others.map((other) => ({ causes: causesOf(other), kernel: null })),
      evidence: evidence as Record<string, unknown>,
      ...fixed(subject, fixFor(names, context), await rehearse(layer, study, best)),
    },
    byChannel: causesByChannel(study, best),
    changes: best.changes,
  };
}

async function unexplained(layer: LayerCase, study: Study, result: SearchResult): Promise<LayerDiagnosis> {
  const nearest = result.nearest && (await nearestMiss(layer, study, result.nearest));
  const evidence: CauseEvidence['unexplained'] = {
    ...(nearest && nearest.explained > 0 ? { nearest } : {}),
    hypotheses: result.tried,
    ...(result.outOfBudget ? { out_of_time: true } : {}),
  };
  return {
    report: unexplainedReport(layer.side, layer.mismatched, evidence, basisOf(layer, study, false)),
    byChannel: new Map(),
    changes: [],
  };
}

async function nearestMiss(layer: LayerCase, study: Study, nearest: Hypothesis) {
  const [outcome] = await study.outcomes([nearest.setup]);
  return {
    causes: causesOf(nearest),
    kernel: null,
    explained: outcome.explained,
    of: layer.mismatched,
    lost: outcome.lost,
  };
}

/** One record a cause, drawn from the hypothesis with and without its change. */
function evidenceOf(layer: LayerCase, study: Study, { changes, setup }: Hypothesis): Evidence {
  const records = new Map<string, object>();
  for (const change of changes) {
    const without = applyChanges(
      study.declared,
      changes.filter((other) => other !== change),
    );
    const found: Found = { study, change, setup, without };
    const own = causes.find((cause) => cause.code === change.cause)?.evidence?.(found) ?? {};
    const channels = change.channels && change.channels.length < study.channels ? { channels: change.channels } : {};
    records.set(change.cause, withoutUndefined({ ...own, ...change.found, ...channels }));
  }
  return {
    ...(Object.fromEntries(records) as Evidence),
    basis: basisOf(layer, study, records.has('int16-saturation')),
  };
}

/** What a name rests on; without a pair that leaves int16, reduce_range cannot help. */
function basisOf(layer: LayerCase, study: Study, saturates: boolean): Evidence['basis'] {
  const basis = { samples: layer.to - layer.from };
  const { declared } = study;
  if (saturates || layer.side === 'candidate' || declared.steps.float) return basis;
  const { saturating_pairs } = countPairs(study, pairsSaturatingInt16, declared, study.codes(declared));
  return saturating_pairs === 0 ? { ...basis, saturating_pairs } : basis;
}

function withoutUndefined(record: object): object {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined));
}

/** Of the kernels that explain all, the one nearest to what is declared: its own variants, then its runtime's. */
function nearestKernel({ kernel: declared }: LayerCase, explainedBy: readonly string[]): string | null {
  const all = kernels.filter((kernel) => explainedBy.includes(kernel.name));
  // the float path's bound admits much: it is nearest only where nothing else explains
  const integer = all.filter((kernel) => kernel.sums !== 'float' || kernel === declared);
  const found = integer.length > 0 ? integer : all;
  const nearest =
    found.find((kernel) => kernel.name === declared.name) ??
    found.find((kernel) => kernel.family === declared.family) ??
    found.find((kernel) => kernel.runtime === declared.runtime) ??
    found[0];
  return nearest?.name ?? null;
}

/** Changes of where or when PyTorch's values were taken; every other parameter is the file's. */
const OF_THE_CAPTURE: ReadonlySet<string> = new Set<CauseCode>([
  'capture-before-relu',
  'capture-after-relu',
  'relu-at-zero',
  'samples-misaligned',
]);

function subjectOf({ side }: LayerCase, names: readonly string[]): DiagnosisReport['subject'] {
  if (side === 'candidate') return 'candidate';
  return names.every((name) => STEP_CAUSES.has(name) || OF_THE_CAPTURE.has(name)) ? 'capture' : 'model';
}

/** Which of two causes a channel needs; a change that acts on some channels concerns only those. */
function causesByChannel(study: Study, { changes }: Hypothesis): Map<number, string[]> {
  const needed = new Map<number, string[]>();
  if (changes.length < 2) return needed;
  const before = study.mismatchesByChannel(study.declared);
  const alone = changes.map((change) => study.mismatchesByChannel(applyChanges(study.declared, [change])));
  before.forEach((mismatched, channel) => {
    if (mismatched === 0) return;
    const one = changes.findIndex((_, i) => alone[i][channel] === 0);
    if (one >= 0) needed.set(channel, [changes[one].cause]);
  });
  return needed;
}

/** After the fix the file or kernel is what the hypothesis says; saturation is cured by seven-bit activations. */
async function rehearse(layer: LayerCase, study: Study, { changes, setup }: Hypothesis) {
  const saturating = changes.some((change) => change.cause === 'int16-saturation');
  if (layer.side === 'candidate') return null;
  if (!saturating) return { mismatched_after_fix: 0 };
  return { mismatched_after_fix: await rehearseReducedRange(study, setup) };
}
