/** Why a candidate's layer differs: judged on what it read, against what the other side is found to do. */

import { Diagnosis, type Effects } from '../../diagnose/diagnose.js';
import type { CauseEvidence } from '../../diagnose/finding/evidence.js';
import type { LayerDiagnosis } from '../../diagnose/finding/explanation.js';
import { fixed } from '../../diagnose/finding/fixed.js';
import { firstFixSentence, imitation } from '../../diagnose/finding/sentences.js';
import type { InCommon } from '../../diagnose/study/data.js';
import { isProduct, type Layer } from '../../nouns/model.js';
import type { DiagnosisReport, LayerReport } from '../../nouns/report.js';
import type { LayerRun } from '../../replay/session.js';
import { notFiniteValues } from '../beyond/notFinite.js';
import { onOtherOperands } from '../beyond/otherOperands.js';
import { otherRuntime, restsOnNumbers } from '../beyond/otherRuntime.js';
import { inOtherPlaces } from '../beyond/outputOrder.js';
import { onOwnRanges } from '../beyond/ownRanges.js';
import { explainsPlaces } from '../beyond/rightPlaces.js';
import { tellsOfOthers } from '../chain.js';
import type { OwnComparison } from '../comparison.js';
import { inSamples } from '../differing.js';
import { inherited, otherInput, sourceOf } from '../inherited.js';
import { besideOrder, isUnexplained } from '../layerReport.js';
import { asOwnFile } from '../models/ownFile.js';
import { beforeIt } from './beforeIt.js';
import { type Case, countOnOwn, differingOf, type Judged, ofAll, say, sayReading } from './case.js';
import { type InOrder, inOtherOrder, withOrder } from './otherOrder.js';
import { type InSign, inOtherSign, withSign } from './otherSign.js';
import { type BothValues, diffReplay, type Reading, readingsOf, sessionsOf } from './readings.js';
import { isConstant, searched } from './searched.js';
import { asSecondCapture } from './secondCapture.js';

type Fix = DiagnosisReport['fixes'][number];

export async function explain(comparison: OwnComparison, layer: Layer, report: LayerReport, values: BothValues) {
  const one = caseOf(comparison, layer, report, values);
  if (!one.captured && (await isSecondSide(one))) return;
  if (await explainsPlaces(comparison, layer, report, values)) return;
  const readings = await readingsOf(comparison, await sessionsOf(comparison, layer), layer, values);
  const [first] = readings;
  if (!first) return;
  countOnOwn(one, first);
  if (first.diff.mismatched === 0) await asDeclared(one, first);
  else if (!(await isWithoutNumbers(one, first))) await departs(one, readings);
}

/** What was sought in vain, beside what other layers are found to do. */
export async function explainBeside(
  comparison: OwnComparison,
  layer: Layer,
  report: LayerReport,
  values: BothValues,
  shown: readonly InCommon[],
) {
  const one = caseOf(comparison, layer, report, values);
  const readings = await readingsOf(comparison, await sessionsOf(comparison, layer), layer, values);
  for (const [times, reading] of readings.entries()) {
    const found = await comparison.diagnosis.again({ ...differingOf(one, reading), met: one.met }, shown, times);
    if (!found) return;
    if (!isUnexplained(found.report)) return saysOwn(one, inSamples(found, reading.run), reading, readings[0]);
    // its values are too few to show it: all layers together may
    if (found.refused)
      comparison.found.set(layer.name, { ...found, ...comparison.found.get(layer.name), refused: found.refused });
  }
}

function caseOf(comparison: OwnComparison, layer: Layer, report: LayerReport, values: BothValues): Case {
  const captured = comparison.captureLayers.find(({ name }) => name === layer.name)?.diagnosis ?? null;
  const found = comparison.captureFound.get(layer.name);
  const met = found && !isUnexplained(found.report) && found.changes.length > 0 ? found : null;
  return { comparison, layer, report, captured, met, ...values };
}

