/** Parts of sentences that several causes share. */

import type { Producer } from '../../nouns/model.js';
import { f32 } from '../../numeric/float.js';
import { roundHalfEven } from '../../numeric/round.js';
import { counted, precise, printable } from '../../text.js';
import type { CellOfPatch, DecidingValue, FoundParameter, Permutation, SaturatingPair } from '../finding/evidence.js';
import type { FixContext, SentenceContext } from './causeWords.js';
import { place } from './place.js';

/** Six digits at most; whole numbers in full. */
export function short(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(6)));
}

/** Nine digits, so that a float32 is told from its neighbours; all of them where nine would pretend a tie. */
function steps(value: number): string {
  const nine = Number(value.toPrecision(9));
  return String(nine !== value && Number.isInteger(nine * 2) ? value : nine);
}

/** Whose values are explained. */
export function holder({ subject, framework }: Pick<SentenceContext, 'subject' | 'framework'>): string {
  return subject === 'candidate' ? 'yours' : (framework ?? 'the capture');
}

const FILES: Readonly<Record<NonNullable<Producer['file']>, string>> = {
  onnx: 'the .onnx file',
  tflite: 'the .tflite file',
  npz: 'the npz',
};

/** What is corrected where the file is wrong: an .onnx or a .tflite has no fields of model.json. */
export function fileOf({ producer: { file } }: Pick<FixContext, 'producer'>): string {
  return file ? FILES[file] : 'model.json';
}

function has(context: SentenceContext): string {
  return `${holder(context)} has`;
}

export function number(value: number | undefined, words: (text: string) => string): string | null {
  return value === undefined ? null : words(short(value));
}

/** Where, and on a line of its own the arithmetic: it fits 80 columns unbroken. */
export function pairSentences(pair: (SaturatingPair & { sample: number; channel: number }) | undefined): string[] {
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
export function weightText({ channel, k, tap }: { channel: number; k: number; tap?: readonly number[] }): string {
  return tap ? `weight of channel ${channel} at ${tapText(tap)}` : `weight[${channel}, ${k}]`;
}

/** "(ky, kx, c) = (1, 1, 0)". */
function tapText(tap: readonly number[]): string {
  const names = ['kz', 'ky', 'kx', 'c'].slice(-tap.length);
  return `(${names.join(', ')}) = (${tap.join(', ')})`;
}

/** "sample 17, channel 3: 2.5 rounds to 2 (half to even), the capture has 3 (codes 130 and 131)". */
export function tieSentence(value: DecidingValue | undefined, context: SentenceContext): string | null {
  if (!value) return null;
  const zeroPoint = value.zero_point ?? 0;
  const codes = zeroPoint === 0 ? '' : ` (codes ${value.declared} and ${value.observed})`;
  if (value.before_rounding === undefined) return decidingSentence(value, context);
  const from = steps(value.before_rounding);
  const rounded = value.declared - zeroPoint;
  const together = f32(value.before_rounding + zeroPoint);
  // by itself -16.5000019 is -17; with 130 it is 113.5 in float32, and 114
  if (Math.abs(value.before_rounding - rounded) > 0.5 && roundHalfEven(together) === value.declared) {
    return `${place(value)}: ${from} with zero point ${zeroPoint} is ${precise(together)}, which becomes ${value.declared}, ${has(context)} ${value.observed}`;
  }
  const rule = value.to_even ? ' (half to even)' : '';
  return `${place(value)}: ${from} rounds to ${rounded}${rule}, ${has(context)} ${value.observed - zeroPoint}${codes}`;
}

/** "sample 17, channel 3: fbgemm gives 131, the capture has 130 (2.50000012 against 2.49999988 steps before rounding)". */
export function decidingSentence(value: DecidingValue | undefined, context: SentenceContext): string | null {
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
export function operands(inputs: readonly number[] | undefined): string {
  if (!inputs || inputs.length === 0) return 'an input';
  return inputs.length === 1 ? `input ${inputs[0]}` : `inputs ${inputs.join(' and ')}`;
}

export function ties(count: number | undefined): string | null {
  if (count === undefined) return null;
  return count === 1 ? '1 value of the layer is an exact tie' : `${count} values of the layer are exact ties`;
}

export function foundSentence(what: string, found: Partial<FoundParameter>): string | null {
  if (found.found === undefined || found.declared === undefined) return null;
  // what was tried may lie beside what is left of the interval, which is of float64
  const isWithin = found.interval && found.interval[0] <= found.found && found.found <= found.interval[1];
  const interval = isWithin
    ? `, anything in ${precise(found.interval![0])} .. ${precise(found.interval![1])} fits`
    : '';
  const near = isWithin && !found.of_input ? nearText(found.found, found.interval!) : '';
  const sameAs = found.same_as === undefined ? '' : ` (the same number as ${printable(found.same_as)}'s)`;
  const ofInput = found.of_input ? ", the input's" : '';
  const where = found.channel === undefined ? '' : ` of channel ${found.channel}`;
  return `${what}${where}: declared ${precise(found.declared)}, found ${precise(found.found)}${ofInput}${near}${interval}${sameAs}`;
}

/** Quotients that people write for scales: 1 / 255 gives a tie another code, and values leave what lies beside it. */
const QUOTIENTS = [255, 256, 127, 128];

function nearText(found: number, [lo, hi]: readonly [number, number]): string {
  const n = QUOTIENTS.find((own) => 1 / own >= lo * (1 - 3e-7) && 1 / own <= hi * (1 + 3e-7));
  return n === undefined ? '' : found === 1 / n ? ` = 1 / ${n}` : `, next to 1 / ${n}`;
}

export function foundSentences(what: string, found: readonly FoundParameter[] = [], omitted = 0): (string | null)[] {
  const shown = found.slice(0, 4);
  const left = found.length - shown.length + omitted;
  return [...shown.map((f) => foundSentence(what, f)), left > 0 ? `and ${counted(left, 'more channel')}` : null];
}

export function permutationSentence(noun: string, { permutation, shift }: Permutation): string | null {
  if (shift !== undefined)
    return `${noun} n uses what belongs to ${noun} n ${shift < 0 ? '-' : '+'} ${Math.abs(shift)}`;
  if (!permutation) return null;
  const moved = [...permutation.entries()].filter(([to, from]) => to !== from);
  const shown = moved.slice(0, 4).map(([to, from]) => `${to} uses ${from}'s`);
  const more = moved.length > shown.length ? `, and ${moved.length - shown.length} more` : '';
  return shown.length === 0 ? null : `${noun} ${shown.join(', ')}${more}`;
}

/** "input", "second input": which of what a layer reads, counted from 0. */
export function inputName({ input }: { readonly input?: number }): string {
  return input ? `${['second', 'third', 'fourth'][input - 1] ?? `${input + 1}th`} input` : 'input';
}
