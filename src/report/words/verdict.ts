/** What every format says of a run and of a layer, in the same words. Names are printable, nothing more. */

import { accumulatorsDiffer, differs, judged } from '../../compare/judged.js';
import { inOrder } from '../../diagnose/finding/causesInOrder.js';
import { frameworkName } from '../../diagnose/finding/frameworks.js';
import type { ChannelReport, LayerReport, MismatchReport, Report } from '../../nouns/report.js';
import { counted, nineDigits, printable } from '../../text.js';
import { largestInUnits, largestOf } from './differences.js';
import { kindsHeld, notFiniteIn } from './notFinite.js';
import { size, total } from './numbers.js';

const named = new WeakMap<readonly LayerReport[], ReadonlyMap<string, LayerReport>>();

/** A report's layers by their names, which differ. Kept, since every row asks: searched through, 20,000 rows took a minute. */
export function byName(layers: readonly LayerReport[]): ReadonlyMap<string, LayerReport> {
  const known = named.get(layers) ?? new Map(layers.map((layer) => [layer.name, layer]));
  named.set(layers, known);
  return known;
}

/** The warning that model and capture are of two trainings: no finding of a layer says so. */
export const TWO_TRAININGS = 'two-trainings';

/** Layers of a sentence that are named; a report's JSON has all. */
const MOST_NAMES = 8;

interface Verdict {
  readonly matches: boolean;
  /** MISMATCH, MATCH, or "MATCH of 2 of 5 layers": the word does not stand alone where something was compared with nothing. */
  readonly word: string;
  readonly text: string;
  /** Both: "MATCH of 2 of 5 layers; conv1, conv2, add were compared with nothing; ..." */
  readonly line: string;
}

/** quoted: how a name is written, where more than control characters would be obeyed. */
export function verdict(report: Report, quoted: (name: string) => string = printable): Verdict {
  const { compared, layers, not_compared: missing } = report.coverage;
  const accepted = judged(report).filter((layer) => layer.accepted !== null);
  const within = [...new Set(accepted.map((layer) => layer.accepted))].join(' or ');
  const also = accepted.length > 0 ? [`${counted(accepted.length, 'layer')} within ${within}`] : [];
  const uncompared = uncomparedSentences(report, quoted);
  if (report.verdict === 'mismatch') {
    const stale = report.warnings.some(({ code }) => code === TWO_TRAININGS) ? ['these look like two trainings'] : [];
    const text = [mismatchFinding(report), ...stale, ...also, ...uncompared].join('; ');
    return { matches: false, word: 'MISMATCH', text, line: `MISMATCH: ${text}` };
  }
  if (report.warnings.some(({ code }) => code === 'goldens-own')) return goldensOwn(equalSentence(report));
  const of = `${compared} of ${counted(layers, 'layer')}`;
  const finding = accepted.length > 0 ? 'nothing differs beyond what is accepted' : equalSentence(report);
  if (missing.length === 0) {
    const text = [`${of} compared`, finding, ...also].join('; ');
    return { matches: true, word: 'MATCH', text, line: `MATCH: ${text}` };
  }
  const text = [...uncompared, finding, ...also].join('; ');
  return { matches: true, word: `MATCH of ${of}`, text, line: `MATCH of ${of}; ${text}` };
}

/** A folder of golden vectors that nobody wrote into is equal to what it was made of: it says nothing of an implementation. */
function goldensOwn(equal: string): Verdict {
  const word = "MATCH of golden's own files";
  const text = `the candidate is as golden wrote it, no result of yours was compared; ${equal}`;
  return { matches: true, word, text, line: `${word}: ${text}` };
}

/** "conv1, conv2, add were compared with nothing"; none where all layers were. */
export function uncomparedSentences({ coverage: { not_compared: missing } }: Report, quoted = printable): string[] {
  const more = missing.length - MOST_NAMES;
  const shown = missing
    .slice(0, MOST_NAMES)
    .map((name) => quoted(name))
    .join(', ');
  const names = more > 0 ? `${shown} and ${more} more` : shown;
  return missing.length === 0 ? [] : [`${names} ${missing.length === 1 ? 'was' : 'were'} compared with nothing`];
}