/** Where the candidate says who computed it, or is another file: that is what its runtime makes of its own values. */
async function isSecondSide(one: Case): Promise<boolean> {
  const { comparison, layer, report, ...values } = one;
  const { second, chainedSession: ownSession, session, model, from, to, fast } = comparison;
  const source = async (run: LayerRun | null) =>
    sourceOf(comparison, (run && (await otherInput(session, run, comparison))) ?? layer.inputs[0]);
  const asked = { model, ownSession, layer, report, from, to, fast, source, ...values };
  const diagnosis =
    (second ? await asSecondCapture({ second, ...asked }) : null) ?? (await asOwnFile(comparison, asked));
  if (!diagnosis) return false;
  report.diagnosis = diagnosis;
  const causes = [...diagnosis.causes];
  for (const channel of report.channels ?? []) channel.causes = causes;
  return true;
}

/** NaN and infinity are said, and nothing is sought in them. */
async function isWithoutNumbers(one: Case, reading: Reading): Promise<boolean> {
  const { comparison } = one;
  const { run, diff } = reading;
  const held = await notFiniteValues(run, diff.notFinite.expected, comparison.from, comparison.to);
  if (held.length === 0) return false;
  say(one, inSamples(comparison.diagnosis.withoutNumbers(held, differingOf(one, reading)), run));
  return true;
}

// ---------------------------------------------------------------- it does as declared

async function asDeclared(one: Case, reading: Reading): Promise<void> {
  const { comparison, report, captured } = one;
  const { run, kind } = reading;
  sayReading(one, kind);
  const captureCauses = captured?.causes ?? [];
  const other = await otherInput(comparison.session, run, comparison);
  const isAlike = captureCauses.length === 0;
  const ulp = report.unit === 'ulp' ? (report.max_abs_diff ?? undefined) : undefined;
  const open = isAlike && !other && leftOpen(one, reading) ? { left_open: report.mismatched!, ulp } : null;
  const causes = isAlike && other ? ['inherited'] : open ? ['float-arithmetic'] : [];
  const known = !captureCauses.includes('unexplained');
  report.diagnosis = {
    causes,
    subject: 'candidate',
    kernel: report.kernel,
    explained: known ? report.mismatched! : 0,
    of: report.mismatched!,
    lost: 0,
    explained_by: await comparison.diagnosis.consistent(differingOf(one, reading)),
    indistinguishable: [],
    evidence: {
      ...(other && { inherited: { from: sourceOf(comparison, other) } }),
      ...(open && { 'float-arithmetic': open }),
    },
    ...fixed([...capturesFixes(captured), ...(await imitations(one, reading))]),
  };
  const ofAll = [...causes];
  for (const channel of report.channels ?? []) channel.causes = ofAll;
  comparison.found.set(report.name, { report: report.diagnosis, byChannel: new Map(), changes: [] });
}

/** Whether both sides are what a float path's error bound leaves of the same input. */
function leftOpen({ comparison, layer }: Case, { diff }: Reading): boolean {
  const captured = comparison.captureLayers.find(({ name }) => name === layer.name)?.within_bound ?? 0;
  return captured + diff.withinBound > 0;
}

/** The other side's own ways out, where it is that which departs: a kernel that is declared changes no value of either. */
function capturesFixes(captured: DiagnosisReport | null): Fix[] {
  return captured ? captured.fixes.filter(({ text }) => !text.includes('"kernel": ')) : [];
}

/** What departs nowhere can follow the other side. */
async function imitations(one: Case, reading: Reading): Promise<Fix[]> {
  const { captured, met, report, layer } = one;
  if (!captured || !met) return [];
  const text = imitation(
    {
      layer: layer.name,
      op: layer.op,
      subject: captured.subject,
      framework: one.comparison.model.producer.framework ?? null,
      declaredKernel: report.kernel ?? '',
      foundKernel: captured.kernel,
      explainedBy: captured.explained_by,
      evidence: captured.evidence,
    },
    captured.causes,
  );
  return text === null ? [] : changing(one, [{ subject: 'candidate', text, rehearsal: await toMeet(one, reading) }]);
}

