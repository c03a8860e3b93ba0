/** The findings of a report as data: who departs, how, what shows it, what to do. Formats only lay them out. */

import { judged } from '../../compare/judged.js';
import { inOrder } from '../../diagnose/finding/causesInOrder.js';
import { frameworkName } from '../../diagnose/finding/frameworks.js';
import {
  actsOnSteps,
  causeTitles,
  confirmation,
  evidenceSentences,
  explainedBySentence,
  explainedSentence,
  explanations,
  indistinguishableSentences,
  reasons,
  sharedAccumulation,
} from '../../diagnose/finding/sentences.js';
import type { FindingContext } from '../../diagnose/words/causeWords.js';
import type { DiagnosisReport, LayerReport, Report } from '../../nouns/report.js';
import { printable } from '../../text.js';
import { grouped } from '../grouped.js';
import type { Finding } from './finding.js';
import { inheritedLines, isInherited, ofItsOwn, type Side } from './ofItsOwn.js';
import {
  asOne,
  evidenceLines,
  evidenceOfFirst,
  explainedLines,
  filled,
  fixLines,
  MOST_LINES,
  mostOf,
  shared,
  sharedHeadlines,
  whereLines,
} from './ofSeveral.js';
import { twoCapturesDetails, twoCapturesHeadline, twoCapturesKey, twoCapturesOf } from './twoCaptures.js';
import { isOfTwoFiles, twoFilesSaid, twoFilesTitle } from './twoFiles.js';

interface Explained {
  readonly layer: LayerReport;
  readonly capture: Side | null;
  readonly candidate: Side | null;
}

/** Findings of the layers that are judged and pass `selects`; layers with the same departure share one. */
export function findings(report: Report, selects: (layer: LayerReport) => boolean): Finding[] {
  return findingsOf(report)(judged(report).filter(selects));
}

/** For a report that is asked layer by layer: its thousands are looked through once. */
export function findingsOf(report: Report): (layers: readonly LayerReport[]) => Finding[] {
  const replayed = new Map(report.layers.map((layer) => [layer.name, layer]));
  return (layers) => found(report, layers, replayed);
}

function found(report: Report, layers: readonly LayerReport[], replayed: ReadonlyMap<string, LayerReport>): Finding[] {
  const explained = layers
    .filter((layer) => layer.diagnosis !== null)
    .map((layer): Explained => {
      if (report.candidate_layers === null) return { layer, capture: sideOf(layer, report), candidate: null };
      const capture = report.against === 'replay' ? undefined : replayed.get(layer.name);
      return { layer, capture: capture ? sideOf(capture, report) : null, candidate: sideOf(layer, report) };
    });
  const expected = report.against === 'replay' ? 'The replay' : (frameworkName(report.framework) ?? 'The capture');
  const keyOf = (one: Explained) => (hasOtherNumbers(one, report) ? OTHER_NUMBERS : groupKey(one));
  const groups = alike([...grouped(explained, keyOf).values()], explained);
  const handing = groups.filter(([one]) => isHandedOn(one));
  const others = handing.length > 1 ? groups.filter(([one]) => !isHandedOn(one)) : groups;
  const told = others.map((group) => {
    const [{ layer, candidate, capture }] = group;
    if (candidate && !capture && twoCapturesOf(layer)) return ofTwoCaptures(group);
    if (group.length > 1 && hasOtherNumbers(group[0], report)) return ofTwoFiles(group, expected, report);
    const own = group.length > 1 ? group.map(besideInherited) : group;
    return candidate ? threeWay(own, expected, explained) : twoWay(own, explained);
  });
  return handing.length > 1 ? [...told, handedOn(handing.flat(), expected)] : told;
}

/** Nothing of its own: all that differs came with the input. */
function isHandedOn({ candidate, capture }: Explained): boolean {
  return isInherited((candidate ?? capture!).diagnosis);
}

/** Layers that only hand on what came to them: a line each. */
function handedOn(all: readonly Explained[], expected: string): Finding {
  const lines = all.slice(0, MOST_LINES).map(({ candidate, capture, layer }) => {
    const { context, diagnosis } = (candidate ?? capture)!;
    const from = context.evidence.inherited?.from;
    const { explained, of, lost } = diagnosis;
    const which = from === undefined ? '' : ` from ${printable(from)}`;
    return `${printable(layer.name)}${which}: ${explainedSentence(explained, of, lost)}`;
  });
  const said = 'inherited, each from the layer that it reads';
  return {
    layers: all.map(({ layer }) => layer),
    headlines: all[0].candidate ? [`${expected}: as declared`, `Yours: ${said}`] : [`Replay: ${said}`],
    details: filled([['explained', mostOf(lines, all.length)]]),
  };
}

