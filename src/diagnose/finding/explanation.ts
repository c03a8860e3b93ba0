/** What is said of a layer: the report of a hypothesis that is proven, or of none. */

import { productSteps } from '../../kernels/kernel.js';
import { kernelByName } from '../../kernels/registry.js';
import { pairsSaturatingInt16 } from '../../kernels/steps/accumulate.js';
import { float64Bias } from '../../kernels/steps/bias.js';
import { fixedPointSingleRounding } from '../../kernels/steps/multiplier.js';
import { halfEven, insideMultiplier } from '../../kernels/steps/round.js';
import type { ProductSteps } from '../../nouns/kernel.js';
import type { Producer } from '../../nouns/model.js';
import type { DiagnosisReport } from '../../nouns/report.js';
import { isQuantized } from '../../nouns/value.js';
import { isFixedPoint, isInt32Bias } from '../alternatives/departures.js';
import { bytesOfSums, noCodesIn } from '../alternatives/noCodes.js';
import { neededReduceRange } from '../alternatives/ranges.js';
import { foundBy } from '../cause.js';
import { countPairs } from '../causes/int16Saturation.js';
import { samplesForWeights } from '../causes/weightValue.js';
import { causeOf } from '../registry.js';
import { causesOf, type Hypothesis } from '../search/ranking.js';
import type { SearchResult } from '../search/searchResult.js';
import { applyChanges, type Change, inputOf, type Region, type Setup, withSteps } from '../setup.js';
import type { LayerData, Outcome } from '../study/data.js';
import { isProductStudy, type Study } from '../study/study.js';
import type { FixContext } from '../words/causeWords.js';
import { heldBack } from '../words/saturation.js';
import { consistentKernels, isOfFlow, nearestKernel } from './consistent.js';
import type { CauseEvidence, DecidingValue, Evidence, Formula, Formulas, SomeChannels } from './evidence.js';
import { fixed } from './fixed.js';
import { fixesOf, subjectOf } from './fixes.js';
import { formulaOf } from './formula.js';
import { frameworkName, frameworkOf, isOf } from './frameworks.js';
import { fixFor } from './sentences.js';

export interface LayerCase extends LayerData {
  readonly name: string;
  readonly producer: Producer;
  readonly reads: readonly string[];
  /** What other layers have proven of this one's parameters. */
  readonly shared: readonly Change[];
  /** Of a candidate: what the other side's layer is found to do, where that is not what is declared. */
  readonly met: LayerDiagnosis | null;
}

/** A diagnosis, and what of it concerns each differing channel and the layers after this one. */
export interface LayerDiagnosis {
  readonly report: DiagnosisReport;
  /** Causes by differing channel; absent channels have the report's. */
  readonly byChannel: ReadonlyMap<number, readonly string[]>;
  /** The winning changes; empty if unexplained or exact. */
  readonly changes: readonly Change[];
  /** What gives every value as well, a list of changes each; without their setups, which hold weights. Absent: nothing does. */
  readonly others?: readonly (readonly Change[])[];
  /** Of what is unexplained: the sets of causes that give its values, which these alone do not show. */
  readonly refused?: ReadonlyMap<string, readonly Change[]>;
  /** Of what is unexplained: sums were met from which its values may follow, so that it is no noise. */
  readonly isNear?: true;
  /** Layers before it leave the same open. */
  readonly isOpen?: boolean;
}

/** @param outcome of the best of the proven hypotheses on every sample */
export async function explained(
  layer: LayerCase,
  study: Study,
  [best, ...others]: readonly Hypothesis[],
  outcome: Pick<Outcome, 'explained' | 'lost'>,
): Promise<LayerDiagnosis> {
  const names = causesOf(best);
  const explainedBy = ownFirst(layer, await consistentKernels(study, best.changes));
  const subject = sideOf(layer, names);
  const kernel = nearestKernel(layer, explainedBy);
  const evidence = withVariable(
    undecided(evidenceOf(layer, study, best), study, others, explainedBy),
    layer,
    explainedBy,
  );
  const context = {
    ...contextOf(layer, subject, evidence),
    foundKernel: kernel,
    explainedBy,
    reduceRange: neededReduceRange(kernel, best.setup, layer),
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
      ...fixed(await fixesOf(study, best, context)),
    },
    byChannel: causesByChannel(study, best),
    changes: best.changes,
    ...(others.length > 0 && { others: others.map(({ changes }) => changes) }),
  };
}

/** Pairs of a CPU that could have added in full. */
function withVariable(evidence: Evidence, { side, producer }: LayerCase, kernels: readonly string[]): Evidence {
  const own = evidence['int16-saturation'];
  if (!own || own.exact || own.every_cpu || side !== 'capture') return evidence;
  const held_by = heldBack(producer, kernels);
  return held_by === null ? evidence : { ...evidence, 'int16-saturation': { ...own, held_by } };
}

