/**
 * Everything qdiff says about a finding, in words. The findings are data (`evidence.ts`); this is the only prose.
 * Pure, English, no layout: a sentence is one line, without a final full stop where it may be continued.
 * Names from files are escaped here, since a fix also goes into the JSON report.
 */

import { kernelNamed } from '../kernels/registry.js';
import type { Producer } from '../nouns/model.js';
import type { DiagnosisReport } from '../nouns/report.js';
import { counted, listed, printable } from '../text.js';
import type {
  CauseCode,
  CauseEvidence,
  CellOfPatch,
  DecidingValue,
  Evidence,
  FoundParameter,
  Permutation,
  SaturatingPair,
} from './evidence.js';
import { isOf, mayRun } from './frameworks.js';
import { axesText, bordersText, edgeText, groupsText, paddingText } from './words/geometry.js';
import { holdingSentence } from './words/notFinite.js';
import { place } from './words/place.js';
import { otherFormula, stepFixes, stepSentences } from './words/steps.js';

type Subject = DiagnosisReport['subject'];

/** What a sentence about one cause of one layer may need to know. */
export interface FindingContext {
  readonly layer: string;
  readonly op: string;
  readonly subject: Subject;
  /** Who computed the capture, as people call it; absent or null: nothing says so. */
  readonly framework?: string | null;
  /** The kernel replayed as the reference. */
  readonly declaredKernel: string;
  /** The kernel that explains the layer; null where the causes are nobody's kernel. */
  readonly foundKernel: string | null;
  /** Every kernel that explains all. */
  readonly explainedBy: readonly string[];
  readonly evidence: Evidence;
}

export interface FixContext extends FindingContext {
  readonly producer: Producer;
  /** The layer quantizes its own input. */
  readonly dynamic: boolean;
  /** Of a dynamic layer: what the file has to say for the found kernel, where that is not what it says. */
  readonly reduceRange?: boolean;
  /** The layer makes codes of floats. */
  readonly quantizes: boolean;
  /** It reads int8 codes. */
  readonly signed?: boolean;
  /** Of a candidate: what the other side's own finding is. */
  readonly met?: { readonly causes: readonly string[]; readonly evidence: Evidence };
}

type SentenceContext = Pick<FindingContext, 'subject' | 'declaredKernel' | 'framework'>;

/** All words about one cause. `e` is `{}` where the diagnosis brought no evidence for it. */
interface CauseText<E> {
  /** Noun phrase, to be joined by "and". */
  readonly title: string | ((e: Partial<E>) => string);
  readonly explanation: string | ((e: Partial<E>) => string);
  /** A wrong number, order or row: its evidence belongs to one layer. Others are a step that a whole runtime does its way. */
  readonly ofOneLayer?: true;
  /** What can be checked by hand, most telling first. */
  readonly evidence?: (e: Partial<E>, context: SentenceContext) => (string | null)[];
  /** What to change, by whose departure it is; null: nothing to change there. */
  readonly fix: (e: Partial<E>, context: FixContext) => string | null;
}

// ---------------------------------------------------------------- kernels

/** "FBGEMM on a CPU without VNNI"; the name itself for a kernel without words. */
export function kernelOrigin(kernel: string): string {
  return kernelNamed(kernel)?.origin ?? printable(kernel);
}

/** fbgemm-avx2 and fbgemm are one family: the same library, another CPU. */
function family(kernel: string): string {
  return kernelNamed(kernel)?.family ?? kernel;
}

/** "exact accumulation", if all of these kernels have that in common; null where they differ. */
export function sharedAccumulation(names: readonly string[]): string | null {
  const kinds = new Set(names.map((name) => kernelNamed(name)?.sums ?? null));
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

// ---------------------------------------------------------------- numbers

/** Six digits at most; whole numbers in full. */
function short(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(6)));
}

/** Nine digits, so that a float32 is told from its neighbours; all of them where nine would pretend a tie. */
function steps(value: number): string {
  const nine = Number(value.toPrecision(9));
  return String(nine !== value && Number.isInteger(nine * 2) ? value : nine);
}

/** Whose values are explained. */
function holder({ subject, framework }: Pick<SentenceContext, 'subject' | 'framework'>): string {
  return subject === 'candidate' ? 'yours' : (framework ?? 'the capture');
}

function capital(sentence: string): string {
  return sentence.slice(0, 1).toUpperCase() + sentence.slice(1);
}

function has(context: SentenceContext): string {
  return `${holder(context)} has`;
}

function number(value: number | undefined, words: (text: string) => string): string | null {
  return value === undefined ? null : words(short(value));
}

// ---------------------------------------------------------------- parts of sentences

/** Where, and on a line of its own the arithmetic: it fits 80 columns unbroken. */
function pairSentences(pair: (SaturatingPair & { sample: number; channel: number }) | undefined): string[] {
  if (!pair) return [];
  const [k0, k1] = pair.k;
  const products = `x[${k0}]=${pair.x[0]} * w[${k0}]=${pair.w[0]} + x[${k1}]=${pair.x[1]} * w[${k1}]=${pair.w[1]}`;
  const cells = (pair.cells ?? []).map((cell, i) => cellText(pair.k[i], cell));
  return [
    `${place(pair)}:`,
    `${products} = ${pair.sum} -> ${pair.saturated}`,
    ...(cells.length > 0 ? [cells.join('; ')] : []),
  ];
}

/** "k 4 is (ky, kx, c) = (1, 1, 0), pixel 3,4". */
function cellText(k: number, { tap, pixel }: CellOfPatch): string {
  return `k ${k} is ${tapText(tap)}, ${pixel ? `pixel ${pixel.join(',')}` : 'padding'}`;
}

/** "weight[3, 17]", of a convolution "weight of channel 3 at (ky, kx, c) = (1, 1, 0)". */
function weightText({ channel, k, tap }: { channel: number; k: number; tap?: readonly number[] }): string {
  return tap ? `weight of channel ${channel} at ${tapText(tap)}` : `weight[${channel}, ${k}]`;
}

/** "(ky, kx, c) = (1, 1, 0)". */
function tapText(tap: readonly number[]): string {
  const names = ['kz', 'ky', 'kx', 'c'].slice(-tap.length);
  return `(${names.join(', ')}) = (${tap.join(', ')})`;
}

/** "sample 17, channel 3: 2.5 rounds to 2 (half to even), the capture has 3 (codes 130 and 131)". */
function tieSentence(value: DecidingValue | undefined, context: SentenceContext): string | null {
  if (!value) return null;
  const zeroPoint = value.zero_point ?? 0;
  const codes = zeroPoint === 0 ? '' : ` (codes ${value.declared} and ${value.observed})`;
  if (value.before_rounding === undefined) return decidingSentence(value, context);
  const from = steps(value.before_rounding);
  const rounded = value.declared - zeroPoint;
  const isTie = Math.abs(value.before_rounding % 1) === 0.5;
  const rule = isTie && rounded % 2 === 0 ? ' (half to even)' : '';
  return `${place(value)}: ${from} rounds to ${rounded}${rule}, ${has(context)} ${value.observed - zeroPoint}${codes}`;
}

/** "sample 17, channel 3: fbgemm gives 131, the capture has 130 (2.50000012 against 2.49999988 steps before rounding)". */
function decidingSentence(value: DecidingValue | undefined, context: SentenceContext): string | null {
  if (!value) return null;
  const { before_rounding: declared, before_rounding_found: found } = value;
  const both =
    declared === undefined
      ? ''
      : found === undefined
        ? ` (${steps(declared)} steps before rounding)`
        : ` (${steps(declared)} against ${steps(found)} steps before rounding)`;
  return `${place(value)}: ${printable(context.declaredKernel)} gives ${value.declared}, ${has(context)} ${value.observed}${both}`;
}

