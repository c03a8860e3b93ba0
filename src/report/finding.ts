/** What is said of some layers that differ. In a file of its own: a report without any loads no words for them. */
import type { LayerReport, Report } from '../nouns/report.js';
import { listed } from '../text.js';

export interface Finding {
  /** The layers it is about, in the report's order. */
  readonly layers: readonly LayerReport[];
  /** "PyTorch: ...", and "Yours: ..." with a candidate. */
  readonly headlines: readonly string[];
  readonly details: readonly FindingDetail[];
}

export interface FindingDetail {
  readonly label: string;
  readonly sentences: readonly string[];
  /** The sentences are lines to paste: where each goes stands before it. */
  readonly code?: readonly { readonly where: string; readonly text: string }[];
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
