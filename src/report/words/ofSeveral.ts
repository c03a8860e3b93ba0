/** What is said of a finding's layers together: once where they are alike, else a line each, and of many the first. */
import {
  actsOnSteps,
  causeTitles,
  evidenceSentences,
  explainedSentence,
  headlines,
} from '../../diagnose/finding/sentences.js';
import type { DiagnosisReport, LayerReport } from '../../nouns/report.js';
import { counted, printable } from '../../text.js';
import { grouped } from '../grouped.js';
import type { Finding, FindingDetail, Paste } from './finding.js';
import { rehearsalOf, type Side, saysFirst } from './ofItsOwn.js';
import { whereSentence } from './where.js';

/** Of a line a layer; a report's JSON has all. */
export const MOST_LINES = 8;

export function mostOf(lines: readonly string[], of = lines.length): readonly string[] {
  return of > MOST_LINES ? [...lines.slice(0, MOST_LINES), `and ${counted(of - MOST_LINES, 'more layer')}`] : lines;
}

/** The headline of several layers claims what all of them have in common; N stands where their numbers differ. */
export function sharedHeadlines(sides: readonly Side[]): string[] {
  const explainedBy = shared(sides.map((side) => side.diagnosis.explained_by));
  const [own, ...others] = sides.map(({ context, diagnosis }) =>
    headlines({ ...context, explainedBy }, diagnosis.causes),
  );
  const common = own.map((line, i) => others.reduce((all, other) => inCommon(all, other[i] ?? all), line));
  return common.map((line) => line.replace(/ \(N values?\)/g, ''));
}

const NUMBERS = /(\d[\d.e+-]*)/;

function inCommon(one: string, other: string): string {
  const [own, others] = [one.split(NUMBERS), other.split(NUMBERS)];
  if (own.length !== others.length) return one;
  return own.map((part, i) => (part === others[i] || i % 2 === 0 ? part : 'N')).join('');
}

/** The first layer's lines, where another's are not the same under its name. */
export function asOne(own: readonly string[], others: readonly (readonly string[])[], name: string): string[] {
  if (own.length === 0 || others.every((other) => other.join() === own.join())) return [...own];
  return [`${name}: ${own[0]}`, ...own.slice(1)];
}

type Detail = readonly [
  label: string,
  sentences: readonly (string | null)[],
  more?: Pick<FindingDetail, 'code' | 'fix'>,
];

/** Each way to agree, and what a replay with it alone leaves, over all layers of the finding. */
export function fixLines(
  sides: readonly Side[],
  label: string,
  who: (fix: DiagnosisReport['fixes'][number]) => string,
): Detail[] {
  return sides[0].diagnosis.fixes.flatMap((fix, i): Detail[] => {
    const rehearsal = rehearsalOf(sides, i);
    const text = who(fix) + fix.text + (areOfOneText(sides, i) ? '' : ofTheFirst(sides[0]));
    const code = pastes(sides, i);
    const lines = code.flatMap(({ where, lines: all }) => {
      return all.length === 1 ? `${where}: ${all[0]}` : [`${where}:`, ...all.map((line) => `  ${line}`)];
    });
    const said = [text, ...lines].join('\n');
    return [
      [i === 0 ? label : isFirstOfTwo(sides[0], i - 1) ? 'then' : 'or', [text], { fix: said }],
      ['paste', lines, { code, fix: said }],
      ['rehearsal', [rehearsal]],
    ];
  });
}

function areOfOneText([own, ...others]: readonly Side[], fix: number): boolean {
  const [first, ...texts] = [own, ...others].map(({ diagnosis, layer }) =>
    diagnosis.fixes.at(fix)?.text.replaceAll(printable(layer.name), ''),
  );
  return texts.every((text) => text === first);
}

function ofTheFirst({ layer }: Side): string {
  return ` (${printable(layer.name)}; each layer has its own numbers)`;
}

/** What came with the input is not all: the layer's own has to be mended as well. */
function isFirstOfTwo({ layer, diagnosis, context }: Side, fix: number): boolean {
  const { text, rehearsal } = diagnosis.fixes[fix];
  return saysFirst(text, layer, context) && rehearsal?.mismatched_after_fix !== 0;
}