/** "input 0", "inputs 0 and 1". */
function operands(inputs: readonly number[] | undefined): string {
  if (!inputs || inputs.length === 0) return 'an input';
  return inputs.length === 1 ? `input ${inputs[0]}` : `inputs ${inputs.join(' and ')}`;
}

function ties(count: number | undefined): string | null {
  if (count === undefined) return null;
  return count === 1 ? '1 value of the layer is an exact tie' : `${count} values of the layer are exact ties`;
}

function foundSentence(what: string, found: Partial<FoundParameter>): string | null {
  if (found.found === undefined || found.declared === undefined) return null;
  const interval = found.interval
    ? `, anything in ${precise(found.interval[0])} .. ${precise(found.interval[1])} fits`
    : '';
  const sameAs = found.same_as === undefined ? '' : ` (the same number as ${printable(found.same_as)}'s)`;
  const where = found.channel === undefined ? '' : ` of channel ${found.channel}`;
  return `${what}${where}: declared ${precise(found.declared)}, found ${precise(found.found)}${interval}${sameAs}`;
}

/** Enough digits for a float32 scale. */
function precise(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(9)));
}

function foundSentences(what: string, found: readonly FoundParameter[] = [], omitted = 0): (string | null)[] {
  const shown = found.slice(0, 4);
  const left = found.length - shown.length + omitted;
  return [...shown.map((f) => foundSentence(what, f)), left > 0 ? `and ${counted(left, 'more channel')}` : null];
}

function permutationSentence(noun: string, { permutation, shift }: Permutation): string | null {
  if (shift !== undefined)
    return `${noun} n uses what belongs to ${noun} n ${shift < 0 ? '-' : '+'} ${Math.abs(shift)}`;
  if (!permutation) return null;
  const moved = [...permutation.entries()].filter(([to, from]) => to !== from);
  const shown = moved.slice(0, 4).map(([to, from]) => `${to} uses ${from}'s`);
  const more = moved.length > shown.length ? `, and ${moved.length - shown.length} more` : '';
  return shown.length === 0 ? null : `${noun} ${shown.join(', ')}${more}`;
}

// ---------------------------------------------------------------- parts of fixes

const field = (context: FindingContext, name: string): string => `${name} of ${printable(context.layer)}`;

/** The capture is another kernel's than the file declares: name one that its framework has, or leave it. */
function declareKernel(context: FixContext): string | null {
  const { declaredKernel, foundKernel, explainedBy, framework } = context;
  const possible = [foundKernel, ...explainedBy].filter(
    (name) => name !== null && name !== declaredKernel && mayRun(framework, name),
  );
  const [kernel] = possible;
  if (kernel === undefined) return null;
  return [declaredAs(kernel!, context), reduceRangeFix(context)].filter((text) => text !== null).join(', and ');
}

/** The line for model.json. */
function declaredAs(
  kernel: string,
  { declaredKernel, framework }: Pick<FindingContext, 'declaredKernel' | 'framework'>,
): string {
  const name = printable(kernel);
  const where = kernelNamed(kernel)?.runWith ? "the capture's producer" : 'the producer of model.json';
  return `${framework ?? 'the capture'} computes as ${name} does, not ${printable(declaredKernel)}: write "kernel": "${name}" into ${where}, or pass --kernel ${name}`;
}

/** Where the kernel reads reduce_range, and the file says the other. */
function reduceRangeFix({ reduceRange, layer }: FixContext): string | null {
  if (reduceRange === undefined) return null;
  return `write "reduce_range": ${reduceRange} for ${printable(layer)} in model.json: the capture was computed with it`;
}

/** What a runtime's own form of an op does, as a whole. */
function runtimeForm<E extends { declared?: string; found?: string }>(
  title: CauseText<E>['title'],
  explanation: string,
  own: NonNullable<CauseText<E>['evidence']> = () => [],
): CauseText<E> {
  return {
    title,
    explanation,
    evidence: (e, context) => [
      e.found === undefined ? null : `${holder(context)}: ${printable(e.found)}`,
      e.declared === undefined ? null : `${printable(context.declaredKernel)}: ${printable(e.declared)}`,
      ...own(e, context),
    ],
    fix: (e, context) =>
      context.subject !== 'candidate'
        ? declareKernel(context)
        : `compute it as ${printable(context.declaredKernel)} does` +
          (e.declared === undefined ? '' : `: ${printable(e.declared)}`),
  };
}

const RAN_IN_FLOAT =
  'capture the graph that runs, with qdiff run or the file that qdiff exporter onnx prints: tensors added as outputs, session.disable_quant_qdq=1 and levels below ORT_ENABLE_EXTENDED keep ONNX Runtime from fusing';
const RAN_IN_INTEGERS =
  "say in the capture's producer what ran (framework_version, settings such as session.qdqisint8allowed=1, arch), as qdiff run and qdiff exporter onnx do: they decide what ONNX Runtime fuses";

/** For kernel steps: PyTorch's are declared, the user's are corrected. */
function stepFix(candidate: string | ((context: FixContext) => string)): CauseText<unknown>['fix'] {
  return (_, context) => {
    if (context.subject !== 'candidate') return declareKernel(context);
    return typeof candidate === 'string' ? candidate : candidate(context);
  };
}

/** For parameters: the file is corrected, or the implementation. */
function parameterFix(file: (context: FixContext) => string, candidate: string): CauseText<unknown>['fix'] {
  return (_, context) => (context.subject === 'candidate' ? candidate : file(context));
}

/** Where the file's number is wrong and the data gave another. */
function foundFix(name: string): (e: Partial<FoundParameter>, context: FixContext) => string {
  return (e, context) => {
    if (context.subject === 'candidate') {
      return e.declared === undefined ? `use the declared ${name}` : `use the declared ${name} ${precise(e.declared)}`;
    }
    if (e.same_as !== undefined) return `it is the same number as ${printable(e.same_as)}'s: correct it there`;
    const value = e.found === undefined ? '' : ` (${precise(e.found)} explains the capture)`;
    return `correct ${field(context, name)} in model.json${value}: export the model again together with the capture`;
  };
}

/** What has to be another: the kernel, the file's reduce_range, the capture's calls. */
function rangeFix(e: Partial<CauseEvidence['activation-range']>, context: FixContext): string | null {
  const { declared, found } = e;
  if (context.subject === 'candidate') {
    const codes = declared && `${declared.codes.join('..')}, as ${printable(context.declaredKernel)} does`;
    return declared?.grain === 'batch' && found?.grain === 'row'
      ? `take one range over all rows of a call, spread over ${codes}`
      : `spread the range of each call over ${codes ?? 'the declared codes'}`;
  }
  const kernel = context.foundKernel !== context.declaredKernel ? declareKernel(context) : null;
  const file = kernel === null ? reduceRangeFix(context) : null;
  const calls =
    found?.grain === 'row' && declared?.grain === 'batch'
      ? `each row was a call of its own: save "batch_sizes" with the capture (ones)`
      : null;
  return [kernel, file, calls].filter((text) => text !== null).join(', and ') || null;
}

/** "range of sample 0's call -3.2 .. 3.4: declared scale 0.05, zero point 61; found scale 0.025, zero point 123". */
function rangeSentence(e: Partial<CauseEvidence['activation-range']>): string | null {
  const { sample, min, max, declared, found, declared_params: before, found_params: after } = e;
  if (sample === undefined || !before || !after || min === undefined || max === undefined) return null;
  const params = (p: typeof before) => `scale ${precise(p.scale)}, zero point ${p.zero_point}`;
  const whose =
    found?.grain === 'row' && declared?.grain === 'batch' ? `sample ${sample}` : `the call of sample ${sample}`;
  return `range of ${whose}: ${precise(min)} .. ${precise(max)}: declared ${params(before)}; found ${params(after)}`;
}

