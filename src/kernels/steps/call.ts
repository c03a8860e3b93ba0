/** What steps on whole values share: the codes of a call, and places in it. */
import type { CodeArray, JoinedPair, TensorCall, TensorValue } from '../../nouns/kernel.js';
import { type QuantParams, quantizedParams } from '../../nouns/value.js';
import { asBytes, type Bytes, float32s, int32s, isBytes, lookedUp } from '../../numeric/array.js';
import { f32 } from '../../numeric/float.js';
import { roomFor } from '../../numeric/room.js';
import { floor } from '../../numeric/round.js';
import { broadcastIndex } from '../../tensor/broadcast.js';
import { inBits } from '../../tensor/rows.js';
import { sizeOf } from '../../tensor/shape.js';
import { everyElement, noElement, vectorBody } from '../../tensor/vectorBody.js';

export function quantized({ params }: Pick<TensorValue, 'params'>): QuantParams {
  return quantizedParams(params);
}

/** For codes of the output, all of which are in its range. */
export function roomForCodes({ samples, output }: TensorCall): CodeArray {
  const length = samples * sizeOf(output.shape.dims);
  const { dtype } = quantized(output);
  if (dtype === 'uint8') return new Uint8Array(length);
  return dtype === 'int8' ? new Int8Array(length) : new Int32Array(length);
}

/** Every code of the output, counted in C order. */
export function fill({ samples, output }: TensorCall, code: (element: number) => number): Int32Array {
  const codes = new Int32Array(samples * sizeOf(output.shape.dims));
  for (let i = 0; i < codes.length; i++) codes[i] = code(i);
  return codes;
}

/** Every float of the output. */
export function fillReals({ samples, output }: TensorCall, real: (element: number) => number): Float32Array {
  return float32s({ length: samples * sizeOf(output.shape.dims) }, (_, i) => real(i));
}

/** As bytes where the output's are and all fit: 16 million in a quarter of the memory. */
function filledAsBytes(call: TensorCall, code: (element: number) => number): CodeArray {
  const codes = roomForCodes(call);
  for (let i = 0; i < codes.length; i++) {
    const own = code(i);
    codes[i] = own;
    if (codes[i] !== own) return fill(call, code);
  }
  return codes;
}

/** The codes of an input at each place of the output. */
export function reader({ inputs, output }: TensorCall, input: number): (element: number) => number {
  const { data, shape } = inputs[input];
  const index = broadcastIndex(shape.dims, output.shape.dims);
  return (element) => data[index(element)];
}

/** Values from which each of the 65,536 pairs of codes of 8 bits is computed once. */
const WORTH_TABLE = 1 << 17;

/** What each code of 8 bits of the first input becomes, by its bits; of each all codes of the output, or as bytes. */
export interface Singles {
  readonly wide: Int32Array;
  readonly table: ReturnType<typeof asBytes>;
}

/** Whether its codes have 8 bits: of 16 there are more than a table has. */
export function isOfBytes({ dtype }: QuantParams): boolean {
  return SMALLEST.has(dtype);
}

export function singlesOf({ inputs: [input], output }: TensorCall, code: (code: number) => number): Singles {
  const first = SMALLEST.get(quantized(input).dtype)!;
  const wide = Int32Array.from({ length: 256 }, (_, bits) => code(((bits - first) & 255) + first));
  return { wide, table: asBytes(wide, quantized(output).dtype) };
}

/** Every code of the output out of a table of its layer's. */
export function fillFrom({ inputs: [{ data }], fast }: TensorCall, { wide, table }: Singles): CodeArray {
  if (!isBytes(data)) return int32s(data, (own) => wide[own & 255]);
  return (isBytes(table) && fast?.lookedUp(data, table)) || lookedUp(data, table);
}

/**
 * Every code of the output, each from one of 8 bits. codeOf: made once a layer. Codes are computed where they are met, and all as soon as
 * that many values were asked for: of thousands of layers of a few values the tables took most of the time.
 */
export function filledSingles(codeOf: (call: TensorCall) => (code: number) => number): (call: TensorCall) => CodeArray {
  const tableOf = ofLayer((call) => {
    const code = remembered(quantized(call.inputs[0]), codeOf(call));
    let values = 0;
    let singles: Singles | null = null;
    const singlesFor = (more: number) => {
      values += more;
      if (values > 256) singles ??= singlesOf(call, code);
      return singles;
    };
    return { code, singlesFor };
  });
  return (call) => {
    const [{ data }] = call.inputs;
    const { code, singlesFor } = tableOf(call);
    const singles = singlesFor(data.length);
    return singles ? fillFrom(call, singles) : int32s(data, code);
  };
}