function contextOf(layer: LayerCase, subject: DiagnosisReport['subject'], evidence: Evidence): FixContext {
  return {
    layer: layer.name,
    op: layer.op,
    subject,
    framework: frameworkName(frameworkOf(layer.producer)),
    declaredKernel: layer.met?.report.kernel ?? layer.kernel.name,
    foundKernel: null,
    explainedBy: [],
    evidence,
    producer: layer.producer,
    reads: layer.reads,
    dynamic: layer.dynamic !== null,
    ...(layer.declared.kind === 'tensor' && { attributes: layer.declared.params.attributes }),
    quantizes: quantizes(layer),
    signed: isSigned(layer),
    ...(layer.met ? { met: { causes: layer.met.report.causes, evidence: layer.met.report.evidence as Evidence } } : {}),
  };
}

/** One value in place of many: it is what it is, and no arithmetic is sought in it. */
export function constantly(layer: LayerCase, constant: CauseEvidence['constant-values']): LayerDiagnosis {
  const basis = { samples: layer.to - layer.from };
  const evidence: Evidence = { 'constant-values': constant, basis };
  const text = fixFor(['constant-values'], contextOf(layer, layer.side, evidence));
  const { report } = unnamed(layer, {}, basis);
  const fixes = text === null ? [] : [{ subject: layer.side, text, rehearsal: null }];
  const said = {
    causes: ['constant-values'],
    explained: layer.mismatched,
    evidence: evidence as Record<string, unknown>,
  };
  return { report: { ...report, ...said, ...fixed(fixes) }, byChannel: new Map(), changes: [] };
}

export async function unexplained(layer: LayerCase, study: Study, result: SearchResult): Promise<LayerDiagnosis> {
  const told = unnamed(layer, await searched(layer, study, result), basisOf(layer, study, false));
  return {
    ...told,
    ...(result.refused.size > 0 && { refused: result.refused }),
    ...(result.hasMetSums && { isNear: true as const }),
  };
}

/** Nothing is named: no value is explained. */
export function unnamed(
  { side, mismatched }: Pick<LayerCase, 'side' | 'mismatched'>,
  evidence: CauseEvidence['unexplained'],
  basis: Evidence['basis'],
): LayerDiagnosis {
  const report: DiagnosisReport = {
    causes: ['unexplained'],
    subject: side,
    kernel: null,
    explained: 0,
    of: mismatched,
    lost: 0,
    explained_by: [],
    indistinguishable: [],
    evidence: { unexplained: evidence, basis },
    ...fixed([]),
  };
  return { report, byChannel: new Map(), changes: [] };
}

/** How far the search came. Reports of elementwise layers and whole values say so where it did not come to its end. */
async function searched(layer: LayerCase, study: Study, result: SearchResult): Promise<CauseEvidence['unexplained']> {
  const no_codes = noCodesIn(study);
  const bytes_of_sums = no_codes?.are ? null : bytesOfSums(study);
  const own = { ...(no_codes && { no_codes }), ...(bytes_of_sums && { bytes_of_sums }) };
  const nearest = await nearestOf(layer, study, result);
  const told = { ...own, ...(nearest && { nearest }) };
  if (!isProductStudy(study))
    return { ...told, ...(result.ended && { hypotheses: result.tried, [result.ended]: true }) };
  const would_take = study.declared.params.patch ? null : samplesForWeights(study);
  return {
    ...told,
    hypotheses: result.tried,
    ...(would_take ? { would_take } : {}),
    ...(result.ended ? { [result.ended]: true } : {}),
  };
}

/** Of what gives the values that were looked at and is not shown by them, so many are asked whether they give all. */
const MOST_REFUSED = 4;

/** What gives all values; else, of products, the single cause that leaves the fewest. */
async function nearestOf(
  layer: LayerCase,
  study: Study,
  result: SearchResult,
): Promise<CauseEvidence['unexplained']['nearest'] | null> {
  const failed = isProductStudy(study) ? result.nearest() : null;
  const refused = [...result.refused.values()].slice(0, MOST_REFUSED);
  const asked = [
    ...(failed ? [failed] : []),
    ...refused.map((changes) => ({ changes, setup: applyChanges(study.declared, changes) })),
  ];
  if (asked.length === 0) return null;
  const outcomes = await study.outcomes(asked.map(({ setup }) => setup));
  const whole = outcomes.findIndex(({ mismatched }) => mismatched === 0);
  const one = whole < 0 && failed ? 0 : whole;
  if (one < 0 || outcomes[one].explained === 0) return null;
  const { explained, lost } = outcomes[one];
  return { causes: causesOf(asked[one]), kernel: null, explained, of: layer.mismatched, lost };
}