/** "layers of 2 models were compared with nothing", where a heading stands for all of them. */
export function uncomparedInRuns(reports: readonly Report[]): string[] {
  const count = reports.filter(({ coverage }) => coverage.not_compared.length > 0).length;
  return count === 0 ? [] : [`layers of ${counted(count, 'model')} were compared with nothing`];
}

function equalSentence(report: Report): string {
  const values = total(judged(report).map((layer) => layer.values));
  const accumulators = total(judged(report).map(({ accumulator }) => accumulator?.values));
  const near = total(judged(report).map(({ within_bound }) => within_bound));
  const within = near > 0 ? `, ${near} of them within the float path's proven error` : '';
  if (values === 1) return `its 1 value is equal${within}`;
  if (values > 0) return `all ${counted(values, 'value')} are equal${within}`;
  return accumulators > 0 ? `all ${counted(accumulators, 'accumulator')} are equal` : 'nothing was compared';
}

function mismatchFinding(report: Report): string {
  const layers = judged(report);
  const compared = layers.filter((layer) => layer.values !== null);
  const differing = layers.filter(differs);
  const values = compared.reduce((sum, layer) => sum + layer.values!, 0);
  if (differing.length > 0) return mismatchSentence(differing, compared.length, values);
  if (!layers.some(accumulatorsDiffer)) {
    return 'not everything that is required was compared';
  }
  return values > 0 ? 'every output is equal, but accumulators differ' : 'accumulators differ';
}

function mismatchSentence(differing: readonly LayerReport[], compared: number, values: number): string {
  const mismatched = differing.reduce((sum, layer) => sum + layer.mismatched!, 0);
  const verb = differing.length === 1 ? 'differs' : 'differ';
  return `${differing.length} of ${counted(compared, 'layer')} ${verb}, ${mismatched} of ${counted(values, 'value')}`;
}

export function firstDivergence(report: Report): LayerReport | null {
  return judged(report).find(({ name }) => name === report.first_divergence) ?? null;
}

/** "first divergent layer"; where the candidate lacks what it read, the difference may begin before it. */
export function firstDivergenceLabel({ warnings, first_divergence: first }: Report): string {
  const unknown = warnings.some(({ code, where }) => code === 'unknown-input' && where === first);
  return unknown ? 'first layer that shows a difference' : 'first divergent layer';
}

/** "sample 0, channel 0: expected 164, actual 153" */
export function firstMismatch({ first_mismatch: first }: LayerReport): string | null {
  return first && mismatchText(first);
}

function mismatchText({ sample, channel, at = [], expected, actual }: MismatchReport): string {
  const where = `sample ${sample}, channel ${channel}${at.length > 0 ? `, at ${at.join(',')}` : ''}`;
  return `${where}: expected ${nineDigits(expected)}, actual ${nineDigits(actual)}`;
}

/** "12 of 2416 accumulators differ, by up to 5888 (sample 0, channel 3: expected -3392, actual 2496)"; null: none do. */
export function accumulatorSentence({ accumulator }: LayerReport): string | null {
  if (!accumulator || accumulator.mismatched === 0) return null;
  const { mismatched, values, max_abs_diff, first_mismatch: first } = accumulator;
  return `${mismatched} of ${counted(values, 'accumulator')} differ, by up to ${size(max_abs_diff)} (${mismatchText(first!)})`;
}

/** "963 of 2416 values, by up to 74 lsb" */
export function extentOf(layer: LayerReport): string {
  return `${layer.mismatched} of ${counted(layer.values!, 'value')}, by up to ${largestInUnits(layer)}`;
}

