/** What is said of some layers that differ. In a file of its own: a report without any loads no words for them. */
import type { LayerReport, Report } from '../../nouns/report.js';
import { listed } from '../../text.js';

export interface Finding {
  /** The layers it is about, in the report's order. */
  readonly layers: readonly LayerReport[];
  /** "PyTorch: ...", and "Yours: ..." with a candidate. */
  readonly headlines: readonly string[];
  readonly details: readonly FindingDetail[];
}

export interface Paste {
  readonly where: string;
  readonly lines: readonly string[];
}

export interface FindingDetail {
  readonly label: string;
  readonly sentences: readonly string[];
  /** The sentences are lines to paste, those of one place together. */
  readonly code?: readonly Paste[];
  /** Of a way to agree, what is to be done and pasted: another finding may say the same. */
  readonly fix?: string;
}

/** Findings of the layers that `selects` passes. */
export type Tell = (report: Report, selects: (layer: LayerReport) => boolean) => Finding[];

export function hasFindings({ layers, candidate_layers }: Report): boolean {
  return [...layers, ...(candidate_layers ?? [])].some(({ diagnosis }) => diagnosis !== null);
}

/** A finding as plain lines, for formats without columns. */
export function findingText({ headlines, details }: Finding): string[] {
  const labelled = details.flatMap(({ label, sentences }) => {
    return sentences.map((sentence, i) => `${(i === 0 ? label : '').padEnd(9)}  ${sentence}`);
  });
  return [...headlines, ...labelled];
}

/** The names of a finding's layers, for its heading. */
export function findingLayers(finding: Finding): string {
  return listed(finding.layers.map((layer) => layer.name));
}

/** Shorter advice is sooner read again than looked up. */
const WORTH_A_LOOK = 60;

const PLACES = ['the first', 'the second', 'the third', 'the fourth'];

/** In the order in which they are read: what to do stands in the first that says it, which `called` names elsewhere. */
export function fixesSaidOnce(
  findings: readonly Finding[],
  called: (first: Finding, index: number) => string = (one) => `for ${findingLayers(one)}`,
): Finding[] {
  const first = new Map<string, number>();
  return findings.map((finding, index) => {
    const details = finding.details.flatMap((detail): readonly FindingDetail[] => {
      const { label, code, fix } = detail;
      if (fix === undefined || fix.length < WORTH_A_LOOK) return [detail];
      if (!first.has(fix)) first.set(fix, index);
      const at = first.get(fix)!;
      if (at === index) return [detail];
      return code
        ? []
        : [{ label, sentences: [`the same as ${placeOf(fix, findings[at])}${called(findings[at], at)}`] }];
    });
    return { ...finding, details };
  });
}

/** Which of a finding's ways to agree it is, where there are several. */
function placeOf(fix: string, { details }: Finding): string {
  const all = details.filter((detail) => detail.fix !== undefined && !detail.code).map((detail) => detail.fix);
  return all.length > 1 ? `${PLACES[all.indexOf(fix)] ?? 'one'} ` : '';
}
