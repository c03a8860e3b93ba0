/** The findings of a report as data: who departs, how, what shows it, what to do. Formats only lay them out. */
import {
  actsOnSteps,
  causeTitles,
  confirmation,
  evidenceSentences,
  explainedBySentence,
  explainedSentence,
  explanations,
  type FindingContext,
  headline,
  imitation,
  indistinguishableSentences,
  inheritedSentence,
  rehearsalSentence,
  sharedAccumulation,
} from '../diagnose/sentences.js';
import type { DiagnosisReport, LayerReport, Report } from '../nouns/report.js';
import { listed, printable } from '../text.js';
import { frameworkName } from './framework.js';

export interface Finding {
  /** The layers it is about, in the report's order. */
  readonly layers: readonly LayerReport[];
  /** "PyTorch: ...", and "Yours: ..." with a candidate. */
  readonly headlines: readonly string[];
  readonly details: readonly { readonly label: string; readonly sentences: readonly string[] }[];
}

/** One side's departure in one layer. */
interface Side {
  readonly context: FindingContext;
  readonly diagnosis: DiagnosisReport;
  readonly layer: LayerReport;
}

interface Explained {
  readonly layer: LayerReport;
  readonly capture: Side | null;
  readonly candidate: Side | null;
}

/** Findings of the layers that are judged and pass `selects`; layers with the same departure share one. */
export function findings(report: Report, selects: (layer: LayerReport) => boolean): Finding[] {
  const replayed = new Map(report.layers.map((layer) => [layer.name, layer]));
  const explained = (report.candidate_layers ?? report.layers)
    .filter((layer) => layer.diagnosis !== null && selects(layer))
    .map((layer): Explained => {
      if (report.candidate_layers === null) return { layer, capture: sideOf(layer, report), candidate: null };
      const capture = report.against === 'replay' ? undefined : replayed.get(layer.name);
      return { layer, capture: capture ? sideOf(capture, report) : null, candidate: sideOf(layer, report) };
    });
  const groups = new Map<string, Explained[]>();
  for (const one of explained) {
    const key = groupKey(one);
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  const expected = report.against === 'replay' ? 'The replay' : (frameworkName(report.framework) ?? 'The capture');
  return [...groups.values()].map((group) => (group[0].candidate ? threeWay(group, expected) : twoWay(group)));
}

function sideOf(layer: LayerReport, report: Report): Side | null {
  const { diagnosis } = layer;
  if (!diagnosis) return null;
  const context: FindingContext = {
    framework: frameworkName(report.framework),
    layer: layer.name,
    op: layer.op,
    subject: diagnosis.subject,
    declaredKernel: layer.kernel ?? report.kernel,
    foundKernel: diagnosis.kernel,
    explainedBy: diagnosis.explained_by,
    evidence: diagnosis.evidence,
  };
  return { context, diagnosis, layer };
}

/** Layers share a finding where the same step departs in the same way; a wrong number is every layer's own. */
function groupKey({ layer, capture, candidate }: Explained): string {
  const sides = [capture, candidate].filter((side) => side !== null);
  const own = sides.some((side) => !actsOnSteps(side.diagnosis.causes));
  const words = sides.map(({ diagnosis, context }) => {
    const { causes, subject, kernel, fix } = diagnosis;
    return [subject, kernel, fix, causeTitles(causes, context.evidence), sharedAccumulation(diagnosis.explained_by)];
  });
  return JSON.stringify([own ? layer.name : '', capture === null, words]);
}

/** The headline of several layers claims what all of them have in common. */
function sharedHeadline(sides: readonly Side[]): string {
  const [{ context, diagnosis }] = sides;
  const explainedBy = shared(sides.map((side) => side.diagnosis.explained_by));
  return headline({ ...context, explainedBy }, diagnosis.causes);
}

/** The replay against the capture: PyTorch or the model file departs. */
function twoWay(group: readonly Explained[]): Finding {
  const sides = group.map((one) => one.capture!);
  const [{ context, diagnosis }] = sides;
  return {
    layers: group.map((one) => one.layer),
    headlines: [sharedHeadline(sides)],
    details: filled([
      ['explained', explainedLines(sides)],
      ['because', explanations(diagnosis.causes, context.evidence)],
      ['evidence', evidenceLines(sides)],
      ['kernels', [explainedBySentence(shared(sides.map((side) => side.diagnosis.explained_by)))]],
      ['or', indistinguishableSentences(context, diagnosis.indistinguishable)],
      ['fix', [diagnosis.fix]],
      ['rehearsal', [rehearsal(sides)]],
      ['confirm', [confirmation(context, diagnosis.causes)]],
    ]),
  };
}

/** The candidate against the capture: both sides' departures from what is declared, and how they can agree. */
function threeWay(group: readonly Explained[], expected: string): Finding {
  const yours = group.map((one) => one.candidate!);
  const theirs = group.flatMap((one) => one.capture ?? []);
  const [own] = yours;
  const capture = theirs.at(0) ?? null;
  const layers = group.map((one) => one.layer);
  const headlines = [
    capture ? sharedHeadline(theirs) : `${expected}: as declared (${printable(own.context.declaredKernel)})`,
    sharedHeadline(yours),
  ];
  if (own.diagnosis.causes.every((cause) => cause === 'inherited') && own.diagnosis.causes.length > 0) {
    return { layers, headlines, details: filled([['explained', explainedLines(yours)]]) };
  }
  return {
    layers,
    headlines,
    details: filled([
      ['explained', explainedLines(yours)],
      ['inherited', yours.flatMap(({ context }) => inheritedSentence(context) ?? [])],
      [
        'because',
        explanations(
          [...new Set([...(capture?.diagnosis.causes ?? []), ...own.diagnosis.causes])],
          own.context.evidence,
        ),
      ],
      ['evidence', [...evidenceLines(theirs), ...evidenceLines(yours)]],
      ['or', indistinguishableSentences(own.context, own.diagnosis.indistinguishable)],
      ['to agree', agreement(capture, own)],
      ['rehearsal', [rehearsal(yours) ?? rehearsal(theirs)]],
      ['confirm', [capture && confirmation(capture.context, capture.diagnosis.causes)]],
    ]),
  };
}

/** Either side can follow the other where only PyTorch departs; where both do, each has its part. */
function agreement(capture: Side | null, own: Side): string[] {
  const imitate = capture && imitation(capture.context, capture.diagnosis.causes);
  const ofYours = [own.diagnosis.fix, imitate].filter((sentence) => sentence !== null);
  const ofCapture = capture?.diagnosis.fix;
  return [
    ...(ofCapture ? [`${capture?.context.framework ?? 'the capture'}: ${ofCapture}`] : []),
    ...ofYours.map((sentence) => `${ofCapture && !own.diagnosis.fix ? 'or yours' : 'yours'}: ${sentence}`),
  ];
}

function filled(details: readonly (readonly [string, readonly (string | null)[]])[]): Finding['details'] {
  return details
    .map(([label, sentences]) => ({ label, sentences: sentences.filter((sentence) => sentence !== null) }))
    .filter(({ sentences }) => sentences.length > 0);
}

/** Layer by layer for a few, all together for many. */
function explainedLines(sides: readonly Side[]): string[] {
  const sum = (field: 'explained' | 'of' | 'lost') => sides.reduce((total, side) => total + side.diagnosis[field], 0);
  const all = explainedSentence(sum('explained'), sum('of'), sum('lost'));
  if (sides.length === 1) return [all];
  if (sides.length > 3) return [`${all} in ${sides.length} layers`];
  return sides.map(({ layer, diagnosis: { explained, of, lost } }) => {
    return `${printable(layer.name)}: ${explainedSentence(explained, of, lost)}`;
  });
}

/** The first layer's stands for the group. */
function evidenceLines(sides: readonly Side[]): string[] {
  if (sides.length === 0) return [];
  const [{ context, diagnosis }] = sides;
  const sentences = evidenceSentences(context, diagnosis.causes);
  return sides.length === 1 || sentences.length === 0
    ? sentences
    : sentences.map((sentence, i) => (i === 0 ? `${printable(context.layer)}, ${sentence}` : sentence));
}

/** What all of the lists have in common. */
function shared(lists: readonly string[][]): string[] {
  return lists.reduce((common, list) => common.filter((name) => list.includes(name)));
}

function rehearsal(sides: readonly Side[]): string | null {
  const rehearsed = sides.filter((side) => side.diagnosis.rehearsal !== null);
  if (rehearsed.length === 0) return null;
  const left = rehearsed.reduce((sum, side) => sum + side.diagnosis.rehearsal!.mismatched_after_fix, 0);
  return rehearsalSentence(
    left,
    rehearsed.reduce((sum, side) => sum + (side.layer.values ?? 0), 0),
  );
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
