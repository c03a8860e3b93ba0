/**
 * Everything qdiff says about a finding, in words: what stands around the words of its causes, which each cause's file has.
 * The findings are data (`evidence.ts`). Pure, English, no layout: a sentence is one line, without a final full stop where it
 * may be continued. Names from files are escaped here, since a fix also goes into the JSON report.
 */
import { productSteps } from '../../kernels/kernel.js';
import { kernelNamed } from '../../kernels/named.js';
import type { DiagnosisReport, LayerReport } from '../../nouns/report.js';
import { opByName } from '../../ops/named.js';
import { capitalized, counted, listed, printable } from '../../text.js';
import { causes as rows } from '../registry.js';
import type { CauseWords, FindingContext, FixContext, SentenceContext, Snippet } from '../words/causeWords.js';
import { stepCode } from '../words/code.js';
import { edgesText } from '../words/geometry.js';
import { holdingSentence } from '../words/notFinite.js';
import { others } from '../words/others.js';
import { holder, number } from '../words/parts.js';
import { channelsText } from '../words/place.js';
import { IN_PAIRS, sumsFix } from '../words/saturation.js';
import { otherFormula, stepFixes, stepSentences } from '../words/steps.js';
import { evidenceOf } from './causesInOrder.js';
import type { CauseEvidence, Evidence, SomeChannels } from './evidence.js';
import { isOf } from './frameworks.js';

/** "FBGEMM on a CPU without VNNI"; the name itself for a kernel without words. */
export function kernelOrigin(kernel: string): string {
  return kernelNamed(kernel)?.origin ?? printable(kernel);
}

/** "exact accumulation", if all of these kernels have that in common in a layer that sums products; null where they differ, and of other layers. */
export function sharedAccumulation(names: readonly string[], op: string): string | null {
  const known = names.map(kernelNamed);
  if (known.some((kernel) => kernel !== null && productSteps(kernel, op) === null)) return null;
  const kinds = new Set(known.map((kernel) => kernel?.sums ?? null));
  // the float path claims nothing else: its products are summed without loss too, up to its rounding
  if (kinds.size > 1) kinds.delete('float');
  if (kinds.size !== 1) return null;
  const words = { exact: 'exact accumulation', saturating: 'int16-saturating accumulation', float: 'float linear' };
  const [kind] = kinds;
  return kind ? words[kind] : null;
}

/** "numpy, fbgemm, qnnpack and 3 more": no more than what all of them have in common is claimed, and no framework is named. */
function consistentWith(kernels: readonly string[], preferred: readonly (string | null)[]): string {
  const first = preferred.find((name) => name !== null && kernels.includes(name)) ?? kernels[0];
  return listed([first, ...kernels.filter((name) => name !== first)], 4);
}

/** It speaks of other causes, by their titles. */
const unexplained: CauseWords<CauseEvidence['unexplained']> = {
  title: (e) => (e.not_finite ? holdingSentence(e.not_finite) : 'unexplained'),
  explanation: (e) =>
    e.not_finite
      ? `No cause is sought in what is not a number; all other values are compared as ever.${e.not_finite.some(({ of }) => of === 'input') ? ' What a kernel makes of such an input follows from its comparisons: a dynamic layer takes its scale from the range, which is no number then.' : ''}`
      : `${whyUnnamed(e)}; nothing is named rather than guessed.${givesAll(e.nearest) ? ' More samples may tell.' : ''}`,
  evidence: (e, { subject }) => [
    number(
      e.constant,
      (n) => `every value is ${n}, where the replay has several: such data tell no cause from another`,
    ),
    e.no_codes ? noCodesSentence(e.no_codes) : null,
    e.bytes_of_sums ? bytesSentence(e.bytes_of_sums) : null,
    nearestSentence(e.nearest, subject),
    e.would_take
      ? `it takes about ${e.would_take.samples} samples to tell whether the weights of channel ${e.would_take.channel} are others`
      : null,
    number(e.hypotheses, (n) => (n === '1' ? '1 hypothesis tried' : `${n} hypotheses tried`)),
    e.out_of_time
      ? 'the search ran out of time: not all hypotheses were tried; of fewer samples (--samples) more are'
      : null,
  ],
  fix: () => null,
};