/** "int16-saturation (within baseline)", "not replayed"; empty where a layer is equal. */
export function whyOf(layer: LayerReport, report: Report): string {
  if (layer.status === 'not-replayed') return 'not replayed';
  if (accumulatorsDiffer(layer)) return 'its accumulators differ';
  if (layer.status === 'not-captured') {
    if (layer.accumulator) return 'only its accumulators';
    return isCandidate(layer, report) ? 'not in the candidate' : 'not captured';
  }
  if (layer.status === 'match') return '';
  const held = notFiniteIn(layer);
  if (held.length > 0) return kindsHeld(held);
  const causes = causesOf(layer, report).map(printable).join(' + ') || undiagnosed(layer, report);
  return layer.accepted ? `${causes} (within ${layer.accepted})` : causes;
}

/** A cause is a change in how a layer is computed: without a replay there is none to try. */
function undiagnosed({ name }: LayerReport, report: Report): string {
  const replayed = byName(report.layers).get(name);
  return replayed?.status === 'not-replayed' ? 'not replayed, so not explained' : 'not diagnosed';
}

function isCandidate(layer: LayerReport, report: Report): boolean {
  return report.candidate_layers !== null && byName(report.candidate_layers).get(layer.name) === layer;
}

/** How the values that a candidate is held against came about: the capture's row; null where they are the replay's. */
function expectedSide(layer: LayerReport, report: Report, whole = report): LayerReport | null {
  if (!isCandidate(layer, report) || report.against === 'replay') return null;
  return byName(whole.layers).get(layer.name) ?? null;
}

/** "the capture (PyTorch)": the side that is right by definition. */
export function expectedSource(report: Report): string {
  const { against, kernel } = report;
  return against === 'capture' ? captureNamed(report) : `the replay (${printable(kernel)}, from the captured inputs)`;
}

/** "the candidate (c.npz, LiteRT)". */
export function candidateNamed({ candidate, candidate_framework: framework }: Report): string {
  const name = frameworkName(framework);
  return `the candidate (${printable(candidate ?? '')}${name ? `, ${name}` : ''})`;
}

function captureNamed({ framework }: Report): string {
  const name = frameworkName(framework);
  return name ? `the capture (${name})` : 'the capture';
}

/** Both sides' causes: a candidate differs from the capture by its own, by PyTorch's, and by what came with its input. */
export function causesOf(layer: LayerReport, report: Report): string[] {
  const captured = expectedSide(layer, report)?.diagnosis?.causes ?? [];
  return [...new Set([...ownCauses(layer), ...captured])];
}

/** `inherited` comes first, and besides the layer's own; then what most values need. */
export function ownCauses({ diagnosis }: LayerReport): string[] {
  if (!diagnosis) return [];
  const { causes, evidence } = diagnosis;
  return inOrder([...new Set(Object.hasOwn(evidence, 'inherited') ? ['inherited', ...causes] : causes)], evidence);
}

/** What PyTorch and the input add to the causes of a candidate's channels; whole: the report with every channel. */
export function addedCauses(layer: LayerReport, report: Report, whole = report): (channel: number) => string[] {
  if (!isCandidate(layer, report)) return () => [];
  const captured = expectedSide(layer, report, whole)?.channels ?? [];
  const byChannel = new Map(captured.map(({ channel, causes }) => [channel, causes]));
  const inherited = ownCauses(layer).filter((cause) => cause === 'inherited');
  return (channel) => [...inherited, ...(byChannel.get(channel) ?? [])];
}

/** Layers that had to be compared and were not: each fails the run. */
export function requiredButMissing(report: Report): ReadonlySet<string> {
  return new Set(report.warnings.filter(({ code }) => code === 'require-replayed').map(({ where }) => where));
}

export function differingChannels(layer: LayerReport): number {
  return (layer.channels?.length ?? 0) + (layer.channels_omitted ?? 0);
}

/** Of very many channels those at the end are counted together: the worst may be among them. whole: the report with every channel. */
export function countedTogether({ name }: LayerReport, whole: Report): string {
  const omitted = judged(whole).find((one) => one.name === name)!.channels_omitted ?? 0;
  return omitted > 0 ? `, ${omitted} of them not counted one by one` : '';
}

/** "channel 8: 91 values by up to 74" */
export function channelSentence(channel: ChannelReport): string {
  return `channel ${channel.channel}: ${counted(channel.mismatched, 'value')} by up to ${size(largestOf(channel))}`;
}