/** Kernels of the flow, then of the framework, that made a capture come before others that compute the same. */
function ownFirst({ side, producer, kernel }: LayerCase, kernels: readonly string[]): string[] {
  if (side !== 'capture') return [...kernels];
  const framework = frameworkOf(producer);
  const rank = (name: string) => (isOfFlow(kernelByName(name), kernel) ? 0 : isOf(framework, name) ? 1 : 2);
  return [...kernels].sort((a, b) => rank(a) - rank(b));
}

/** It makes codes of floats. */
function quantizes({ declared }: LayerCase): boolean {
  return declared.kind === 'elementwise' && !isQuantized(inputOf(declared)) && isQuantized(declared.params.output);
}

function isSigned({ declared }: LayerCase): boolean {
  const input = inputOf(declared);
  return isQuantized(input) && input.dtype === 'int8' && declared.kind === 'product';
}

/** One record a cause, drawn from the hypothesis with and without its change. */
function evidenceOf(layer: LayerCase, study: Study, hypothesis: Hypothesis): Evidence {
  const { changes, setup } = hypothesis;
  const records = new Map<string, object>();
  const named = changes.filter(({ unnamed }) => !unnamed);
  for (const change of named) {
    const found = foundBy(study, hypothesis, change);
    const own = causeOf(change.cause).evidence?.(found) ?? {};
    const channels = change.channels && change.channels.length < study.channels ? { channels: change.channels } : {};
    // what agreed before and would not without it is no differing value
    const values =
      named.length > 1 && study.complete ? { values: Math.min(layer.mismatched, study.mismatches(found.without)) } : {};
    const region = change.region && { region: regionOf(change.region, study.channels) };
    records.set(change.cause, withoutUndefined({ ...own, ...change.found, ...channels, ...region, ...values }));
  }
  const formula = formulasOf(layer, study, changes, setup, [...records.values()]);
  const steps = named.filter((change) => subjectOf(change) === 'capture').map(({ cause }) => cause);
  const mixed = layer.side === 'capture' && steps.length > 0 && steps.length < named.length;
  return {
    ...(Object.fromEntries(records) as Evidence),
    basis: {
      ...basisOf(layer, study, records.has('int16-saturation')),
      ...(mixed ? { of_capture: [...new Set(steps)] } : {}),
      ...(formula ? { formula } : {}),
    },
  };
}

/** What multiplies, an integer or a float, is open where a kernel or a set of steps of the other kind gives every value too. */
function undecided(
  evidence: Evidence,
  { declared, data }: Study,
  others: readonly Hypothesis[],
  explainedBy: readonly string[],
): Evidence {
  const own = evidence['fixed-point-multiplier'];
  const formula = evidence.basis?.formula;
  if (!own?.rounding || !formula || declared.kind !== 'product') return evidence;
  const isInFloat = ({ multiplier, float }: ProductSteps) => multiplier.arithmetic.startsWith('float') && !float;
  const ofKernels = explainedBy.flatMap((name) => productSteps(kernelByName(name), data.op) ?? []);
  const ofOthers = others.flatMap(({ setup }) => (setup.kind === 'product' ? setup.steps : []));
  // of a declared integer two roundings part from any float's one
  const isOpen = isFixedPoint(declared.steps.multiplier) ? own.rounding === 'single' : ofKernels.some(isInFloat);
  if (!isOpen || ![...ofKernels, ...ofOthers].some(isInFloat)) return evidence;
  const found = withMultiplier(formula.found, { or_float: true });
  return {
    ...evidence,
    'fixed-point-multiplier': { ...own, or_float: true },
    basis: { ...evidence.basis, formula: { ...formula, found } },
  };
}

/** As people count. */
function regionOf(region: Region, of: number): SomeChannels['region'] {
  if ('channels' in region) return { channels: region.channels, of };
  if ('inside' in region) return { outside: region.inside, of: region.dims };
  return { first: { sample: region.from, channel: 0 }, last: { sample: region.to - 1, channel: 0 } };
}

/** Coordinates that a formula shows, beside the sums, which have words of their own. */
const TOLD: readonly Change['coordinate'][] = ['multiplier', 'bias', 'round', 'offset'];