const REDUCE_RANGE_LIMIT = 'activations beyond the calibrated range still exceed 127 under reduce_range';

/** How a way out of saturation is rehearsed: activations of 7 bits, weights of 7 bits, or sums without pairs. */
export type Remedy = 'seven-bit-activations' | 'seven-bit-weights' | 'exact-sums';

interface Way {
  readonly remedy: Remedy;
  readonly text: string;
}

const SMALL_WEIGHTS = 'keep the weights in -64..63: two products of a code up to 255 then fit int16';

/** What the capture's framework has against saturating pairs; the signed codes of an input come to 0..255 in the kernel, whatever their range. */
export function saturationWays(context: FixContext): Way[] {
  const { framework, signed, foundKernel, declaredKernel } = context;
  const kernel = foundKernel ?? declaredKernel;
  const vnni = family(kernel) === 'fbgemm' ? 'AVX512-VNNI' : 'VNNI';
  const ofWeights = signed || framework === 'OpenVINO' || framework === 'ONNX Runtime';
  const narrower = ofWeights ? sevenBitWeights(context) : sevenBitActivations(context, kernel);
  return [narrower, { remedy: 'exact-sums', text: exactSums(context, vnni) }];
}

function sevenBitWeights({ framework, dynamic }: FixContext): Way {
  const remedy = 'seven-bit-weights';
  if (framework === 'OpenVINO') {
    const option = 'advanced_parameters=AdvancedQuantizationParameters(overflow_fix=OverflowFix.ENABLE)';
    return { remedy, text: `${SMALL_WEIGHTS}: nncf.quantize(..., ${option})` };
  }
  if (framework === 'ONNX Runtime') {
    const call = `quantize_${dynamic ? 'dynamic' : 'static'}(..., reduce_range=True)`;
    return {
      remedy,
      text: `${call}, which keeps the weights in -64..64: two products of a code up to 255 then fit int16`,
    };
  }
  const observer = framework === 'PyTorch' ? ' (quant_min=-64, quant_max=63 of the weight observer)' : '';
  return { remedy, text: SMALL_WEIGHTS + observer };
}

function sevenBitActivations({ producer, dynamic, framework }: FixContext, kernel: string): Way {
  const remedy = 'seven-bit-activations';
  if (framework && framework !== 'PyTorch') {
    return { remedy, text: 'keep the activation codes in 0..127: twice the scale, half the zero point' };
  }
  if (producer.flow === 'pt2e-lowered' || kernelNamed(kernel)?.flow === 'pt2e-lowered') {
    const call = 'get_default_x86_inductor_quantization_config(reduce_range=True)';
    return { remedy, text: `${call}; ${REDUCE_RANGE_LIMIT}` };
  }
  if (producer.flow === 'dynamic' || dynamic) {
    return { remedy, text: 'quantize the activations with reduce_range=True' };
  }
  const defaults =
    family(kernel) === 'fbgemm'
      ? '0..127, the default of the x86 and fbgemm qconfigs'
      : '0..127, which the default onednn qconfig does not';
  return { remedy, text: `give the activation observers reduce_range=True (${defaults}); ${REDUCE_RANGE_LIMIT}` };
}

function exactSums({ framework, producer, dynamic, evidence }: FixContext, vnni: string): string {
  if (evidence['int16-saturation']?.every_cpu) {
    return "no CPU avoids it: use the qnnpack engine, or oneDNN's convolutions (engine onednn; engine x86 on a CPU with AVX512-VNNI): their sums are exact";
  }
  if (framework === 'ONNX Runtime') {
    return 'uint8 weights (U8U8), S8S8 with session.qdqisint8allowed=1, session.x64quantprecision=1, or a CPU with VNNI: their sums are exact';
  }
  const eager = (framework ?? 'PyTorch') === 'PyTorch' && !dynamic && !producer.flow?.startsWith('pt2e');
  return `run on a CPU with ${vnni}${eager ? ', or use the qnnpack engine' : ''}: its sums are exact`;
}

/** How a candidate's own pairs become exact. */
const WITHOUT_PAIRS =
  'add the products one by one in int32 (VPDPBUSD, or widen to int16 and use pmaddwd), not in int16 pairs (vpmaddubsw)';

/** How a candidate follows saturating pairs. */
const IN_PAIRS =
  'add raw products in pairs (k = 0 and 1, 2 and 3, ...), clamp each pair to int16, subtract zero points afterwards';

/** What a constant is, to people. */
const CONSTANTS = { zero: '', 'zero-point': ', the zero point', clamp: ', a bound of the clamp' } as const;

const otherSteps = (name: 'stride' | 'dilation', explanation: string): CauseText<CauseEvidence['stride-wrong']> => ({
  title: (e) => `${name} ${e.found?.join(', ') ?? 'another'}${e.declared ? `, not ${e.declared.join(', ')}` : ''}`,
  explanation,
  ofOneLayer: true,
  evidence: (e) => [e.padding ? `and padding ${e.padding.map((ends) => ends.join(' and ')).join('; ')}` : null],
  fix: parameterFix((context) => `correct ${field(context, name)} in model.json`, `use the declared ${name}`),
});

// ---------------------------------------------------------------- the causes

const rounding = (
  title: string,
  explanation: string,
  candidate: string,
): CauseText<CauseEvidence['rounding-floor']> => ({
  title,
  explanation,
  evidence: (e, context) => [tieSentence(e.deciding, context), ties(e.ties)],
  fix: stepFix(candidate),
});