// ---------------------------------------------------------------- it does not

async function departs(one: Case, readings: readonly Reading[]): Promise<void> {
  const { comparison } = one;
  const { named, nearest, isOpen } = await searched(one, readings);
  if (isOpen) return say(one, { ...nearest, report: ofAll(one, nearest.report) });
  if (!named && (await isInOtherSign(one, readings))) return;
  const form = !named || restsOnNumbers(named.found) ? await formOf(one, named?.reading ?? readings[0]) : null;
  if (form) {
    const reading = named?.reading ?? readings[0];
    const own = inSamples({ ...form, report: ofAll(one, form.report) }, reading.run);
    const effects = await effectsOf(one, reading);
    return say(one, effects ? await withInput(one, own, reading, effects) : own);
  }
  const before = !named && tellsOfOthers(nearest.report) ? await beforeIt(one) : null;
  if (before) return say(one, before);
  for (const reading of !named || restsOnNumbers(named.found) ? readings : []) {
    const other = await onOthers(one, reading, named !== null);
    if (other) return saysOwn(one, other, reading, readings[0]);
  }
  for (const reading of !named || besideOrder(named.found.report) ? readings : []) {
    const asked = { ...comparison, ...one, subject: 'candidate', reading } as const;
    const places = (await onOwnRanges(asked)) ?? (await inOtherPlaces(asked));
    if (places) return saysOwn(one, places, reading, readings[0]);
  }
  if (!named && (await isInOtherOrder(one, readings))) return;
  if (!named) {
    const effects = isOpenOnOwn(nearest) ? await effectsOf(one, readings[0]) : null;
    const own = { ...nearest, report: ofAll(one, nearest.report) };
    return say(one, effects?.inherited ? await withInput(one, own, readings[0], effects) : own);
  }
  const { found, reading } = named;
  await saysOwn(one, inSamples(found, reading.run), reading, readings[0]);
}

/** Several causes give all that it does on what it read, and the values do not tell which. */
function isOpenOnOwn({ report: { evidence } }: LayerDiagnosis): boolean {
  const { nearest } = (evidence.unexplained ?? {}) as Partial<CauseEvidence['unexplained']>;
  return nearest !== undefined && nearest.explained === nearest.of && nearest.lost === 0;
}

/** What is its own doing, beside what came with its input. */
async function saysOwn(one: Case, own: LayerDiagnosis, reading: Reading, first: Reading): Promise<void> {
  countOnOwn(one, reading);
  if (reading !== first || reading.kind !== 'chained') sayReading(one, reading.kind);
  say(one, await allOf(one, own, reading));
}

async function allOf(one: Case, own: LayerDiagnosis, reading: Reading): Promise<LayerDiagnosis> {
  const effects = isConstant(own) ? null : await effectsOf(one, reading);
  if (!effects) return alone(one, own, reading);
  return effects.departing > 0 ? withInput(one, own, reading, effects) : ofInputAlone(one, own, effects);
}

/** Nothing explains its values where they stand; where they are put back something does. */
async function isInOtherOrder(one: Case, readings: readonly Reading[]): Promise<boolean> {
  const ordered = await inOtherOrder(one.comparison, readings, one, readBackBy(one));
  if (ordered) await saysReadBack(one, ordered, readings[0], withOrder);
  return ordered !== null;
}

/** Nothing explains its values as they are written; read back as codes of the declared dtype something does. */
async function isInOtherSign(one: Case, readings: readonly Reading[]): Promise<boolean> {
  const signed = await inOtherSign(one.comparison, one.layer, readings, one, readBackBy(one));
  if (signed) await saysReadBack(one, signed, readings[0], withSign);
  return signed !== null;
}