/** A code of the output of the codes of two inputs at its place. */
export type PairCode = (a: number, b: number) => number;

/** The same of what joins them. */
function codeOfJoined({ of, join, left, right, code }: JoinedPair): PairCode {
  if (of === 'float32')
    return join === 'sum' ? (a, b) => code(f32(left(a) + right(b))) : (a, b) => code(f32(left(a) * right(b)));
  return join === 'sum' ? (a, b) => code(left(a) + right(b)) : (a, b) => code(left(a) * right(b));
}

/** Every code of the output. */
export function fillPairs(call: TensorCall, pair: PairCode | JoinedPair): CodeArray {
  const code = typeof pair === 'function' ? pair : codeOfJoined(pair);
  const size = sizeOf(call.output.shape.dims);
  const [a, b] = call.inputs;
  if (![a, b].every(({ shape }) => sizeOf(shape.dims) === size))
    return filledAsBytes(call, ofPairs(call, tabulated(call, code)));
  const length = call.samples * size;
  const joined = typeof pair === 'function' ? null : fastPairs(call, length, pair);
  if (joined) return joined;
  const bytes = length >= WORTH_TABLE && bytesOfPairs(length, quantized(call.output).dtype, a.data, b.data, code);
  if (bytes) return bytes;
  const codes = new Int32Array(length);
  for (let i = 0; i < codes.length; i++) codes[i] = code(a.data[i], b.data[i]);
  return codes;
}

/** The same where what joins them is made once a layer. */
export function filledPairs(pairOf: (call: TensorCall) => JoinedPair): (call: TensorCall) => CodeArray {
  const ofAllCalls = ofLayer(pairOf);
  return (call) => fillPairs(call, ofAllCalls(call));
}

/** Every code of the output, by the pair that its place asks for. */
export function fillEither(
  call: TensorCall,
  isBody: (element: number) => boolean,
  body: JoinedPair,
  rest: JoinedPair,
): CodeArray {
  if (isBody === noElement) return fillPairs(call, rest);
  const codes = fillPairs(call, body);
  if (isBody === everyElement) return codes;
  const other = ofPairs(call, codeOfJoined(rest));
  for (let i = 0; i < codes.length; i++) if (!isBody(i)) codes[i] = other(i);
  return codes;
}

/** In steps of the scale: within, a quantize step neither overflows nor wraps, so that it keeps the order of numbers. */
const REACH = 2 ** 22;

export function reachOf({ scale }: QuantParams): number {
  return f32(REACH * scale);
}

export const INT32_REACH = 2 ** 31 - 1;

/** By the accelerator; null where it declines, or anything is no byte. */
function fastPairs({ inputs: [a, b], output, fast }: TensorCall, length: number, pair: JoinedPair): Bytes | null {
  const { dtype } = quantized(output);
  if (!fast || !isBytes(a.data) || !isBytes(b.data) || !SMALLEST.has(dtype)) return null;
  const like = dtype === 'uint8' ? new Uint8Array(0) : new Int8Array(0);
  return fast.pairs(a.data, b.data, pair, roomFor(like, length));
}

/** Each pair is computed where it is met first: a layer has some of them only. Null where anything is no byte. */
function bytesOfPairs(
  length: number,
  dtype: string,
  a: TensorValue['data'],
  b: TensorValue['data'],
  code: PairCode,
): Bytes | null {
  if (!isBytes(a) || !isBytes(b) || !SMALLEST.has(dtype)) return null;
  const codes = dtype === 'uint8' ? new Uint8Array(length) : new Int8Array(length);
  const known = new Int16Array(1 << 16).fill(-1);
  const [bitsA, bitsB, bits] = [a, b, codes].map(inBits); // a loop over one kind of array
  for (let i = 0; i < length; i++) {
    const pair = 256 * bitsA[i] + bitsB[i];
    let own: number = known[pair];
    if (own < 0) {
      const computed = code(a[i], b[i]);
      codes[i] = computed;
      if (codes[i] !== computed) return null;
      known[pair] = own = bits[i];
    }
    bits[i] = own;
  }
  return codes;
}