export const CAUSE_TEXTS: { readonly [C in CauseCode]: CauseText<CauseEvidence[C]> } = {
  'int16-saturation': {
    title: (e) => {
      if (e.exact) return 'exact sums, no int16 saturation';
      return e.every_cpu ? `int16 saturation of FBGEMM's ${e.every_cpu} kernel, on every CPU` : 'int16 saturation';
    },
    explanation: (e) =>
      e.exact
        ? 'Products of activation and weight codes are added in full, where the declared kernel clamps each pair at int16 (vpmaddubsw).'
        : `Products of activation and weight codes are added in pairs, and each pair clamps at int16 (vpmaddubsw)${e.every_cpu ? `; FBGEMM's ${e.every_cpu} kernel does so with VNNI too` : ''}.`,
    evidence: (e, { declaredKernel }) => [
      ...(e.exact && e.pair ? [`in ${printable(declaredKernel)}:`] : []),
      ...pairSentences(e.pair),
      e.saturating_pairs === undefined
        ? null
        : `${e.saturating_pairs}${e.total_pairs === undefined ? '' : ` of ${e.total_pairs}`} pairs saturate` +
          (e.mismatched_with_pair === undefined ? '' : `, in ${counted(e.mismatched_with_pair, 'differing value')}`),
      e.activations_above_127
        ? `${counted(e.activations_above_127, 'input code')} exceed${e.activations_above_127 === 1 ? 's' : ''} 127${e.code_shift ? ` once the kernel has added ${e.code_shift}` : ''}; without them no pair could saturate`
        : null,
    ],
    fix: (e, context) => {
      if (e.exact) return context.subject === 'candidate' ? IN_PAIRS : declareKernel(context);
      return context.subject === 'candidate' ? WITHOUT_PAIRS : (saturationWays(context)[0]?.text ?? null);
    },
  },
  'activation-range': {
    title: ({ declared, found }) => {
      if (!declared || !found) return 'input quantized over another range';
      const grain = found.grain === declared.grain ? null : { row: 'row by row', batch: 'call by call' }[found.grain];
      const codes = found.codes.join() === declared.codes.join() ? null : `over ${found.codes.join('..')}`;
      return `input quantized ${[codes, grain].filter(Boolean).join(', ')}${codes ? `, not ${declared.codes.join('..')}` : ''}`;
    },
    explanation:
      'A dynamic layer takes the scale of its input from what it reads: the range of a call, spread over the codes.',
    evidence: (e) => [rangeSentence(e)],
    fix: rangeFix,
  },
  'bias-int32': {
    title: (e) => (e.bias === 'float' ? 'bias added in float, not rounded to int32' : 'bias rounded to int32'),
    explanation:
      'A bias at scale s_x * s_w loses up to half an accumulator unit when it is rounded to int32; the other side keeps it in float.',
    evidence: (e, context) => [
      number(e.max_rounding_error_steps, (n) => {
        const where = e.channel === undefined ? '' : ` (channel ${e.channel})`;
        return `rounding the bias moves a value by up to ${n} steps${where}`;
      }),
      decidingSentence(e.deciding, context),
    ],
    fix: (e, context) =>
      context.subject !== 'candidate'
        ? declareKernel(context)
        : e.bias === 'float'
          ? `round the bias first, int32(rint(bias / (s_x * s_w))), as ${printable(context.declaredKernel)} does`
          : `add the bias in float before the multiplier, acc + bias / (s_x * s_w), as ${printable(context.declaredKernel)} does`,
  },
  'multiplier-precision': {
    title: (e) =>
      e.instead_of === 'fixed-point'
        ? `${e.arithmetic ?? 'float'} multiplier, not an int32 one`
        : 'multiplier of another precision or order',
    explanation: (e) =>
      e.deciding && e.deciding.zero_point === undefined
        ? 'Sums and scales are multiplied in another float width or order, which shows in the last digits of a float.'
        : '(s_x * s_w) / s_y is computed in another float width or order, which decides values next to a tie.',
    evidence: (e, context) => [
      e.found === undefined
        ? null
        : `${holder(context)}: ${printable(e.found)}` +
          (e.declared === undefined ? '' : `; declared: ${printable(e.declared)}`),
      decidingSentence(e.deciding, context),
    ],
    fix: (e, context) =>
      context.subject !== 'candidate'
        ? declareKernel(context)
        : `compute the multiplier as ${printable(context.declaredKernel)} does` +
          (e.declared === undefined ? '' : `: ${printable(e.declared)}`),
  },
  'fixed-point-multiplier': {
    title: (e) =>
      e.found === undefined
        ? `fixed-point multiplier${e.rounding ? `, ${e.rounding} rounding` : ''}`
        : `requantized by ${printable(e.found)}`,
    explanation:
      'The accumulator is multiplied by an int32 multiplier and shifted, as gemmlowp, TFLite and CMSIS-NN do, not by a float.',
    evidence: (e, context) => [
      e.declared === undefined ? null : `declared: ${printable(e.declared)}`,
      e.multiplier === undefined || e.shift === undefined
        ? null
        : `channel ${e.channel ?? 0}: multiplier ${e.multiplier}, shift ${e.shift}`,
      decidingSentence(e.deciding, context),
    ],
    fix: (e, context) => {
      if (context.subject !== 'candidate') return declareKernel(context);
      const kernel = printable(context.declaredKernel);
      return e.declared === undefined
        ? `requantize with the float multiplier (s_x * s_w) / s_y, as ${kernel} does; fixed point stays within one step of it (--tol-lsb 1)`
        : `requantize as ${kernel} does: ${printable(e.declared)}`;
    },
  },
  'table-entry': runtimeForm(
    (e: CauseEvidence['table-entry']) =>
      e.differing === undefined
        ? 'a function of codes made in another way'
        : `${e.differing === 1 ? 'one entry of the table differs' : `${e.differing} entries of the table differ`}`,
    'Entries of the table, or the fixed point in its place, are made otherwise, so that single codes differ.',
    (e, context) => [
      ...(e.entries ?? []).map((entry) => `code ${entry.code}: declared ${entry.declared}, found ${entry.found}`),
      decidingSentence(e.deciding, context),
    ],
  ),
  'resample-grid': runtimeForm(
    (e: CauseEvidence['resample-grid']) =>
      `resized on another grid${e.rule === undefined ? '' : ` (${printable(e.rule)})`}`,
    'Positions and weights of the neighbours are rounded otherwise, or follow from another mode, corner or half-pixel rule.',
    (e, context) => [decidingSentence(e.deciding, context)],
  ),
  'kernel-defect': runtimeForm(
    'a known defect of the runtime',
    'The runtime is wrong by its own documents: another release, or another resolver, is right.',
  ),
  'rounding-half-away': rounding(
    'ties rounded away from zero',
    'Exact halves go away from zero, where the reference takes the even neighbour.',
    'round ties to even: rint() or nearbyint() in C, np.rint in numpy; round() and lround() go away from zero',
  ),
  'rounding-half-up': rounding(
    'ties rounded up',
    'Exact halves go up, where the reference takes the even neighbour.',
    'round ties to even: rint() or nearbyint() in C, np.rint in numpy; floor(v + 0.5) and an added half before a shift go up',
  ),
  'rounding-truncate': rounding(
    'rounded towards zero',
    'The fraction is cut off, where the reference rounds to the nearest.',
    'round before the conversion to integer: rint() in C, np.rint in numpy; a cast cuts off',
  ),
  'rounding-floor': rounding(
    'rounded down',
    'The fraction is floored, where the reference rounds to the nearest.',
    'round before the conversion to integer: rint() in C, np.rint in numpy; an arithmetic shift to the right floors',
  ),
  'zero-point-before-rounding': {
    title: (e) => (e.order === 'after' ? 'zero point added after rounding' : 'zero point added before rounding'),
    explanation: 'With an odd zero point, ties to even differ by whether it is added before or after rounding.',
    evidence: (e, context) => [
      e.everywhere
        ? `every value is rounded as PyTorch does ${e.everywhere === 'vectors' ? 'in its vectors' : 'one by one, at the end of a run'}`
        : null,
      tieSentence(e.deciding, context),
      e.deciding ? null : number(e.zero_point, (n) => `zero point ${n}`),
      ties(e.ties),
    ],
    fix: (e, context) => {
      if (context.subject === 'candidate') {
        return e.order === 'after'
          ? 'add the zero point in float and round the sum: rint(v + zero_point)'
          : 'round first, then add the zero point: rint(v) + zero_point';
      }
      if (!context.quantizes) return declareKernel(context);
      const version = context.producer.frameworkVersion;
      return `quantize rounds by another rule in other PyTorch releases${version ? ` (this capture: ${printable(version)})` : ''}: compare within one release, or accept one step (--tol-lsb ${printable(context.layer)}=1)`;
    },
  },
  'rescale-missing': {
    title: (e) =>
      e.left === 'zero point'
        ? `zero point of ${operands(e.inputs)} left in`
        : `${operands(e.inputs)} not brought to the output's scale`,
    explanation:
      "Codes of an input are taken as if they were the output's: each has a scale and a zero point of its own.",
    ofOneLayer: true,
    evidence: (e, context) => [
      e.left && e.inputs ? `the ${e.left} of ${operands(e.inputs)} took no part` : null,
      decidingSentence(e.deciding, context),
    ],
    fix: (e, context) =>
      context.subject === 'candidate'
        ? `bring ${operands(e.inputs)} to the output's scale first: s_x * (x - zero_point)`
        : declareKernel(context),
  },
  'pool-rounding': {
    title: (e) => `mean rounded by ${e.rule === undefined ? 'another rule' : printable(e.rule)}`,
    explanation: 'The mean of a window is rounded to nearest, ties to even; another rule moves it by one code.',
    evidence: (e, context) => [decidingSentence(e.deciding, context)],
    fix: stepFix('round the mean to nearest, ties to even (numpy: np.rint), not by an integer division'),
  },
  'pool-divisor': {
    title: (e) => `windows divided by another count${e.rule === undefined ? '' : `: ${printable(e.rule)}`}`,
    explanation: 'On the border it matters whether padding counts (count_include_pad), and what the sum is divided by.',
    ofOneLayer: true,
    evidence: (e, context) => [decidingSentence(e.deciding, context)],
    fix: parameterFix(
      (context) => `correct count_include_pad and divisor_override of ${printable(context.layer)} in model.json`,
      "divide as the file's count_include_pad and divisor_override say",
    ),
  },
  'relu-at-zero': {
    title: 'ReLU clamps at code 0, not at the zero point',
    explanation: 'Real 0 is the zero point; clamping codes at 0 lets negative values through.',
    evidence: (e, context) => [
      e.between === undefined
        ? null
        : `${counted(e.between, 'value')} of ${holder(context)} between 0 and the zero point${e.zero_point === undefined ? '' : ` ${e.zero_point}`}`,
      decidingSentence(e.deciding, context),
    ],
    fix: (e, context) =>
      context.subject === 'candidate'
        ? `clamp at the zero point${e.zero_point === undefined ? '' : ` ${e.zero_point}`}: max(q, zero_point)`
        : declareKernel(context),
  },
  'capture-before-relu': {
    title: 'taken before ReLU',
    explanation: 'The model file declares a ReLU that these values have not passed.',
    evidence: (e, context) => [
      e.below_zero_point === undefined
        ? null
        : `${counted(e.below_zero_point, 'value')} of ${holder(context)} below the zero point${e.zero_point === undefined ? '' : ` ${e.zero_point}`}, where ReLU leaves none`,
    ],
    fix: parameterFix(
      (context) =>
        `take ${printable(context.layer)} after its ReLU, or write "activation": "none" for it in model.json`,
      'apply the ReLU before this value is written',
    ),
  },
  'capture-after-relu': {
    title: 'taken after ReLU',
    explanation: 'These values have passed a ReLU that the model file does not declare for this layer.',
    evidence: (e, context) => [
      e.at_zero_point === undefined
        ? null
        : `${counted(e.at_zero_point, 'value')} of ${holder(context)} at the zero point${e.zero_point === undefined ? '' : ` ${e.zero_point}`}` +
          (e.replayed_below === undefined ? '' : `; the replay has ${e.replayed_below} of them below it`),
    ],
    fix: parameterFix(
      (context) =>
        `take ${printable(context.layer)} before its ReLU, or write "activation": "relu" for it in model.json`,
      'write this value before the ReLU',
    ),
  },
  'activation-zero-point-missing': {
    title: 'activation zero point not subtracted',
    explanation: 'The input codes are multiplied as they are, without subtracting their zero point.',
    evidence: (e) => [number(e.zero_point, (n) => `zero point ${n}`)],
    fix: parameterFix(
      (context) => `correct the zero point of ${printable(context.layer)}'s input in model.json`,
      "subtract the input's zero point before multiplying, in int16 or wider (uint8 - 128 wraps)",
    ),
  },
  'weight-zero-point-missing': {
    title: 'weight zero point not subtracted',
    explanation: 'The weight codes are multiplied as they are, without subtracting their zero point.',
    evidence: (e) => [
      number(e.zero_point, (n) => `zero point ${n}${e.channel === undefined ? '' : ` of channel ${e.channel}`}`),
    ],
    fix: parameterFix(
      (context) => `correct ${field(context, 'weight_zero_point')} in model.json`,
      "subtract each channel's weight zero point before multiplying, in int16 or wider",
    ),
  },
  signedness: {
    title: (e) =>
      e.declared && e.read_as ? `${e.of ?? 'code'}s of ${e.declared} read as ${e.read_as}` : 'wrong signedness',
    explanation: 'Bytes are read with the other sign: off by 128, or by 256 from 128 up.',
    evidence: (e) => [
      e.off_by === 256 ? 'codes from 128 up are off by 256' : e.off_by === 128 ? 'every code is off by 128' : null,
    ],
    fix: (e, context) => {
      const what = `the ${e.of ?? 'value'}s`;
      return context.subject === 'candidate'
        ? `read ${what} as ${e.declared ?? 'declared'}`
        : `correct the dtype of ${what} of ${printable(context.layer)} in model.json`;
    },
  },
  'weight-transposed': {
    title: 'weight transposed',
    explanation: 'The square weight is used as [in_features, out_features].',
    ofOneLayer: true,
    evidence: (e) => [e.shape ? `weight [${e.shape.join(', ')}]` : null],
    fix: parameterFix(
      (context) => `write ${field(context, 'weight')} as [out_features, in_features]: transpose it`,
      'multiply by the transpose: acc = x @ w.T with w [out_features, in_features]',
    ),
  },
  'k-order': {
    title: (e) => `${e.of ?? 'values'} in another order${e.order ? `: ${e.order}` : ''}`,
    explanation: 'Every channel multiplies weights with values of other places along k, in the same order.',
    ofOneLayer: true,
    evidence: (e) => [e.order === undefined ? null : `${e.of}: ${e.order}`],
    fix: parameterFix(
      (context) => `write the weights of ${printable(context.layer)} in the order that the capture was computed with`,
      'take weights as [out, in / groups, kh, kw] and the image in the layout of the model, taps not flipped',
    ),
  },
  'padding-value': {
    title: (e) => `padding holds ${paddingText(e.found)}, not the zero point`,
    explanation: 'Padding is real 0, which is the zero point of the input; another code there is another value.',
    ofOneLayer: true,
    evidence: (e) => [
      e.declared === undefined ? null : `zero point ${e.declared}, padding with ${paddingText(e.found)}`,
      bordersText(e),
    ],
    fix: (e, context) =>
      context.subject === 'candidate'
        ? `pad ${printable(context.layer)} with ${e.declared ?? 'the zero point'}, the zero point of its input`
        : null,
  },
  'padding-place': {
    title: (e) => (e.not_read ? `${edgeText(e.not_read)} of the image is not read` : 'padding on other sides'),
    explanation: 'The window begins at another place of the image than the file says.',
    ofOneLayer: true,
    evidence: (e) => [
      e.declared && e.found ? `[before, after] of ${axesText(e.declared, e.found)}` : null,
      bordersText(e),
    ],
    fix: parameterFix(
      (context) => `correct ${field(context, 'padding')} in model.json`,
      'pad as the file says: uneven padding lies after the image in TFLite and ONNX (SAME_UPPER), before it where it says so',
    ),
  },
  'groups-wrong': {
    title: (e) => (e.found === 'first' ? 'every group reads the first' : `groups taken by turns`),
    explanation: 'Output channels of a group read its own input channels, groups side by side.',
    ofOneLayer: true,
    evidence: (e) => [e.groups === undefined ? null : `${e.groups} groups: ${groupsText(e.found)}`],
    fix: parameterFix(
      (context) => `correct ${field(context, 'groups')} and the order of channels in model.json`,
      'output channel n belongs to group floor(n / (out / groups)), which reads channels from that group times in / groups on',
    ),
  },
  'dilation-wrong': otherSteps('dilation', 'Taps lie further apart, or nearer, than the file says.'),
  'stride-wrong': otherSteps('stride', 'Windows lie further apart, or nearer, than the file says.'),
  'scale-per-tensor': {
    title: 'one weight scale for all channels',
    explanation: "One channel's scale, or the largest, is used where every channel has its own.",
    ofOneLayer: true,
    evidence: (e) => [
      e.used === undefined
        ? null
        : `weight_scale ${precise(e.used)} everywhere` +
          (e.channel !== undefined
            ? `, which is channel ${e.channel}'s`
            : e.which && e.which !== 'channel'
              ? `, the ${e.which}`
              : ''),
    ],
    fix: parameterFix(
      (context) =>
        `write ${field(context, 'weight_scale')} with one number a channel: export it with q_per_channel_scales()`,
      'use weight_scale[channel] in each output channel',
    ),
  },
  'scale-shifted': {
    title: 'weight scales in another order',
    explanation: "Channels use each other's weight scales.",
    ofOneLayer: true,
    evidence: (e) => [permutationSentence('channel', e)],
    fix: parameterFix(
      (context) => `put ${field(context, 'weight_scale')} into the order of the output channels`,
      'index the weight scales by output channel, from 0',
    ),
  },
  'weight-scale-wrong': {
    title: 'wrong weight scale',
    explanation: 'The weight scale is another than the file says.',
    ofOneLayer: true,
    evidence: (e) => foundSentences('weight_scale', e.found, e.omitted),
    fix: (e, context) => {
      const several = (e.found?.length ?? 0) + (e.omitted ?? 0) > 1;
      if (several) return foundFix('weight_scale')({}, context);
      const [{ channel, ...only }] = e.found ?? [{ channel: undefined }];
      return foundFix(channel === undefined ? 'weight_scale' : `weight_scale[${channel}]`)(only, context);
    },
  },
  'input-scale-wrong': {
    title: 'wrong input scale',
    explanation: "The input's scale is another than the file says.",
    ofOneLayer: true,
    evidence: (e) => [foundSentence('input scale', e)],
    fix: foundFix('input scale'),
  },
  'output-scale-wrong': {
    title: 'wrong output scale',
    explanation: "The output's scale is another than the file says.",
    ofOneLayer: true,
    evidence: (e) => [foundSentence('output scale', e)],
    fix: foundFix('output scale'),
  },
  'output-zero-point-wrong': {
    title: 'wrong output zero point',
    explanation: "The output's zero point is another than the file says.",
    ofOneLayer: true,
    evidence: (e) => [foundSentence('output zero_point', e)],
    fix: foundFix('output zero_point'),
  },
  'bias-missing': {
    title: 'bias missing',
    explanation: 'One side adds a bias that the other leaves out.',
    ofOneLayer: true,
    evidence: (e) => [
      ...foundSentences('bias', e.found, e.omitted),
      number(
        e.max_bias_steps,
        (n) => `the bias is worth up to ${n} steps${e.channel === undefined ? '' : ` (channel ${e.channel})`}`,
      ),
    ],
    fix: parameterFix(
      (context) => `write ${field(context, 'bias')} into model.json: the capture was computed with one`,
      'add the bias: acc + bias / (s_x * s_w)',
    ),
  },
  'bias-unscaled': {
    title: 'bias added without scaling',
    explanation: 'The real-valued bias is added to the accumulator as it is; it has to be divided by s_x * s_w.',
    ofOneLayer: true,
    evidence: (e) => [
      e.bias === undefined || e.steps_declared === undefined
        ? null
        : `channel ${e.channel ?? 0}: bias ${short(e.bias)} is ${short(e.steps_declared)} steps` +
          (e.steps_found === undefined ? '' : `, and acts as ${short(e.steps_found)}`),
    ],
    fix: parameterFix(
      (context) => `write ${field(context, 'bias')} in real units (float32), or as int32 at scale s_x * s_w`,
      'divide the bias by s_x * s_w before it is added to the accumulator',
    ),
  },
  'bias-shifted': {
    title: 'biases in another order',
    explanation: "Channels use each other's biases.",
    ofOneLayer: true,
    evidence: (e) => [permutationSentence('channel', e)],
    fix: parameterFix(
      (context) => `put ${field(context, 'bias')} into the order of the output channels`,
      'index the biases by output channel, from 0',
    ),
  },
  'weight-value': {
    title: (e) => {
      if (e.whole) return `other weights in ${wholeText(e)}`;
      return (e.weights?.length ?? 0) + (e.omitted ?? 0) === 1 ? 'one weight differs' : 'single weights differ';
    },
    explanation: (e) =>
      e.whole
        ? 'All weights were solved for together, and come out as integers that give every value: the file is stale.'
        : 'Single weights are others than the file says: a stale file, or flipped bits.',
    ofOneLayer: true,
    evidence: (e) => {
      const weights = e.weights ?? [];
      const left = Math.max(0, weights.length - 4) + (e.omitted ?? 0);
      return [
        ...(e.whole ?? []).slice(0, 4).map((w) => `channel ${w.channel}: ${w.changed} of ${w.of} weights differ`),
        ...weights
          .slice(0, 4)
          .map(
            (w) =>
              `${weightText(w)}: declared ${w.declared}, found ${w.found}${flippedBit(w.declared, w.found)}${orElse(w.alternatives)}`,
          ),
        left > 0 ? `and ${counted(left, 'more weight')}` : null,
      ];
    },
    fix: parameterFix(
      (context) => `export ${printable(context.layer)} again: model.json and the capture hold different weights`,
      'load the weights of this layer again: a stale or damaged copy',
    ),
  },
  'accumulator-wraps': {
    title: (e) =>
      `${e.bits ?? 'narrow'}${e.bits ? '-bit' : ''} accumulator ${e.overflow === 'saturate' ? 'saturates' : 'wraps'}`,
    explanation: (e) => `The sum${e.holds_bias ? ', the bias included,' : ''} leaves the width of its accumulator.`,
    evidence: (e) => [
      e.first ? `${place(e.first)}: ${e.first.exact} becomes ${e.first.overflowed}` : null,
      e.overflowed === undefined
        ? null
        : `${counted(e.overflowed, 'sum')}${e.of === 'raw' ? ' of raw products' : ''} leave${e.overflowed === 1 ? 's' : ''} ${e.bits ?? 'that many'} bits`,
    ],
    fix: stepFix('accumulate in int32 (numpy: astype(np.int32) before @; uint8 @ int8 is int16)'),
  },
  'samples-misaligned': {
    title: 'samples in another order',
    explanation: 'The rows are the right ones in another order than the input.',
    ofOneLayer: true,
    evidence: (e) => [
      permutationSentence('sample', e),
      number(e.moved, (n) => `${n} rows are not where their input is`),
    ],
    fix: parameterFix(
      () => 'capture inputs and outputs in one run, without shuffling in between',
      'write the rows in the order of the captured input',
    ),
  },
  'clamp-range': {
    title: (e) => (e.found ? `clamped to ${e.found[0]}..${e.found[1]}` : 'clamped to another range'),
    explanation: 'The output is clamped to another range than its dtype or quant_min and quant_max.',
    evidence: (e) => [
      e.declared && e.found ? `declared ${e.declared[0]}..${e.declared[1]}, found ${e.found[0]}..${e.found[1]}` : null,
      number(e.clamped, (n) => `${n} values lie between the two ranges`),
    ],
    fix: (e, context) =>
      context.subject === 'candidate'
        ? `clamp to ${e.declared ? `${e.declared[0]}..${e.declared[1]}` : 'the declared range'}`
        : e.of === 'bounds'
          ? `correct the bounds of ${printable(context.layer)} in model.json${e.found ? `: the capture has them at the codes ${e.found[0]} and ${e.found[1]}` : ''}`
          : `correct quant_min and quant_max of ${printable(context.layer)} in model.json${e.found ? ` (${e.found[0]}, ${e.found[1]})` : ''}`,
  },
  'constant-values': {
    title: (e) =>
      e.value === undefined
        ? 'one value in every channel'
        : `${e.channels ? 'one value in some channels' : 'one value everywhere'}: ${short(e.value)}`,
    explanation: 'Nothing was computed here, or it was saved wrongly: such data tell no arithmetic from another.',
    ofOneLayer: true,
    evidence: (e) => [
      e.value === undefined
        ? null
        : `every value is ${short(e.value)}${e.is ? CONSTANTS[e.is] : ''}, where the replay has several`,
      e.each ? `by channel: ${e.each.map(short).join(', ')}; the replay has several in each` : null,
    ],
    fix: parameterFix(
      (context) => `capture ${printable(context.layer)} again: its values were not computed, or not written`,
      'check that this layer runs and that its own output buffer is what is saved',
    ),
  },
  'output-wraps': {
    title: (e) => `output wraps${e.dtype ? ` at ${e.dtype}` : ''}`,
    explanation: 'The low bits of a code are kept, where the reference clamps to the range of its dtype.',
    evidence: (e) => [
      e.first ? `${place(e.first)}: ${e.first.unclamped} becomes ${e.first.stored}` : null,
      number(e.wrapped, (n) => `${n} values leave the range`),
    ],
    fix: (e, context) => {
      if (context.subject !== 'candidate') return declareKernel(context);
      const [dtype, range] = e.dtype === 'int8' ? ['int8', '-128, 127'] : ['uint8', '0, 255'];
      return `clamp before the cast: np.clip(q, ${range}).astype(np.${dtype}), or a saturating conversion`;
    },
  },
  'multiplier-short': {
    title: (e) => (e.k === 1 ? 'multiplier is a shift' : `multiplier of ${e.bits ?? 'few'} bits`),
    explanation: 'The sums are multiplied by k * 2^-n with a k of few bits, not by (s_x * s_w) / s_y.',
    evidence: (e) => [
      e.k === undefined || e.n === undefined || e.multiplier === undefined
        ? null
        : `channel ${e.channel ?? 0}: ${e.k} * 2^-${e.n} = ${short(e.k * 2 ** -e.n)} for ${short(e.multiplier)}` +
          (e.relative_error === undefined ? '' : ` (off by ${short(100 * e.relative_error)} %)`),
    ],
    fix: stepFix('give the multiplier more bits: an int32 multiplier of 31 bits and a shift, or a float'),
  },
  'scale-rounded': {
    title: (e) => (e.digits === undefined ? 'scales rounded' : `scales rounded to ${e.digits} ${e.kind ?? 'decimals'}`),
    explanation: 'Scales are taken as a print shows them.',
    ofOneLayer: true,
    evidence: (e) => [
      e.before === undefined || e.after === undefined
        ? null
        : `${listed(e.of ?? [])}: ${precise(e.before)} becomes ${precise(e.after)}`,
    ],
    fix: parameterFix(
      (context) => `write the scales of ${printable(context.layer)} in full`,
      'take the scales in full, as float32, not as a print shows them (q_scale(), not print)',
    ),
  },
  'bias-factor': {
    title: (e) => (e.factor === undefined ? 'biases times one number' : `biases times ${e.equals ?? short(e.factor)}`),
    explanation: 'Every bias is multiplied by one number more.',
    ofOneLayer: true,
    evidence: (e) => [
      e.factor === undefined
        ? null
        : `factor ${precise(e.factor)}${e.interval ? `, anything in ${precise(e.interval[0])} .. ${precise(e.interval[1])} fits` : ''}`,
    ],
    fix: (e, context) => {
      const factor = e.equals ?? (e.factor === undefined ? 'a factor' : short(e.factor));
      return context.subject === 'candidate'
        ? `add each bias once, as it is: it is multiplied by ${factor}`
        : `correct ${field(context, 'bias')} in model.json: the capture adds it times ${factor}`;
    },
  },
  'bias-value': {
    title: 'other biases',
    explanation: 'Biases are others than the file says: a stale file.',
    ofOneLayer: true,
    evidence: (e) => foundSentences('bias', e.found, e.omitted),
    fix: parameterFix(
      (context) => `export ${printable(context.layer)} again: model.json and the capture hold different biases`,
      'load the biases of this layer again: a stale copy',
    ),
  },
  'product-rounded': {
    title: (e) =>
      e.bits === undefined ? 'products rounded' : `products rounded ${e.rule} by ${counted(e.bits, 'bit')}`,
    explanation: 'Each product loses its low bits before it is added, where the reference rounds the sum once.',
    evidence: (e) => [number(e.mean_loss, (n) => `a product loses ${n} on average`)],
    fix: stepFix('add the products in full, in int32, and shift or round the sum once'),
  },
  'accumulator-float32': {
    title: 'sums in float32',
    explanation: 'A float32 has 24 bits: sums beyond 2^24 lose their last digits.',
    evidence: (e) => [
      e.first ? `${place(e.first)}: ${e.first.exact} becomes ${e.first.rounded}` : null,
      number(e.beyond, (n) => `${n} sums are beyond 2^24`),
    ],
    fix: stepFix('keep the sums in int32 until they are multiplied'),
  },
  'float-arithmetic': {
    title: (e) => (e.ran === 'integers' ? 'computed in integers, not in float' : 'computed in float32'),
    explanation: (e) =>
      e.ran === 'integers'
        ? 'Codes are multiplied as integers, where the reference dequantizes them and multiplies floats.'
        : 'Codes are dequantized and multiplied in float32 (fake quantization), where the reference adds integers.',
    evidence: (e) => [
      number(e.steps, (n) => `up to ${n} steps from the integer result`),
      e.within_bound === undefined ? null : `float32 leaves ${e.within_bound} of ${e.of ?? 'all'} values open`,
    ],
    fix: (e, context) => {
      if (context.subject === 'candidate')
        return 'multiply the integer codes and requantize the sums, in place of dequantized floats';
      if (context.framework !== 'ONNX Runtime') return declareKernel(context);
      return e.ran === 'integers' ? RAN_IN_INTEGERS : RAN_IN_FLOAT;
    },
  },
  fma: {
    title: (e) => (e.fused ? 'fused multiply-add' : 'multiply and add rounded separately'),
    explanation: 'A fused multiply-add rounds once, a product and a sum round twice.',
    evidence: (e, context) => [decidingSentence(e.deciding, context)],
    fix: (e, context) =>
      context.subject !== 'candidate'
        ? declareKernel(context)
        : e.fused
          ? 'compile without contraction (-ffp-contract=off)'
          : 'use a fused multiply-add: fmaf(), or -ffp-contract=fast on a CPU that has one',
  },
  inherited: {
    title: (e) => (e.from === undefined ? 'inherited from its input' : `inherited from ${printable(e.from)}`),
    explanation: (e) =>
      e.values === undefined
        ? 'Exact on its own input; it differs only since its input does.'
        : 'Part of what differs came with its input, which differs already.',
    fix: () => null,
  },
  unexplained: {
    title: (e) => (e.not_finite ? holdingSentence(e.not_finite) : 'unexplained'),
    explanation: (e) =>
      e.not_finite
        ? `No cause is sought in what is not a number; all other values are compared as ever.${e.not_finite.some(({ of }) => of === 'input') ? ' What a kernel makes of such an input follows from its comparisons: a dynamic layer takes its scale from the range, which is no number then.' : ''}`
        : 'No known cause, alone or with another, gives all of these values; nothing is named rather than guessed.',
    evidence: (e) => [
      number(
        e.constant,
        (n) => `every value is ${n}, where the replay has several: such data tell no cause from another`,
      ),
      nearestSentence(e.nearest),
      e.would_take
        ? `whether the weights of channel ${e.would_take.channel} are others takes some ${e.would_take.samples} samples to tell`
        : null,
      number(e.hypotheses, (n) => `${n} hypotheses tried`),
      e.out_of_time ? 'the search ran out of time: not all hypotheses were tried' : null,
    ],
    fix: () => null,
  },
};