function readBackBy(one: Case) {
  return (values: BothValues, reading: Reading) =>
    one.comparison.diagnosis.layer({ ...differingOf({ ...one, ...values }, reading), met: one.met });
}

async function saysReadBack<B extends InOrder | InSign>(
  one: Case,
  back: B,
  first: Reading,
  withWriting: (comparison: OwnComparison, report: LayerReport, back: B, found: LayerDiagnosis) => LayerDiagnosis,
): Promise<void> {
  const { values, reading, stored, found } = back;
  const own = await allOf({ ...one, ...values }, inSamples(found, reading.run), reading);
  countOnOwn(one, stored);
  if (stored !== first || stored.kind !== 'chained') sayReading(one, stored.kind);
  say(one, withWriting(one.comparison, one.report, back, own));
}

/** No cause explains it, or by a number only; other operands than the file's may. */
async function onOthers(
  { comparison, met, observed, zeroPoint }: Case,
  reading: Reading,
  isExplained: boolean,
): Promise<LayerDiagnosis | null> {
  const { model, session, from, to, fast } = comparison;
  const { work } = comparison.diagnosis;
  const diagnosis = () => new Diagnosis('candidate', model.producer, (name) => session.paramsOf(name), fast, work);
  const read = { session: reading.session, reading, observed, zeroPoint, isExplained, diagnosis, work, met };
  return onOtherOperands({ model, from, to, fast, subject: 'candidate', ...read });
}

/** One of so many runtimes rounds one or two sums so by chance. */
const FEWEST_OF_FORM = 3;

/** No cause explains it; another runtime's form of the layer may. */
async function formOf(
  { comparison, layer, observed }: Case,
  { session, run, diff }: Reading,
): Promise<LayerDiagnosis | null> {
  if (isProduct(layer) && diff.mismatched < FEWEST_OF_FORM) return null;
  const { model, from, to } = comparison;
  const asked = { session, layer, declared: run.kernel, producer: model.producer, observed, from, to };
  return otherRuntime({ ...asked, mismatched: diff.mismatched, subject: 'candidate' });
}

type OfInput = Effects & { readonly from: string };

/** All that differs is its own doing. */
async function alone(one: Case, own: LayerDiagnosis, reading: Reading): Promise<LayerDiagnosis> {
  const [fix] = own.report.fixes;
  const rehearsed = fix ? [{ ...fix, rehearsal: await toMeet(one, reading) }] : [];
  const fixes = [...changing(one, rehearsed), ...(await others(one, reading))];
  return { ...own, report: { ...ofAll(one, own.report), ...fixed(fixes) } };
}

/** Part of it came with the input: that is said first, and how many values each takes. */
async function withInput(
  one: Case,
  own: LayerDiagnosis,
  reading: Reading,
  { from, inherited: values, departing }: OfInput,
): Promise<LayerDiagnosis> {
  const { causes, evidence } = own.report;
  const [fix] = own.report.fixes;
  const text = firstFixSentence(one.report, from, values);
  const first: Fix = { subject: 'candidate', text, rehearsal: await onCaptured(one, own) };
  const itsOwn = fix ? [{ ...fix, rehearsal: await toMeet(one, reading) }] : [];
  // where both are needed, its own may leave as many by itself, by what came with the input
  const isEnough = first.rehearsal?.mismatched_after_fix === 0;
  const fixes = [...changing(one, [first]), ...(isEnough ? changing(one, itsOwn) : itsOwn)];
  const counts = Object.fromEntries(
    causes.map((cause) => [cause, { values: departing, ...(evidence[cause] as object | undefined) }]),
  );
  const report = {
    ...ofAll(one, own.report),
    causes: ['inherited', ...causes],
    evidence: { inherited: { from, values }, ...evidence, ...counts },
    ...fixed(fixes),
  };
  return { ...own, report, byChannel: withInputByChannel(one, own, reading) };
}