/** The code of an element of the output. */
function ofPairs(call: TensorCall, code: PairCode): (element: number) => number {
  const [readA, readB] = [reader(call, 0), reader(call, 1)];
  return (i) => code(readA(i), readB(i));
}

/** The same function, out of a table where that pays. */
function tabulated(call: TensorCall, code: PairCode): PairCode {
  const table = pairTable(call, code);
  if (!table) return code;
  const { of, from } = table;
  return (one, other) => {
    const [i, j] = [one - from[0], other - from[1]];
    return i >= 0 && i < 256 && j >= 0 && j < 256 ? of[256 * i + j] : code(one, other);
  };
}

/** Codes of all pairs, from the smallest code of each input on. */
interface PairTable {
  readonly of: Int32Array;
  readonly from: readonly [number, number];
}

/** Null where it does not pay. */
function pairTable({ inputs, output, samples }: TensorCall, code: PairCode): PairTable | null {
  const [a, b] = inputs.slice(0, 2).map((input) => SMALLEST.get(quantized(input).dtype));
  if (a === undefined || b === undefined || samples * sizeOf(output.shape.dims) < WORTH_TABLE) return null;
  const of = new Int32Array(1 << 16);
  for (let i = 0, at = 0; i < 256; i++) for (let j = 0; j < 256; j++, at++) of[at] = code(i + a, j + b);
  return { of, from: [a, b] };
}

/** A function of one code: those of 8 bits are computed once, a pair of them is asked for 65,536 times. */
export function remembered({ dtype }: QuantParams, apply: (code: number) => number): (code: number) => number {
  const first = SMALLEST.get(dtype);
  if (first === undefined) return apply;
  const known = new Float64Array(256).fill(Number.NaN);
  return (code) => {
    const at = code - first;
    if (!(at >= 0 && at < 256)) return apply(code);
    if (Number.isNaN(known[at])) known[at] = apply(code);
    return known[at];
  };
}

/** The same once it is asked for as often as there are codes: of thousands of layers with few values each, tables take longer than these. */
export function rememberedLater(params: QuantParams, apply: (code: number) => number): (code: number) => number {
  let left = 256;
  let known: ((code: number) => number) | null = null;
  return (code) => {
    if (known === null && left-- > 0) return apply(code);
    known ??= remembered(params, apply);
    return known(code);
  };
}

/** The same where a call has more values than there are codes. */
export function rememberedIn({ samples, output }: TensorCall, input: QuantParams, apply: (code: number) => number) {
  return samples * sizeOf(output.shape.dims) > 256 ? remembered(input, apply) : apply;
}

/** Of what is done to each input by itself: of a thousand with few values tables take longer than these. */
export function rememberedOf(input: TensorValue, apply: (code: number) => number) {
  return input.data.length > 256 ? remembered(quantized(input), apply) : apply;
}

/** What all calls of a layer share, made at the first: a layer may be called 20,000 times, a sample each. */
export function ofLayer<T>(make: (call: TensorCall) => T): (call: TensorCall) => T {
  let last: { readonly facts: readonly unknown[]; readonly made: T } | null = null;
  return (call) => {
    const { attributes, activation, inputs, output, vectors, host } = call;
    const facts = [
      attributes,
      activation,
      output.params,
      vectors,
      host,
      ...inputs.flatMap(({ params, shape }) => [params, shape]),
    ];
    if (!last || last.facts.length !== facts.length || last.facts.some((fact, i) => fact !== facts[i]))
      last = { facts, made: make(call) };
    return last.made;
  };
}

/** Of codes of 8 bits. */
const SMALLEST: ReadonlyMap<string, number> = new Map([
  ['uint8', 0],
  ['int8', -128],
]);

/** Of so many values side by side: how many fill vectors of that width (0: there are none) and are computed in them. */
export function inWholeVectors({ everywhere }: TensorCall, count: number, width: number): number {
  if (everywhere) return everywhere === 'vectors' ? count : 0;
  return width === 0 ? 0 : floor(count / width) * width;
}

/** Whether ATen computes an element of the output in vectors. */
export function bodyOf({
  inputs,
  output,
  ofCall,
  first,
  threads,
  everywhere,
}: TensorCall): (element: number) => boolean {
  if (everywhere) return everywhere === 'vectors' ? everyElement : noElement;
  const isBody = vectorBody(output, inputs, ofCall, threads);
  if (isBody === everyElement || isBody === noElement) return isBody;
  const start = first * sizeOf(output.shape.dims);
  return (element) => isBody(start + element);
}