/** Lines of code that a finding shows; the report's JSON has all. */
const MOST_CODE = 6;

/** The first layer's, said to be its where another's differ. */
function pastes(sides: readonly Side[], fix: number): Paste[] {
  const [own, ...others] = sides.map(({ diagnosis }) => diagnosis.fixes.at(fix)?.code ?? []);
  const isAll = others.every((other) => JSON.stringify(other) === JSON.stringify(own));
  const of = isAll ? '' : ` (${printable(sides[0].layer.name)})`;
  return [...grouped(own.slice(0, MOST_CODE), ({ where }) => where)].map(([where, all]) => {
    return { where: where + of, lines: all.map(({ text }) => text) };
  });
}

export function filled(details: readonly Detail[]): Finding['details'] {
  return details
    .map(([label, sentences, more]) => {
      return { label, sentences: sentences.filter((sentence) => sentence !== null), ...more };
    })
    .filter(({ sentences }) => sentences.length > 0);
}

/** Layer by layer for a few, all together for many. */
export function explainedLines(sides: readonly Side[]): string[] {
  const sum = (field: 'explained' | 'of' | 'lost') => sides.reduce((total, side) => total + side.diagnosis[field], 0);
  const all = explainedSentence(sum('explained'), sum('of'), sum('lost'));
  if (sides.length === 1) return [all];
  if (sides.length > 3) return [`${all} in ${sides.length} layers`];
  return sides.map(({ layer, diagnosis: { explained, of, lost } }) => {
    return `${printable(layer.name)}: ${explainedSentence(explained, of, lost)}`;
  });
}

/** Of each layer in which what differs makes a pattern. */
export function whereLines(layers: readonly LayerReport[]): string[] {
  const lines = layers.flatMap((layer) => {
    const sentence = whereSentence(layer);
    if (sentence === null) return [];
    return layers.length === 1 ? sentence : `${printable(layer.name)}: ${sentence}`;
  });
  return [...mostOf(lines)];
}

/** The first layer's stands for the group; where each has a number of its own, a line each. told: causes whose evidence the other side's lines have given. */
export function evidenceLines(sides: readonly Side[], told: readonly string[] = []): string[] {
  if (sides.length < 2) return sides.flatMap((side) => evidenceOf(side, told));
  const all = sides.map((side) => evidenceOf(side, told));
  const titles = sides.map(({ context, diagnosis }) => causeTitles(diagnosis.causes, context.evidence));
  const isTitled = titles.some((title) => title !== titles[0]);
  const isOwn = !actsOnSteps(sides[0].diagnosis.causes) && all.some((lines) => lines.join() !== all[0].join());
  if (!isTitled && !isOwn) return evidenceOfFirst(sides, told);
  const lineOf = ({ layer }: Side, i: number) => {
    const lines = isTitled ? [titles[i], ...all[i]] : all[i];
    return `${printable(layer.name)}: ${lines.slice(0, MOST_OF_EACH).join('; ')}`;
  };
  return [...mostOf(sides.map(lineOf))];
}

/** Of layers that are alike, or too many to tell of each. */
export function evidenceOfFirst([side]: readonly Side[], told: readonly string[] = []): string[] {
  const [first, ...others] = evidenceOf(side, told);
  return first === undefined ? [] : [`${printable(side.layer.name)}, ${first}`, ...others];
}

function evidenceOf({ context, diagnosis: { causes } }: Side, told: readonly string[]): string[] {
  const isTold = (cause: string) => cause === 'int16-saturation' && told.includes(cause);
  return evidenceSentences(
    context,
    causes.filter((cause) => !isTold(cause)),
  );
}

/** Sentences of each layer, where each has its own. */
const MOST_OF_EACH = 2;

/** What all of the lists have in common. */
export function shared(lists: readonly string[][]): string[] {
  return lists.reduce((common, list) => common.filter((name) => list.includes(name)));
}
