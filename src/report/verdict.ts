/** What every format says of a run and of a layer, in the same words. Names are printable, nothing more. */

import type { ChannelReport, LayerReport, MismatchReport, Report } from '../nouns/report.js';
import { counted, printable } from '../text.js';
import { size } from './numbers.js';

/** What verdict and exit code are about. */
export function judged(report: Report): readonly LayerReport[] {
  return report.candidate_layers ?? report.layers;
}

export function differs(layer: LayerReport): boolean {
  return layer.status === 'mismatch' && layer.accepted === null;
}

/** "MISMATCH: 2 of 3 layers differ, 971 of 5285 values; 1 layer not compared", in its two parts. */
export function verdict(report: Report): { readonly word: 'MATCH' | 'MISMATCH'; readonly text: string } {
  const layers = judged(report);
  const compared = layers.filter((layer) => layer.values !== null);
  const values = compared.reduce((sum, layer) => sum + layer.values!, 0);
  const differing = layers.filter(differs);
  const accepted = layers.filter((layer) => layer.accepted !== null);
  const uncompared = layers.length - compared.length;
  const also = [
    accepted.length > 0
      ? `${counted(accepted.length, 'layer')} within ${[...new Set(accepted.map((l) => l.accepted))].join(' or ')}`
      : null,
    uncompared > 0 ? `${counted(uncompared, 'layer')} not compared` : null,
  ].filter((part) => part !== null);
  const finding =
    report.verdict === 'match'
      ? accepted.length > 0
        ? 'nothing differs beyond what is accepted'
        : `all ${counted(values, 'value')} of ${counted(compared.length, 'layer')} are equal`
      : differing.length > 0
        ? mismatchSentence(differing, compared.length, values)
        : layers.some((layer) => layer.accumulator && layer.accumulator.mismatched > 0)
          ? 'every output is equal, but accumulators differ'
          : 'not everything that is required was compared';
  return { word: report.verdict === 'match' ? 'MATCH' : 'MISMATCH', text: [finding, ...also].join('; ') };
}

function mismatchSentence(differing: readonly LayerReport[], compared: number, values: number): string {
  const mismatched = differing.reduce((sum, layer) => sum + layer.mismatched!, 0);
  const verb = differing.length === 1 ? 'differs' : 'differ';
  return `${differing.length} of ${counted(compared, 'layer')} ${verb}, ${mismatched} of ${counted(values, 'value')}`;
}

export function firstDivergence(report: Report): LayerReport | null {
  return judged(report).find(({ name }) => name === report.first_divergence) ?? null;
}

/** "sample 0, channel 0: expected 164, actual 153" */
export function firstMismatch({ first_mismatch: first }: LayerReport): string | null {
  return first && mismatchText(first);
}

function mismatchText({ sample, channel, at = [], expected, actual }: MismatchReport): string {
  const where = `sample ${sample}, channel ${channel}${at.length > 0 ? `, at ${at.join(',')}` : ''}`;
  return `${where}: expected ${expected}, actual ${actual}`;
}

/** "12 of 2416 accumulators differ, by up to 5888 (sample 0, channel 3: expected -3392, actual 2496)"; null: none do. */
export function accumulatorSentence({ accumulator }: LayerReport): string | null {
  if (!accumulator || accumulator.mismatched === 0) return null;
  const { mismatched, values, max_abs_diff, first_mismatch: first } = accumulator;
  return `${mismatched} of ${counted(values, 'accumulator')} differ, by up to ${size(max_abs_diff)} (${mismatchText(first!)})`;
}

/** "963 of 2416 values, by up to 74 lsb" */
export function extentOf({ mismatched, values, max_abs_diff, unit }: LayerReport): string {
  return `${mismatched} of ${counted(values!, 'value')}, by up to ${size(max_abs_diff!)} ${unit}`;
}

/** "int16-saturation (within baseline)", "not replayed"; empty where a layer is equal. */
export function whyOf(layer: LayerReport, report: Report): string {
  if (layer.status === 'not-replayed') return 'not replayed';
  if (layer.status === 'not-captured') return isCandidate(layer, report) ? 'not in the candidate' : 'not captured';
  if (layer.status === 'match') return '';
  const causes = causesOf(layer, report).map(printable).join(' + ') || 'not diagnosed';
  return layer.accepted ? `${causes} (within ${layer.accepted})` : causes;
}

export function isCandidate(layer: LayerReport, report: Report): boolean {
  return report.candidate_layers?.includes(layer) ?? false;
}

/** Both sides' causes: a candidate differs from the capture by its own, by PyTorch's, and by what came with its input. */
export function causesOf(layer: LayerReport, report: Report): string[] {
  const captured = report.layers.find(({ name }) => name === layer.name)?.diagnosis?.causes ?? [];
  return [...new Set([...ownCauses(layer), ...(isCandidate(layer, report) ? captured : [])])];
}

/** `inherited` comes first, and besides the layer's own. */
export function ownCauses({ diagnosis }: LayerReport): string[] {
  if (!diagnosis) return [];
  return Object.hasOwn(diagnosis.evidence, 'inherited') ? ['inherited', ...diagnosis.causes] : diagnosis.causes;
}

/** What PyTorch and the input add to the causes of a candidate's channels; whole: the report with every channel. */
export function addedCauses(layer: LayerReport, report: Report, whole = report): (channel: number) => string[] {
  if (!isCandidate(layer, report)) return () => [];
  const captured = whole.layers.find(({ name }) => name === layer.name)?.channels ?? [];
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

/** "channel 8: 91 values by up to 74" */
export function channelSentence({ channel, mismatched, max_abs_diff }: ChannelReport): string {
  return `channel ${channel}: ${counted(mismatched, 'value')} by up to ${size(max_abs_diff)}`;
}