/** With the numbers of the channel that decides. */
function formulasOf(
  { met }: LayerCase,
  study: Study,
  changes: readonly Change[],
  setup: Setup,
  records: readonly object[],
): Formulas | null {
  const deciding = records.flatMap((record) => (record as { deciding?: DecidingValue }).deciding ?? []).at(0);
  const channel = deciding?.channel ?? 0;
  const otherSide = met && met.changes.length > 0 ? applyChanges(study.declared, met.changes) : study.declared;
  const shown = changes.filter(({ cause }) => !causeOf(cause).ownWords);
  const own = shown.length === changes.length ? setup : applyChanges(study.declared, shown);
  const isUnnamed = changes.some(({ unnamed, coordinate }) => unnamed && coordinate === 'multiplier');
  const integer = isUnnamed ? orInteger(study, own, otherSide) : null;
  const ownFormula = formulaOf(integer ?? shownIn(study, own, otherSide), channel);
  const found = integer && ownFormula ? withMultiplier(ownFormula, { or_float: true }) : ownFormula;
  const declared = formulaOf(study.declared, channel);
  if (!found || !declared) return null;
  const tells = shown.filter(({ cause, coordinate, unnamed: isBase }) => {
    const isLeftOut = coordinate === 'bias' && found.bias === null;
    return causeOf(cause).whose === 'kernel' && TOLD.includes(coordinate) && !isLeftOut && !isBase;
  });
  const other = otherSide === study.declared ? null : formulaOf(otherSide, channel);
  const isOpen = changes.some(({ open }) => open);
  return {
    found: isOpen ? withMultiplier(found, { or_other: true }) : found,
    declared,
    ...(other ? { met: other } : {}),
    tells: [...new Set(tells.map(({ cause }) => cause))],
  };
}

function withMultiplier(formula: Formula, more: Partial<Formula['multiplier']>): Formula {
  return { ...formula, multiplier: { ...formula.multiplier, ...more } };
}

/** Steps in which the two sides need not differ are the other side's: that no value tells. */
function shownIn(study: Study, setup: Setup, other: Setup): Setup {
  if (!isProductStudy(study) || setup.kind !== 'product' || other.kind !== 'product' || !study.complete) return setup;
  // an integer multiplier takes an integer bias, and rounds before a zero point
  const [isOwn, isOther] = [setup, other].map(({ steps }) => isFixedPoint(steps.multiplier));
  if (isOwn) return setup;
  const { bias, offsetAndClamp } = other.steps;
  const ofFloats = [{ offsetAndClamp }, { bias }, ...(isInt32Bias(bias) ? [] : [{ bias: float64Bias }])];
  return (isOther ? [{ bias }] : ofFloats).reduce((shown, step) => {
    if (step.bias && shown.steps.bias === bias) return shown;
    const without = withSteps(shown, step);
    return study.sameOnSubset(without, shown) ? without : shown;
  }, setup);
}

/** A float multiplier that no cause names, where the other side has an integer: one that is rounded once gives the same. */
function orInteger(study: Study, setup: Setup, other: Setup): Setup | null {
  if (!isProductStudy(study) || setup.kind !== 'product' || other.kind !== 'product' || !study.complete) return null;
  const [own, others] = [setup, other].map(({ steps }) => steps);
  if (!isFixedPoint(others.multiplier) || own.round !== halfEven || own.float) return null;
  const { bias } = others;
  const single = withSteps(setup, { bias, multiplier: fixedPointSingleRounding, round: insideMultiplier });
  return study.sameOnSubset(single, setup) ? single : null;
}

/** What a name rests on; without a pair that leaves int16, reduce_range cannot help. */
function basisOf(layer: LayerCase, study: Study, saturates: boolean): Evidence['basis'] {
  const basis = { samples: layer.to - layer.from };
  // a dynamic layer's range is a question of its own
  const isOpen = layer.dynamic === null && isProductStudy(study) && !study.declared.steps.float;
  if (saturates || layer.side === 'candidate' || !isOpen) return basis;
  const { declared, engine, subset } = study;
  const { saturating_pairs } = countPairs(study, pairsSaturatingInt16, declared, engine.codes(declared, subset));
  return saturating_pairs === 0 ? { ...basis, saturating_pairs } : basis;
}

function withoutUndefined(record: object): object {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined));
}

function sideOf({ side }: LayerCase, names: readonly string[]): DiagnosisReport['subject'] {
  if (side === 'candidate') return 'candidate';
  return names.some((name) => causeOf(name).whose === 'model') ? 'model' : 'capture';
}

/** Which of two causes a channel needs; a change that acts on some channels concerns only those. */
function causesByChannel(study: Study, { changes }: Hypothesis): Map<number, string[]> {
  const needed = new Map<number, string[]>();
  if (changes.length < 2) return needed;
  const before = study.mismatchesByChannel(study.declared);
  const named = changes.filter(({ unnamed }) => !unnamed);
  const base = changes.filter(({ unnamed }) => unnamed);
  const alone = named.map((change) => study.mismatchesByChannel(applyChanges(study.declared, [...base, change])));
  before.forEach((mismatched, channel) => {
    if (mismatched === 0) return;
    const one = named.findIndex((_, i) => alone[i][channel] === 0);
    if (one >= 0) needed.set(channel, [named[one].cause]);
  });
  return needed;
}