/** What it does otherwise gives no value that differs: all of these are as declared on what it read. */
async function ofInputAlone(one: Case, own: LayerDiagnosis, { from, inherited: values }: OfInput) {
  const kernel = own.report.kernel ?? one.report.kernel ?? '';
  const text = firstFixSentence(one.report, from, values);
  const first: Fix = { subject: 'candidate', text, rehearsal: await onCaptured(one, { ...own, changes: [] }) };
  const all = inherited(one.report, kernel, from)!;
  const report = {
    ...all,
    subject: 'candidate' as const,
    evidence: { inherited: { from, values } },
    ...fixed([first]),
  };
  return { ...own, report, byChannel: new Map(), changes: [] };
}

/** A channel that does as declared on what it read has nothing of its own. */
function withInputByChannel({ report }: Case, own: LayerDiagnosis, { diff }: Reading): LayerDiagnosis['byChannel'] {
  const causesOf = (channel: number) => own.byChannel.get(channel) ?? own.report.causes;
  const channels = (report.channels ?? []).map(({ channel }) => channel);
  return new Map(
    channels.map((channel) => [channel, ['inherited', ...(diff.differing[channel] ? causesOf(channel) : [])]]),
  );
}

/** By the input alone, and by what it does with it; null: it read the same. */
async function effectsOf(one: Case, reading: Reading): Promise<OfInput | null> {
  const other =
    reading.kind === 'captured' ? null : await otherInput(one.comparison.session, reading.run, one.comparison);
  if (!other) return null;
  const effects = await one.comparison.diagnosis.effects(
    differingOf(one, reading),
    differingOf(one, reading, one.expected),
    one.met?.changes ?? [],
  );
  return effects && effects.inherited > 0 ? { ...effects, from: sourceOf(one.comparison, other) } : null;
}

// ---------------------------------------------------------------- rehearsals

/** It does as the other side is found to do, on what it read itself. */
async function toMeet(one: Case, reading: Reading): Promise<Fix['rehearsal']> {
  return rehearsed(one, reading, one.met?.changes ?? []);
}

/** It does as it is found to do, on what the other side read. */
async function onCaptured(one: Case, { changes }: LayerDiagnosis): Promise<Fix['rehearsal']> {
  const { comparison, layer } = one;
  // on other operands than the file's it is no change of the layer
  if (changes.length === 0 || comparison.session.whyNotReplayed(layer)) return null;
  const run = await comparison.session.open(layer);
  return rehearsed(one, { run, diff: { mismatched: 0, witnesses: [] } }, changes);
}

async function rehearsed(one: Case, reading: Judged, changes: LayerDiagnosis['changes']) {
  const { comparison, expected, zeroPoint } = one;
  const differing = differingOf(one, reading, expected);
  // as declared: its replay is faster than a study of it
  const isReplayed = changes.length === 0 && zeroPoint === null && comparison.diagnosis.isStudied(differing);
  const left = isReplayed
    ? (await diffReplay(comparison, reading.run, expected, null)).mismatched
    : await comparison.diagnosis.rehearse(differing, changes);
  return left === null ? null : { mismatched_after_fix: left };
}

/** The other side, where it can move too: alone it comes to what is declared. */
async function others(one: Case, { diff }: Reading): Promise<Fix[]> {
  const fixes = capturesFixes(one.captured).filter(({ subject }) => subject === 'capture');
  return changing(
    one,
    fixes.slice(-1).map((fix) => ({ ...fix, rehearsal: { mismatched_after_fix: diff.mismatched } })),
  );
}

/** A fix that leaves as many values as there were is none. */
function changing({ report }: Case, fixes: readonly Fix[]): Fix[] {
  return fixes.filter(({ rehearsal }) => rehearsal === null || rehearsal.mismatched_after_fix < report.mismatched!);
}
