/** What is computed of each value, or of each pair, by itself: by tables of 256 numbers and a ladder. */
import type { Climb, JoinedPair, Ladder } from '../nouns/ladder.js';
import type { Bytes } from '../numeric/array.js';
import { f32 } from '../numeric/float.js';
import { ladderOf } from '../numeric/ladder.js';
import { roomFor } from '../numeric/room.js';
import { copyCodes } from './finish.js';
import type { Machine } from './job.js';

/** Values in shared memory at a time: they stay in the second-level cache. */
const AT_ONCE = 1 << 16;

/** Codes of pairs, of the output's type; null where no ladder has them. */
export function pairsOfBytes<A extends Bytes>(
  machine: Machine,
  a: Bytes,
  b: Bytes,
  pair: JoinedPair,
  out: A,
): A | null {
  const made = known.get(pair) ?? tablesOf(a, b, pair);
  known.set(pair, made);
  const { left, right, ladder } = made;
  if (!ladder || !isOf(out, ladder)) return null;
  const kind = (pair.of === 'float32' ? 0 : 2) + (pair.join === 'sum' ? 0 : 1);
  machine.reset();
  const tables = { left: machine.place(left), right: machine.place(right), ladder: placeLadder(machine, ladder) };
  const [one, other, codes] = [AT_ONCE, AT_ONCE, AT_ONCE].map((bytes) => machine.allocate(bytes));
  for (let from = 0; from < out.length; from += AT_ONCE) {
    const part = out.subarray(from, from + AT_ONCE);
    machine.put(a.subarray(from, from + part.length), one);
    machine.put(b.subarray(from, from + part.length), other);
    machine.elementwise.pairs(kind, one, other, codes, part.length, tables.left, tables.right, tables.ladder);
    copyCodes(machine, codes, part);
  }
  return out;
}

interface Tables {
  readonly left: Float32Array | Int32Array;
  readonly right: Float32Array | Int32Array;
  readonly ladder: Ladder | null;
}

/** A layer may be called for each sample; what joins a pair of its codes stays. */
const known = new WeakMap<JoinedPair, Tables>();

function tablesOf(a: Bytes, b: Bytes, pair: JoinedPair): Tables {
  const [left, right] = [tableOf(pair, a, pair.left), tableOf(pair, b, pair.right)];
  const ends = endsOf(pair, left, right);
  return { left, right, ladder: ends && ladderOf(pair.of, pair.code, ...ends) };
}

/** By the bits of a code. */
function tableOf({ of }: JoinedPair, codes: Bytes, number: (code: number) => number): Float32Array | Int32Array {
  const table = of === 'float32' ? new Float32Array(256) : new Int32Array(256);
  const isSigned = codes instanceof Int8Array;
  for (let i = 0; i < 256; i++) table[i] = number(isSigned && i > 127 ? i - 256 : i);
  return table;
}

/** The least and the most that pairs make; null where that is beyond the pair's reach, or no number. */
function endsOf(
  { of, join, reach }: JoinedPair,
  left: Float32Array | Int32Array,
  right: Float32Array | Int32Array,
): [least: number, most: number] | null {
  const [a, b] = [left, right].map((numbers) => [Math.min(...numbers), Math.max(...numbers)]);
  const corners = a.flatMap((one) => b.map((other) => (join === 'sum' ? one + other : one * other)));
  const rounded = of === 'float32' ? corners.map(f32) : corners;
  const ends: [number, number] = [Math.min(...rounded), Math.max(...rounded)];
  return ends.every((end) => Math.abs(end) < reach) ? ends : null;
}

/** Whether all its codes are bytes of that type. */
function isOf(codes: Bytes, { first, begins }: Ladder): boolean {
  const [smallest, largest] = codes instanceof Int8Array ? [-128, 127] : [0, 255];
  return first >= smallest && first + begins.length - 1 <= largest;
}

function placeLadder(machine: Machine, { first, begins, perStep, offset }: Ladder): number {
  const numbers = new Float32Array(4 + begins.length);
  numbers.set([perStep, offset, begins.length - 1]);
  new Int32Array(numbers.buffer)[3] = first;
  new Uint8Array(numbers.buffer, 16).set(new Uint8Array(begins.buffer));
  return machine.place(numbers);
}

/** Codes of floats, of the output's type; null where its bytes do not hold them. */
export function codesOfFloats<A extends Bytes>(
  machine: Machine,
  values: Float32Array,
  { ladder, reach, code }: Climb,
  out: A,
): A | null {
  if (!isOf(out, ladder)) return null;
  machine.reset();
  const place = placeLadder(machine, ladder);
  const [source, made] = [machine.allocate(4 * AT_ONCE), machine.allocate(AT_ONCE)];
  for (let from = 0; from < out.length; from += AT_ONCE) {
    const part = out.subarray(from, from + AT_ONCE);
    const reals = values.subarray(from, from + part.length);
    new Float32Array(machine.bytes as ArrayBuffer, source + 4 * part.length, 16).fill(0); // lest they be beyond reach
    machine.put(reals, source);
    const isWithin = machine.elementwise.climb(source, made, part.length, place, reach);
    copyCodes(machine, made, part);
    for (let i = 0; !isWithin && i < part.length; i++) if (!(Math.abs(reals[i]) < reach)) part[i] = code(reals[i]);
  }
  return out;
}

/** Bytes of a table, by the bits of a code. */
export function lookedUp<A extends Bytes>(machine: Machine, codes: Bytes, table: A): A {
  const out = roomFor(table, codes.length);
  const limits = limitsOf(codes, table);
  const signed = codes instanceof Int8Array ? 1 : 0;
  machine.reset();
  const place = machine.place(table);
  const [source, made] = [machine.allocate(AT_ONCE), machine.allocate(AT_ONCE)];
  for (let from = 0; from < out.length; from += AT_ONCE) {
    const part = out.subarray(from, from + AT_ONCE);
    machine.put(codes.subarray(from, from + part.length), source);
    if (limits) machine.elementwise.limit(source, made, part.length, ...limits, signed);
    else machine.elementwise.lookup(source, made, part.length, place);
    copyCodes(machine, made, part);
  }
  return out;
}

/** Where a table is a clamp, as of a ReLU that keeps scale and zero point: its bounds. */
function limitsOf(codes: Bytes, table: Bytes): [low: number, high: number] | null {
  if (codes.constructor !== table.constructor) return null;
  const [smallest, largest] = codes instanceof Int8Array ? [-128, 127] : [0, 255];
  const [low, high] = [table[smallest & 255], table[largest & 255]];
  for (let code = smallest; code <= largest; code++)
    if (table[code & 255] !== Math.min(Math.max(code, low), high)) return null;
  return [low, high];
}
