/**
 * Protobuf's wire format, by ranges: a message is visited field by field, and what is not asked for is not read.
 *
 * tag = number << 3 | wire; wire 0: varint, 1: eight bytes, 2: length and bytes, 5: four bytes; 3 and 4 (groups) are refused.
 * Recursion is the visitor's, so nesting goes as deep as it does and no deeper. Source: protobuf.dev, Encoding.
 */
import type { RandomAccessFile } from '../nouns/file.js';
import { counted } from '../text.js';
import { refuse } from './refuse.js';

/** Bytes [start, end) of a file. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

export const VARINT = 0;
export const FIXED64 = 1;
export const BYTES = 2;
export const FIXED32 = 5;
const WIRES = new Map([
  [VARINT, 'a varint'],
  [FIXED64, 'eight bytes'],
  [BYTES, 'bytes with a length'],
  [FIXED32, 'four bytes'],
]);

/** A field of a message; the range is its payload. */
export interface Field extends ByteRange {
  readonly number: number;
  readonly wire: number;
}

export type Visit = (field: Field) => void | Promise<void>;

/** A field up to this size is in memory while it is visited. */
const MOST_IN_MEMORY = 64 << 10;
const WINDOW_BYTES = 2 * MOST_IN_MEMORY;
const MOST_HEADER_BYTES = 20;
const MOST_VARINT_BYTES = 10;

/** Every field takes time, and most memory: a file of two-byte fields is refused here. */
const MOST_FIELDS = 1 << 24;

export class Protobuf {
  private window = Buffer.alloc(0);
  private windowStart = 0;
  private visited = 0;

  constructor(
    private readonly file: RandomAccessFile,
    readonly where: string,
  ) {}

  /** Fields in the file's order; a promise only where the message is not in memory. Throws InputError with the offset. */
  message(range: ByteRange, visit: Visit): void | Promise<void> {
    if (!this.holds(range)) return this.messageByRange(range, visit);
    for (let at = range.start; at < range.end; ) {
      const field = this.field(at, range.end);
      visit(field); // what lies in memory is visited at once
      at = field.end;
    }
  }

  private async messageByRange({ start, end }: ByteRange, visit: Visit): Promise<void> {
    for (let at = start; at < end; ) {
      const header = { start: at, end: Math.min(end, at + MOST_HEADER_BYTES) };
      if (!this.holds(header)) await this.load(at);
      const field = this.field(at, end);
      if (field.end - field.start <= MOST_IN_MEMORY && !this.holds(field)) await this.load(field.start);
      const pending = visit(field);
      if (pending) await pending;
      at = field.end;
    }
  }

  private holds({ start, end }: ByteRange): boolean {
    return start >= this.windowStart && end <= this.windowStart + this.window.length;
  }

  private async load(start: number): Promise<void> {
    const size = Math.min(WINDOW_BYTES, this.file.size - start);
    const window = Buffer.allocUnsafeSlow(Math.max(0, size));
    const got = await this.file.read(window, start);
    if (got < window.length) throw this.damaged(start, `expected ${counted(size, 'byte')}, got ${got}`);
    this.window = window;
    this.windowStart = start;
  }

  private field(at: number, end: number): Field {
    if (++this.visited > MOST_FIELDS) throw this.damaged(at, `expected at most ${MOST_FIELDS} fields, got more`);
    const tag = this.varintAt(at, end);
    const number = Math.floor(tag.value / 8);
    const wire = tag.value % 8;
    if (number < 1 || number >= 2 ** 29 || !WIRES.has(wire)) {
      throw this.damaged(at, `expected a field, got number ${number} of wire type ${wire}`);
    }
    if (wire === VARINT) return { number, wire, start: tag.end, end: this.varintAt(tag.end, end).end };
    const length = wire === BYTES ? this.varintAt(tag.end, end) : { value: wire === FIXED64 ? 8 : 4, end: tag.end };
    if (length.value > end - length.end) {
      const expected = `expected at most ${counted(end - length.end, 'byte')} in field ${number}`;
      throw this.damaged(at, `${expected}, got a length of ${length.value}`);
    }
    return { number, wire, start: length.end, end: length.end + length.value };
  }