const OTHER_NUMBERS = 'other numbers';

/** Only the candidate's file: where the capture departs as well, that is told too. */
function hasOtherNumbers({ capture, candidate }: Explained, report: Report): boolean {
  return !capture && candidate !== null && isOfTwoFiles(candidate, report);
}

/** Every number of a file that was quantized anew is another: each layer's own would fill a book. */
function ofTwoFiles(group: readonly Explained[], expected: string, report: Report): Finding {
  const sides = group.map(({ candidate }) => candidate!);
  const { because, toAgree } = twoFilesSaid(report);
  return {
    layers: group.map(({ layer }) => layer),
    headlines: [`${expected}: as declared`, `Yours: ${twoFilesTitle(sides, report)}`],
    details: filled([
      ['explained', explainedLines(sides)],
      ['inherited', inheritedLines(sides.map(ofItsOwn))],
      ['because', [because]],
      ['evidence', evidenceOfFirst(sides.map(ofItsOwn))],
      ['to agree', [toAgree]],
    ]),
  };
}

/** Each side as its own runtime computes it: there is no one to correct, only runtimes to choose from. */
function ofTwoCaptures(group: readonly Explained[]): Finding {
  const layers = group.map(({ layer }) => layer);
  const sides = group.map(({ candidate }) => candidate!);
  return {
    layers,
    headlines: [twoCapturesHeadline(layers)],
    details: filled([
      ['where', whereLines(layers)],
      ...twoCapturesDetails(layers),
      ...fixLines(sides, 'to agree', () => ''),
    ]),
  };
}