function noCodesSentence({
  values,
  of,
  range: [low, high],
  furthest,
  are,
}: NonNullable<CauseEvidence['unexplained']['no_codes']>): string {
  const outside = `${values} of ${counted(of, 'value')} are outside of ${low}..${high}, as far as ${furthest}`;
  if (!are) return `${outside}: no codes of the output`;
  const bias = are === 'sums' ? 'before the bias' : 'with the bias';
  return `${outside}: they are the sums ${bias}, not requantized yet; save the codes`;
}

function bytesSentence({ are, kept }: NonNullable<CauseEvidence['unexplained']['bytes_of_sums']>): string {
  const sums = `the sums ${are === 'sums' ? 'before the bias' : 'with the bias'}`;
  const bytes = kept === 'clamped' ? `${sums}, clamped` : `the low 8 bits of ${sums}`;
  return `every value that was looked at is ${bytes}: multiply by s_x * s_w / s_y, round and add the zero point before the cast`;
}

function whyUnnamed({ nearest, out_of_time, cut_short, hypotheses }: CauseEvidence['unexplained']): string {
  if (givesAll(nearest)) return 'These values do not tell which of the causes that give them all it is';
  if (cut_short && hypotheses === undefined) return 'No cause was sought';
  return out_of_time || cut_short
    ? 'No cause that was tried gives all of these values, and the search was not finished'
    : 'No known cause, alone or with another, gives all of these values';
}

type Nearest = CauseEvidence['unexplained']['nearest'];

function givesAll(nearest: Nearest): boolean {
  return nearest !== undefined && nearest.explained === nearest.of && nearest.lost === 0;
}

function nearestSentence(nearest: Nearest, subject: FindingContext['subject']): string | null {
  if (!nearest) return null;
  const { causes, kernel, explained, of, lost } = nearest;
  const like = kernel ? ` (${printable(kernel)})` : '';
  if (givesAll(nearest)) {
    const here = subject === 'candidate' ? ' on the input it read' : '';
    const all = of === 1 ? 'the one that differs' : `all ${of} that differ`;
    return `one of them: ${causeTitles(causes)}${like} gives ${all}${here}`;
  }
  const breaks = lost > 0 ? ` and breaks ${lost} that agreed` : '';
  return `nearest: ${causeTitles(causes)}${like} explains ${explained} of ${of}${breaks}`;
}

/** Of every name that a finding may have. */
export const CAUSE_WORDS: ReadonlyMap<string, CauseWords<object>> = new Map([
  ...rows.map(({ code, words }): [string, CauseWords<object>] => [code, words as CauseWords<object>]),
  ...Object.entries({ ...others, unexplained } as Readonly<Record<string, CauseWords<object>>>),
]);

function textOf(cause: string): CauseWords<object> | null {
  return CAUSE_WORDS.get(cause) ?? null;
}

/** "int16 saturation and bias rounded to int32". */
export function causeTitles(causes: readonly string[], evidence: Evidence = {}): string {
  const titles = causes.map((cause) => {
    const title = textOf(cause)?.title ?? printable(cause);
    const own = evidenceOf(cause, evidence) as SomeChannels;
    return (typeof title === 'string' ? title : title(own)) + regionText(own);
  });
  return titles.join(' and ');
}

/** " in channels 11 to 15 of 16", where it took place in a part of the layer. */
function regionText({ region }: SomeChannels): string {
  if (!region) return '';
  if ('channels' in region) return ` in ${channelsText(region.channels)} of ${region.of}`;
  if ('outside' in region) return ` ${edgesText(region)}`;
  const [first, last] = [region.first.sample, region.last.sample];
  return first === last ? ` in sample ${first}` : ` in samples ${first} to ${last}`;
}

/** Whether layers with these causes can share one finding, with one layer's evidence standing for all. */
export function actsOnSteps(causes: readonly string[]): boolean {
  return causes.every((cause) => !textOf(cause)?.ofOneLayer);
}

/** One sentence a cause. */
export function explanations(causes: readonly string[], evidence: Evidence = {}): string[] {
  return causes.flatMap((cause) => {
    const explanation = textOf(cause)?.explanation ?? [];
    return typeof explanation === 'function' ? explanation(evidenceOf(cause, evidence)) : explanation;
  });
}