  private varintAt(at: number, end: number): { value: number; end: number } {
    const bytes = this.window;
    const most = Math.min(end - this.windowStart, bytes.length);
    const from = at - this.windowStart;
    let value = 0;
    let unit = 1;
    for (let i = from; i < most && i < from + MOST_VARINT_BYTES; i++) {
      value += (bytes[i] & 0x7f) * unit;
      if (bytes[i] < 0x80) return { value, end: this.windowStart + i + 1 };
      unit *= 128;
    }
    const got = most - from < MOST_VARINT_BYTES ? 'the end of what holds it' : `more than ${MOST_VARINT_BYTES} bytes`;
    throw this.damaged(at, `expected a number, got ${got}`);
  }

  damaged(offset: number, message: string) {
    return refuse(
      'protobuf',
      `${this.where} at byte ${offset}`,
      `${message}; the file is damaged: copy or export it again`,
    );
  }

  /** Throws InputError where the field came as another wire type than its schema says. */
  expect(field: Field, ...wires: readonly number[]): void {
    if (wires.includes(field.wire)) return;
    const expected = wires.map((wire) => WIRES.get(wire)).join(' or ');
    throw this.damaged(field.start, `expected field ${field.number} as ${expected}, got ${WIRES.get(field.wire)}`);
  }

  /** An int64: exact up to 2^53, the nearest double beyond. */
  int(field: Field): number {
    this.expect(field, VARINT);
    return decodeVarint(this.bytes(field), 0).value;
  }

  float(field: Field): number {
    this.expect(field, FIXED32);
    return this.bytes(field).readFloatLE(0);
  }

  /** Text; bytes that are not UTF-8 are no name. */
  text(field: Field): string {
    this.expect(field, BYTES);
    if (field.end === field.start) return '';
    const text = this.bytes(field).toString('utf8');
    if (text.includes('\ufffd')) throw this.damaged(field.start, 'expected text in UTF-8, got other bytes');
    return text;
  }

  /** The bytes of a field while it is visited; valid until the next is. */
  bytes(field: ByteRange): Buffer {
    const size = field.end - field.start;
    if (!this.holds(field)) {
      throw this.damaged(field.start, `expected at most ${MOST_IN_MEMORY} bytes of text or numbers, got ${size}`);
    }
    const from = field.start - this.windowStart;
    return this.window.subarray(from, from + size);
  }

  /** Numbers of a repeated int64, packed or one by one. */
  ints(field: Field): number[] {
    if (field.wire === VARINT) return [this.int(field)];
    this.expect(field, BYTES, VARINT);
    const bytes = this.bytes(field);
    const values: number[] = [];
    for (let at = 0; at < bytes.length; ) {
      const { value, next } = decodeVarint(bytes, at);
      if (next > bytes.length) throw this.damaged(field.start, 'expected whole numbers, got a part of one');
      values.push(value);
      at = next;
    }
    return values;
  }

  /** Numbers of a repeated float, packed or one by one. */
  floats(field: Field): number[] {
    if (field.wire === FIXED32) return [this.float(field)];
    this.expect(field, BYTES, FIXED32);
    const bytes = this.bytes(field);
    if (bytes.length % 4 !== 0)
      throw this.damaged(field.start, `expected floats of 4 bytes, got ${bytes.length} bytes`);
    return Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(4 * i));
  }
}

/** A two's complement int64 at a place of `bytes`; next is beyond their end where they end too early. */
export function decodeVarint(bytes: Uint8Array, at: number): { value: number; next: number } {
  let low = 0;
  let unit = 1;
  let next = at;
  for (; next < at + 7 && next < bytes.length; next++) {
    low += (bytes[next] & 0x7f) * unit; // 49 bits: exact in a double
    if (bytes[next] < 0x80) return { value: low, next: next + 1 };
    unit *= 128;
  }
  let value = BigInt(low);
  for (let shift = 49n; next < at + MOST_VARINT_BYTES && next < bytes.length; next++, shift += 7n) {
    value |= BigInt(bytes[next] & 0x7f) << shift;
    if (bytes[next] < 0x80) return { value: Number(BigInt.asIntN(64, value)), next: next + 1 };
  }
  return { value: Number.NaN, next: bytes.length + 1 };
}