function nearestSentence(nearest: CauseEvidence['unexplained']['nearest']): string | null {
  if (!nearest) return null;
  const { causes, kernel, explained, of, lost } = nearest;
  const like = kernel ? ` (${printable(kernel)})` : '';
  const breaks = lost > 0 ? ` and breaks ${lost} that agreed` : '';
  return `nearest: ${causeTitles(causes)}${like} explains ${explained} of ${of}${breaks}`;
}

/** "channel 3", "24 channels". */
function wholeText({ whole = [], whole_omitted = 0 }: Partial<CauseEvidence['weight-value']>): string {
  const count = whole.length + whole_omitted;
  return count === 1 ? `channel ${whole[0].channel}` : counted(count, 'channel');
}

/** Where few samples leave more than one place. */
function orElse(alternatives: readonly { readonly k: number; readonly found: number }[] = []): string {
  return alternatives.map(({ k, found }) => ` or weight ${k} = ${found}`).join('');
}

/** ", bit 3 flipped", where the two bytes differ in one bit. */
function flippedBit(declared: number, found: number): string {
  const bits = (declared ^ found) & 0xff;
  return bits !== 0 && (bits & (bits - 1)) === 0 ? ` (bit ${Math.log2(bits)} flipped)` : '';
}

function textOf(cause: string): CauseText<object> | null {
  return Object.hasOwn(CAUSE_TEXTS, cause) ? (CAUSE_TEXTS[cause as CauseCode] as CauseText<object>) : null;
}