/** What a side is found to do and `other` is not, from both formulas; of what no formula tells, what it means. What no cause is about comes last. */
export function reasons(context: FindingContext, causes: readonly string[], other: string): string[] {
  const { formula } = context.evidence.basis ?? {};
  const told = formula
    ? stepSentences(holder(context), formula.found, other, otherFormula(formula), formula.tells).map(capitalized)
    : [];
  const isTold = (cause: string) => told.length > 0 && formula?.tells.includes(cause);
  const own = causes.map((cause) => (isTold(cause) ? told : explanations([cause], context.evidence)));
  const isSaid = causes.some(isTold);
  return [...new Set([...own.flat(), ...(isSaid ? [] : told)])];
}

/** What a person can check by hand, cause by cause, and what the name rests on. */
export function evidenceSentences(context: FindingContext, causes: readonly string[]): string[] {
  const { evidence } = context;
  const own = causes.flatMap((cause) => textOf(cause)?.evidence?.(evidenceOf(cause, evidence), context) ?? []);
  const { saturating_pairs: pairs, samples, places, in: before, throughout, shown_by: shown } = evidence.basis ?? {};
  const there = throughout ? 'with this in each layer' : 'with this';
  const enough = actsOnSteps(causes) ? 8 : 40; // a step shows in 8 samples, a single number takes more
  const few = samples !== undefined && (places ?? samples) < enough && !shown && !causes.includes('unexplained');
  return [
    before === undefined
      ? null
      : `${printable(before)} was not seen: ${there}, the replay from there gives every value of ${printable(context.layer)}`,
    ...own,
    shown?.layers
      ? `by itself this layer could have another number; one rule gives all values of ${shown.layers} layers`
      : shown
        ? `${printable(shown.layer)} shows that; here ${shown.values} of ${counted(shown.of, 'value')} ${shown.values === 1 ? 'tells' : 'tell'}, and the same gives all of them`
        : null,
    pairs === 0 ? 'no pair of products saturates in this layer: reduce_range will not help' : null,
    few ? `this rests on ${counted(samples, 'sample')} only: more would make it safer` : null,
  ].filter((sentence) => sentence !== null);
}

/**
 * What to change, for the JSON report and the text; null where there is nothing to change.
 * Knows subject, engine, flow, kernel and version.
 */
export function fixFor(causes: readonly string[], context: FixContext): string | null {
  const fixes = causes.map((cause) => textOf(cause)?.fix(evidenceOf(cause, context.evidence), context) ?? null);
  return joined(fixes);
}

/**
 * How a candidate comes to do what the other side is found to do: its own mistakes undone, then every step in which the two
 * formulas still differ, in the other's steps.
 */
export function candidateFix(causes: readonly string[], context: FixContext): string | null {
  const { basis } = context.evidence;
  const { formula } = basis ?? {};
  if (!formula) return joined([fixFor(causes, context), ...metFixes(context)]);
  const other = otherFormula(formula);
  const sameSums = formula.found.sums.step === other.sums.step;
  const isSum = (cause: string) => cause === 'int16-saturation' || cause === 'accumulator-wraps';
  const own = causes.filter((cause) => !formula.tells.includes(cause) && !(isSum(cause) && sameSums));
  const ofBias = own.some((cause) => cause.startsWith('bias'));
  const followsPairs = !sameSums && other.sums.step !== formula.declared.sums.step;
  return joined([
    fixFor(own, context),
    ...stepFixes(formula.found, other, new Set(ofBias ? ['bias'] : [])),
    followsPairs ? sumsFix(other) : null,
    ...metFixes(context),
  ]);
}

/** `fixFor` as lines to paste; empty where none can be written. */
export function codeFor(causes: readonly string[], context: FixContext): Snippet[] {
  const code = causes.flatMap((cause) => textOf(cause)?.code?.(evidenceOf(cause, context.evidence), context) ?? []);
  const own = context.producer.file ? code.filter(({ language }) => language !== 'json') : code;
  return unlike(context.signed ? own.map(ofSigned) : own);
}