function sideOf(layer: LayerReport, report: Report): Side | null {
  if (!layer.diagnosis) return null;
  const causes = inOrder(layer.diagnosis.causes, layer.diagnosis.evidence);
  const diagnosis = { ...layer.diagnosis, causes };
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

/** Without what came with its input, which other layers' findings tell: one cause in a chain of layers is one finding. */
function besideInherited({ layer, capture, candidate }: Explained): Explained {
  return { layer, capture: capture && ofItsOwn(capture), candidate: candidate && ofItsOwn(candidate) };
}

/** Layers that do the same by a number of their own, in each another: of a few each is told, of many all together. */
const MANY = 3;

function alike(groups: readonly Explained[][], inOrder: readonly Explained[]): Explained[][] {
  const known = grouped(groups, ([one]) => likeness(one) ?? one);
  return [...known.values()].flatMap((own) => {
    const all = new Set(own.flat());
    return own.length > 1 && all.size >= MANY ? [inOrder.filter((one) => all.has(one))] : own;
  });
}

/** What is said of a layer but for the numbers in it; null: of none alone. */
function likeness(one: Explained): string | null {
  const { sides, two, words } = saidOf(one);
  if (two || sides.every(({ diagnosis }) => diagnosis.causes.length === 0)) return null;
  return withoutNumbers(JSON.stringify([one.capture === null, words]));
}

function withoutNumbers(text: string): string {
  return text.replace(/\d[\d.e+-]*/g, '#');
}

function saidOf(one: Explained) {
  const { layer, capture, candidate } = besideInherited(one);
  const two = capture ? null : twoCapturesOf(layer);
  const sides = [capture, candidate].filter((side) => side !== null);
  const own = sides.some((side) => !actsOnSteps(side.diagnosis.causes));
  const words = sides.map(({ diagnosis, context }) => {
    const { causes, subject, kernel, fix } = diagnosis;
    // the name and the numbers of a fix are its layer's; a layer may be called "a"
    const advice = fix && withoutNumbers(withoutWord(fix, printable(layer.name)));
    const before = context.evidence.basis?.in;
    return [
      subject,
      kernel,
      candidate && !capture ? context.declaredKernel : null, // the other side's, which the headline has
      advice,
      before,
      causeTitles(causes, context.evidence),
      causes.includes('unexplained') ? explanations(causes, context.evidence) : null, // why nothing is named
      own || causes.length > 0 ? null : sharedAccumulation(diagnosis.explained_by, layer.op), // where the headline says it
    ];
  });
  return { sides, two, own, words };
}

/** Layers share a finding where the same step departs in the same way; a wrong number is every layer's own, unless all that is said of it is the same. */
function groupKey(one: Explained): string {
  const { sides, two, own, words } = saidOf(one);
  if (two) return twoCapturesKey(one.layer, two);
  return JSON.stringify([own ? sides.map(allSaid) : '', one.capture === null, words]);
}

/** # in its place; no expression, which a name of 65,535 letters is too large for. */
function withoutWord(text: string, word: string): string {
  return text.split(word).reduce((whole, part) => {
    return whole + (/\w$/.test(whole) || /^\w/.test(part) ? word : '#') + part;
  });
}

function allSaid({ context, diagnosis: { causes, fixes } }: Side) {
  return [evidenceSentences(context, causes), fixes.map(({ text, code }) => [text, code])];
}

/** The replay against the capture: PyTorch or the model file departs. */
function twoWay(group: readonly Explained[], all: readonly Explained[]): Finding {
  const sides = group.map((one) => one.capture!);
  const [{ context, diagnosis }] = sides;
  const finding = { layers: group.map((one) => one.layer), headlines: sharedHeadlines(sides) };
  if (isInherited(diagnosis)) return { ...finding, details: filled([['explained', explainedLines(sides)]]) };
  return {
    ...finding,
    details: filled([
      ['explained', explainedLines(sides)],
      ['where', whereLines(finding.layers)],
      ['inherited', inheritedLines(sides)],
      ['because', becauseOf(sides, asDeclared)],
      ['evidence', evidenceLines(sides)],
      ['kernels', [explainedBySentence(shared(sides.map((side) => side.diagnosis.explained_by)))]],
      ['or', indistinguishableSentences(context, indistinguishable(sides), explainedSo(sides[0], all))],
      ...fixLines(sides, 'fix', ({ subject }) => (subject === diagnosis.fixes[0].subject ? '' : `${subject}: `)),
      ['confirm', [confirmation(context, diagnosis.causes)]],
    ]),
  };
}

/** The first layer's, which is named where another's numbers are others. */
function becauseOf(sides: readonly Side[], other: (context: FindingContext) => string): string[] {
  const all = sides.map(({ context, diagnosis: { causes } }) => reasons(context, causes, other(context)));
  const [own, ...others] = all;
  return own ? asOne(own, others, printable(sides[0].layer.name)) : [];
}

function asDeclared({ declaredKernel }: FindingContext): string {
  return `${printable(declaredKernel)}, as declared,`;
}

/** The candidate against the capture: both sides' departures from what is declared, and how they can agree. */
function threeWay(group: readonly Explained[], expected: string, all: readonly Explained[]): Finding {
  const yours = group.map((one) => one.candidate!);
  const theirs = group.flatMap((one) => one.capture ?? []);
  const [own] = yours;
  const capture = theirs.at(0) ?? null;
  const layers = group.map((one) => one.layer);
  const lines = [
    ...(capture ? sharedHeadlines(theirs) : [`${expected}: as declared (${printable(own.context.declaredKernel)})`]),
    ...sharedHeadlines(yours),
  ];
  if (isInherited(own.diagnosis)) {
    return { layers, headlines: lines, details: filled([['explained', explainedLines(yours)]]) };
  }
  const because = [...becauseOf(theirs, asDeclared), ...becauseOf(yours, () => expected.replace(/^The /, 'the '))];
  const who = { capture: expected, model: 'the model file', candidate: 'yours' };
  return {
    layers,
    headlines: lines,
    details: filled([
      ['explained', explainedLines(yours)],
      ['where', whereLines(layers)],
      ['inherited', inheritedLines(yours)],
      ['because', [...new Set(because)]],
      ['evidence', [...new Set([...evidenceLines(theirs), ...evidenceLines(yours, capture?.diagnosis.causes ?? [])])]],
      ['or', indistinguishableSentences(own.context, indistinguishable(yours), explainedSo(own, all))],
      ...fixLines(yours, 'to agree', ({ subject }) => `${who[subject]}: `),
      ['confirm', [capture && confirmation(capture.context, capture.diagnosis.causes)]],
    ]),
  };
}

/** What explains each of the layers as well. */
function indistinguishable([first, ...others]: readonly Side[]): DiagnosisReport['indistinguishable'] {
  const key = ({ causes, kernel }: DiagnosisReport['indistinguishable'][number]) => JSON.stringify([causes, kernel]);
  return first.diagnosis.indistinguishable.filter((one) =>
    others.every(({ diagnosis }) => diagnosis.indistinguishable.some((other) => key(other) === key(one))),
  );
}

/** Of causes that explain a layer as well as its own: another layer of that side that has them, and tells the two apart. */
function explainedSo({ layer, diagnosis: { causes: own, subject } }: Side, all: readonly Explained[]) {
  const key = (causes: readonly string[]) =>
    causes
      .filter((cause) => cause !== 'inherited')
      .sort()
      .join();
  const others = all
    .flatMap(({ capture, candidate }) => [capture, candidate])
    .filter((side) => side !== null && side.layer.name !== layer.name && side.diagnosis.subject === subject);
  return (causes: readonly string[]): string | undefined =>
    others.find(
      (side) =>
        key(side!.diagnosis.causes) === key(causes) &&
        !side!.diagnosis.indistinguishable.some((other) => key(other.causes) === key(own)),
    )?.layer.name;
}