function evidenceOf(cause: string, evidence: Evidence): object {
  return Object.hasOwn(evidence, cause) ? (evidence[cause as CauseCode] ?? {}) : {};
}

// ---------------------------------------------------------------- what the report says

/** "int16 saturation and bias rounded to int32". */
export function causeTitles(causes: readonly string[], evidence: Evidence = {}): string {
  const titles = causes.map((cause) => {
    const title = textOf(cause)?.title ?? printable(cause);
    return typeof title === 'string' ? title : title(evidenceOf(cause, evidence));
  });
  return titles.join(' and ');
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

/** What a side is found to do and `other` is not, from both formulas; of what no formula tells, what it means. */
export function reasons(context: FindingContext, causes: readonly string[], other: string): string[] {
  const { formula } = context.evidence.basis ?? {};
  const told = formula ? stepSentences(holder(context), formula.found, other, otherFormula(formula)).map(capital) : [];
  const isTold = (cause: string) => told.length > 0 && formula?.tells.includes(cause);
  return [
    ...told,
    ...explanations(
      causes.filter((cause) => !isTold(cause)),
      context.evidence,
    ),
  ];
}

/** What a person can check by hand, cause by cause, and what the name rests on. */
export function evidenceSentences(context: FindingContext, causes: readonly string[]): string[] {
  const { evidence } = context;
  const own = causes.flatMap((cause) => textOf(cause)?.evidence?.(evidenceOf(cause, evidence), context) ?? []);
  const { saturating_pairs: pairs, samples, in: before } = evidence.basis ?? {};
  const enough = actsOnSteps(causes) ? 8 : 40; // a step shows in 8 samples, a single number takes more
  const few = samples !== undefined && samples < enough && !causes.includes('unexplained');
  return [
    before === undefined
      ? null
      : `${printable(before)} was not seen: with this, the replay from there gives every value of ${printable(context.layer)}`,
    ...own,
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
    followsPairs ? IN_PAIRS : null,
    ...metFixes(context),
  ]);
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
  const { subject, framework, evidence, explainedBy, foundKernel } = context;
  const { in: layer } = evidence.basis ?? {};
  const side = { capture: framework ?? 'The capture', model: 'Model file', candidate: 'Yours' }[subject];
  const who = layer === undefined ? side : `${side}, in ${printable(layer)}`;
  if (causes.length === 0) {
    const accumulation = sharedAccumulation(explainedBy);
    const like =
      explainedBy.length > 0 ? `consistent with ${consistentWith(explainedBy, ['numpy', foundKernel])}` : null;
    return `${who}: ${[accumulation, like].filter(Boolean).join(', ') || 'as declared'}`;
  }
  const titles = countedTitles(causes, evidence);
  if (subject !== 'candidate' && causes.every((cause) => cause === 'inherited')) return `Replay: ${titles}`; // propagated mode
  return `${who}: ${titles}${causes.includes('unexplained') ? '' : origin(context)}`;
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
  return ` (${explainedBy.length > 1 ? 'consistent with ' : ''}${kernelOrigin(foundKernel)})`;
}