/** Lines of Verilog are written for uint8 codes, which a 0 in front makes signed. */
function ofSigned(line: Snippet): Snippet {
  const text = line.text.replace(/\{1'b0, (x(?:\[[^\]]*\])?)\}/, '$1').replace('uint8 x', 'int8 x');
  return line.language === 'verilog' ? { ...line, text } : line;
}

/** `candidateFix` as lines to paste. */
export function candidateCode(causes: readonly string[], context: FixContext): Snippet[] {
  const { formula } = context.evidence.basis ?? {};
  if (!formula) return codeFor(causes, context);
  const own = causes.filter((cause) => !formula.tells.includes(cause));
  const ofBias = own.some((cause) => cause.startsWith('bias'));
  const steps = stepCode(formula.found, otherFormula(formula), new Set(ofBias ? ['bias'] : []));
  return unlike([...codeFor(own, context), ...steps]);
}

function unlike(code: readonly Snippet[]): Snippet[] {
  return [...new Map(code.map((one) => [one.where + one.text, one])).values()];
}

/** Where the other side used other numbers than the file's. */
function metFixes({ met, framework }: FixContext): string[] {
  if (!met) return [];
  return met.causes.flatMap((cause) => {
    const text = textOf(cause);
    const [line] = text?.ofOneLayer ? (text.evidence?.(evidenceOf(cause, met.evidence), MET) ?? []) : [];
    return line ? [`take the numbers that ${framework ?? 'the capture'} used, not the file's: ${line}`] : [];
  });
}

const MET: SentenceContext = { subject: 'capture', declaredKernel: '' };

function joined(fixes: readonly (string | null)[]): string | null {
  const different = [...new Set(fixes.filter((fix) => fix !== null))];
  return different.length === 0 ? null : different.join('. Also: ');
}

/** "PyTorch: int16 saturation (FBGEMM on a CPU without VNNI)": who departs, how, and where such values come from. */
export function headline(context: FindingContext, causes: readonly string[]): string {
  const { subject, framework, evidence, explainedBy, foundKernel, op } = context;
  const side = { capture: framework ?? 'The capture', model: 'Model file', candidate: 'Yours' }[subject];
  const who = side + chainText(context);
  if (causes.length === 0) {
    const accumulation = sharedAccumulation(explainedBy, op);
    // what is declared in place of the capture's own kernel is what it was meant to be
    const meant = framework !== null && !isOf(framework, context.declaredKernel) ? context.declaredKernel : null;
    const like =
      explainedBy.length > 0 ? `consistent with ${consistentWith(explainedBy, [meant, 'numpy', foundKernel])}` : null;
    return `${who}: ${[accumulation, like].filter(Boolean).join(', ') || 'as declared'}`;
  }
  const titles = countedTitles(causes, evidence);
  if (subject !== 'candidate' && causes.every((cause) => cause === 'inherited')) return `Replay: ${titles}`; // propagated mode
  return `${who}: ${titles}${causes.includes('unexplained') ? '' : origin(context)}`;
}

/** ", in fc1": of layers before this one, whose values nobody has. */
function chainText({ layer, evidence }: FindingContext): string {
  const { in: before, throughout } = evidence.basis ?? {};
  if (before === undefined) return '';
  return throughout ? `, from ${printable(before)} to ${printable(layer)}` : `, in ${printable(before)}`;
}

/** A line a side: what a kernel does is not the model file's. */
export function headlines(context: FindingContext, causes: readonly string[]): string[] {
  const ofCapture = context.evidence.basis?.of_capture ?? [];
  const [steps, numbers] = [causes.filter((c) => ofCapture.includes(c)), causes.filter((c) => !ofCapture.includes(c))];
  if (steps.length === 0 || numbers.length === 0) return [headline(context, causes)];
  return [headline({ ...context, subject: 'capture' }, steps), headline({ ...context, foundKernel: null }, numbers)];
}

/** Which kernel has these steps: named where no other gives the same, else only as one of those that do. */
function origin({ foundKernel, declaredKernel, explainedBy, framework, subject, evidence }: FindingContext): string {
  if (foundKernel === null || foundKernel === declaredKernel || evidence['int16-saturation']?.every_cpu) return '';
  const own = subject !== 'candidate' && isOf(framework, foundKernel);
  if (!own) return ` (consistent with ${printable(foundKernel)})`;
  const from = originOf(foundKernel, explainedBy);
  const held = evidence['int16-saturation']?.held_by;
  const where = held ? from.replace(/ on a CPU .*$/, ` under ${printable(held)}`) : from;
  return ` (${explainedBy.length > 1 ? 'consistent with ' : ''}${where})`;
}

const OF_ONE_WIDTH = /^(.+ on a CPU) with \w+ and no VNNI$/;

/** Where one library's kernels of several vector widths give the same, the width is nobody's to say. */
function originOf(kernel: string, explainedBy: readonly string[]): string {
  const cpuOf = (name: string) => OF_ONE_WIDTH.exec(kernelOrigin(name))?.[1];
  const cpu = cpuOf(kernel);
  const isOpen = cpu !== undefined && explainedBy.some((name) => name !== kernel && cpuOf(name) === cpu);
  return isOpen ? `${cpu} without VNNI` : kernelOrigin(kernel);
}

/** "one weight differs (72 values) and bias rounded to int32 (1 value)". */
function countedTitles(causes: readonly string[], evidence: Evidence): string {
  const titles = causes.map((cause) => {
    const { values } = evidenceOf(cause, evidence) as { readonly values?: number };
    return causeTitles([cause], evidence) + (values === undefined ? '' : ` (${counted(values, 'value')})`);
  });
  return titles.join(' and ');
}

/** How to see it on the spot: the variable that makes any x86 CPU compute like the found kernel. */
export function confirmation(context: FindingContext, causes: readonly string[]): string | null {
  const { subject, framework, foundKernel, op } = context;
  if (subject !== 'capture' || framework !== 'PyTorch' || !causes.includes('int16-saturation')) return null;
  const { exact, every_cpu: path, held_by: held } = context.evidence['int16-saturation'] ?? {};
  if (path)
    return `FBGEMM's ${path} kernel gives these values on every x86 CPU, whatever FBGEMM_ENABLE_INSTRUCTIONS says`;
  if (foundKernel === null || exact || held) return null;
  const { confirm: variable = null, library } = kernelNamed(foundKernel) ?? {};
  const limit = opByName(op)?.channels === 'layout' && library?.confirmedConvolutions;
  return variable && `${variable} makes PyTorch give these values on any x86 CPU with VNNI too${limit || ''}`;
}

/** "963 of 963 differing values", "900 of 963 differing values; 2 that agreed are lost". */
export function explainedSentence(explained: number, of: number, lost: number): string {
  return `${explained} of ${counted(of, 'differing value')}${lost > 0 ? `; ${lost} that agreed ${lost === 1 ? 'is' : 'are'} lost` : ''}`;
}

/** For a layer that has other reasons as well: part of what differs came with its input. */
export function inheritedSentence({ layer, evidence }: FindingContext): string | null {
  const from = evidence.inherited?.from;
  return from === undefined ? null : `${printable(layer)} reads ${printable(from)}, which differs already`;
}

/** Other sets of causes that explain as much. */
export function indistinguishableSentences(
  context: FindingContext,
  others: DiagnosisReport['indistinguishable'],
  explainedSo: (causes: readonly string[]) => string | undefined = () => undefined,
): string[] {
  return others.map(({ causes, kernel }) => {
    const like = kernel && kernel !== context.declaredKernel ? ` (${printable(kernel)})` : '';
    const elsewhere = explainedSo(causes);
    const layer = elsewhere === undefined ? '' : `, which is what explains ${printable(elsewhere)}`;
    return `cannot be told apart from: ${causeTitles(causes)}${like}${layer}`;
  });
}

/** Every kernel that explains everything, for the reader who knows where the values come from. */
export function explainedBySentence(kernels: readonly string[]): string | null {
  return kernels.length === 0 ? null : `consistent with ${listed(kernels, 8)}`;
}

export function rehearsalSentence(mismatchedAfterFix: number, values: number): string {
  return mismatchedAfterFix === 0
    ? `replayed with the fix: all ${counted(values, 'value')} equal`
    : `replayed with the fix: ${mismatchedAfterFix} of ${counted(values, 'value')} still differ${mismatchedAfterFix === 1 ? 's' : ''}`;
}

/** What came with the input goes with it. */
export function firstFixSentence({ name, mismatched }: LayerReport, from: string, values: number): string {
  return `correct ${printable(from)} first: ${values} of ${counted(mismatched!, 'differing value')} of ${printable(name)} came with it`;
}

/** How an implementation that does as declared can follow the other side, where that is what departs. */
export function imitation(context: FindingContext, causes: readonly string[]): string | null {
  if (causes.length === 0 || causes.includes('unexplained') || causes.includes('inherited')) return null;
  if (context.subject === 'candidate') return null;
  const { formula } = context.evidence.basis ?? {};
  if (!formula) return causes.length === 1 && causes[0] === 'int16-saturation' ? IN_PAIRS : null;
  return joined([
    ...stepFixes(formula.declared, formula.found),
    formula.found.sums.step === formula.declared.sums.step ? null : sumsFix(formula.found),
  ]);
}