/** What most values need comes first; what came with the input before all. */
export function inOrder(causes: readonly string[], evidence: Evidence): string[] {
  const valuesOf = (cause: string) => (evidenceOf(cause, evidence) as { readonly values?: number }).values ?? 0;
  const rank = (cause: string) => (cause === 'inherited' ? Number.POSITIVE_INFINITY : valuesOf(cause));
  return [...causes].sort((a, b) => (rank(a) === rank(b) ? 0 : rank(b) - rank(a)));
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
  const { subject, framework, foundKernel } = context;
  if (subject !== 'capture' || framework !== 'PyTorch' || foundKernel === null || !causes.includes('int16-saturation'))
    return null;
  if (context.evidence['int16-saturation']?.exact) return null;
  const variable = kernelNamed(foundKernel)?.confirm ?? null;
  return variable && `${variable} makes PyTorch give these values on any x86 CPU with VNNI too`;
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
): string[] {
  return others.map(({ causes, kernel }) => {
    const like = kernel && kernel !== context.declaredKernel ? ` (${printable(kernel)})` : '';
    return `cannot be told apart from: ${causeTitles(causes)}${like}`;
  });
}

/** Every kernel that explains everything, for the reader who knows where the values come from. */
export function explainedBySentence(kernels: readonly string[]): string | null {
  return kernels.length === 0 ? null : `consistent with ${listed(kernels, 8)}`;
}

export function rehearsalSentence(mismatchedAfterFix: number, values: number): string {
  return mismatchedAfterFix === 0
    ? `replayed with the fix: all ${counted(values, 'value')} equal`
    : `replayed with the fix: ${mismatchedAfterFix} of ${counted(values, 'value')} still differ`;
}

/** What came with the input goes with it. */
export function firstFixSentence(layer: string, from: string): string {
  return `correct ${printable(from)} first: most of what differs in ${printable(layer)} came with it`;
}

/** How an implementation that does as declared can follow the other side, where that is what departs. */
export function imitation(context: FindingContext, causes: readonly string[]): string | null {
  if (causes.length === 0 || causes.includes('unexplained') || causes.includes('inherited')) return null;
  if (context.subject === 'candidate') return null;
  const { formula } = context.evidence.basis ?? {};
  if (!formula) return causes.length === 1 && causes[0] === 'int16-saturation' ? IN_PAIRS : null;
  return joined([
    ...stepFixes(formula.declared, formula.found),
    formula.found.sums.step === formula.declared.sums.step ? null : IN_PAIRS,
  ]);
}
