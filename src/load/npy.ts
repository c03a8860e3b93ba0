import { isUtf8 } from 'node:buffer';
import { parse } from 'npyjs';
import type { NumericArray, StoredDtype } from '../nouns/array.js';
import { MOST_AXES, sizeOf } from '../tensor/shape.js';
import { printable } from '../text.js';
import type { ByteSource } from './bytes.js';
import { NO_NUMBERS } from './noNumbers.js';
import { readNpyDict } from './npyDict.js';
import { refuse } from './refuse.js';

/*
 * npy: "\x93NUMPY" major minor, header length (2 bytes little-endian in 1.0, else 4), header, data.
 * The header is the text of a Python dict: {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }
 * Source: numpy.lib.format. npyjs parses header and data behind the checks of this file: by itself it takes any
 * length for right, throws on big-endian, and reports Fortran order without undoing it.
 */

export interface NpyHeader {
  readonly dtype: StoredDtype;
  readonly itemBytes: number;
  readonly bigEndian: boolean;
  readonly fortranOrder: boolean;
  readonly shape: readonly number[];
  /** Product of the shape; 1 for a 0-d array. */
  readonly count: number;
  /** Where the data starts. */
  readonly dataOffset: number;
  /** Of int64 beyond 2^53 the nearest double: ONNX's bounds are past every end. */
  readonly nearest?: true;
}

const DTYPES = new Map<string, { dtype: StoredDtype; itemBytes: number }>([
  ['b1', { dtype: 'bool', itemBytes: 1 }],
  ['i1', { dtype: 'int8', itemBytes: 1 }],
  ['i2', { dtype: 'int16', itemBytes: 2 }],
  ['i4', { dtype: 'int32', itemBytes: 4 }],
  ['i8', { dtype: 'int64', itemBytes: 8 }],
  ['u1', { dtype: 'uint8', itemBytes: 1 }],
  ['u2', { dtype: 'uint16', itemBytes: 2 }],
  ['u4', { dtype: 'uint32', itemBytes: 4 }],
  ['u8', { dtype: 'uint64', itemBytes: 8 }],
  ['f2', { dtype: 'float16', itemBytes: 2 }],
  ['f4', { dtype: 'float32', itemBytes: 4 }],
  ['f8', { dtype: 'float64', itemBytes: 8 }],
]);

/** Other names that numpy gives them; those of C's long and of pointers, which are another width elsewhere, it may have written itself. */
const NAMED = new Map(
  Object.entries({
    b1: '? bool bool_',
    i1: 'b int8 byte',
    i2: 'h int16 short',
    i4: 'i int32 intc',
    i8: 'q int64 longlong',
    u1: 'B uint8 ubyte',
    u2: 'H uint16 ushort',
    u4: 'I uint32 uintc',
    u8: 'Q uint64 ulonglong',
    f2: 'e float16 half',
    f4: 'f float32 single',
    f8: 'd float64 double float',
  }).flatMap(([code, names]) => names.split(' ').map((name) => [name, code] as const)),
);

/** numpy reads no longer header either (max_header_size). */
const MAX_HEADER_BYTES = 10_000;

/** Most headers are 118 bytes long behind the 10 of the preamble. */
const FIRST_LOOK_BYTES = 1024;

/** Reads and checks the header of an npy file; throws InputError. */
export async function readNpyHeader(source: ByteSource, where: string): Promise<NpyHeader> {
  let head = await source.head(Math.min(FIRST_LOOK_BYTES, source.size));
  const dataOffset = npyDataOffset(head, where);
  if (dataOffset > source.size) throw cutOff(where, `a header of ${dataOffset} bytes`, source.size);
  if (dataOffset > head.length) head = await source.head(dataOffset);
  const header = parseHeader(head.subarray(0, dataOffset), where);
  const expected = dataOffset + header.count * header.itemBytes;
  const what = `${expected} bytes (its header says ${header.dtype} of shape ${shapeText(header.shape)})`;
  if (source.size < expected) throw cutOff(where, what, source.size);
  if (source.size > expected) {
    throw refuse('npy', where, `expected ${what}, got ${source.size}; header and data do not belong together`);
  }
  return header;
}

/** As Python writes a tuple. */
export function shapeText(shape: readonly number[]): string {
  return shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
}

function cutOff(where: string, expected: string, got: number) {
  return refuse('truncated', where, `expected ${expected}, got ${got} bytes; the array was cut off: write it again`);
}

function npyDataOffset(head: Uint8Array, where: string): number {
  const magic = Buffer.from(head.subarray(0, 6)).toString('latin1');
  if (head.length < 10 || magic !== '\x93NUMPY') {
    throw refuse('npy', where, 'expected an npy array, got other data; write it with numpy.save or numpy.savez');
  }
  const view = new DataView(head.buffer, head.byteOffset, head.length);
  const version = head[6];
  if (version < 1 || version > 3 || head[7] !== 0 || (version > 1 && head.length < 12)) {
    throw refuse(
      'npy',
      where,
      `expected npy version 1.0, 2.0 or 3.0, got ${version}.${head[7]}; write it with numpy.save`,
    );
  }
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (length > MAX_HEADER_BYTES) {
    throw refuse('npy', where, `expected a header of at most ${MAX_HEADER_BYTES} bytes, got ${length}`);
  }
  return (version === 1 ? 10 : 12) + length;
}

function parseHeader(head: Uint8Array, where: string): NpyHeader {
  const text = textOf(Buffer.from(head.subarray(head[6] === 1 ? 10 : 12)), head[6]);
  const dict = readNpyDict(text, head[6]);
  if (!dict) {
    const got = printable(text.trim().slice(0, 80));
    throw refuse('npy', where, `expected an npy header with descr, fortran_order and shape, got ${got}`);
  }
  const { dtype, itemBytes } = dtypeOf(dict.descr, where);
  checkShape(dict.shape, itemBytes, where);
  return {
    dtype,
    itemBytes,
    bigEndian: dict.descr?.startsWith('>') ?? false,
    fortranOrder: dict.fortranOrder,
    shape: dict.shape,
    count: dict.shape.includes(0) ? 0 : sizeOf(dict.shape),
    dataOffset: head.length,
  };
}

/** Empty where it is none. */
function textOf(bytes: Buffer, version: number): string {
  if (version < 3) return bytes.toString('latin1');
  return isUtf8(bytes) ? bytes.toString('utf8') : '';
}

function dtypeOf(descr: string | null, where: string) {
  if (descr === null) {
    const got = 'got a structured dtype; save each field as its own array';
    throw refuse(NO_NUMBERS, where, `expected one number a value, ${got}`);
  }
  const known = DTYPES.get(NAMED.get(descr.replace(/^[<>|=](?=.$)/, '')) ?? descr.replace(/^[<>|=]/, ''));
  if (known) return known;
  if (/^.?O/.test(descr)) {
    const got = 'got Python objects (dtype object), which only unpickling could read';
    throw refuse('dtype', where, `expected numbers, ${got}; leave a None out, and save tensors as numeric arrays`);
  }
  const got = `got dtype ${printable(descr.slice(0, 40)) || "''"}`;
  throw refuse(
    NO_NUMBERS,
    where,
    `expected numbers (int8 ... uint64, float16 ... float64, bool), ${got}; convert with .astype`,
  );
}

function checkShape(shape: readonly number[], itemBytes: number, where: string): void {
  const bytes = shape.reduce((product, n) => product * (n || 1), itemBytes);
  if (shape.length <= MOST_AXES && shape.every((n) => n >= 0) && Number.isSafeInteger(bytes)) return;
  const got = printable(shapeText(shape).slice(0, 80));
  throw refuse('npy', where, `expected a shape of whole numbers that a file can hold, got ${got}`);
}

/** Room for the canonical header before data that comes without its own; keeps the data 64-byte aligned. */
const FRONT_BYTES = 128;

/** A buffer for `dataBytes` behind at least `front` bytes; not zeroed, all of it gets written. */
export function npyBuffer(
  dataBytes: number,
  front = FRONT_BYTES,
  allocate: (length: number) => Uint8Array = Buffer.allocUnsafeSlow,
): { bytes: Uint8Array; data: Uint8Array } {
  const room = Math.max(FRONT_BYTES, Math.ceil(front / 64) * 64);
  const bytes = allocate(room + dataBytes);
  return { bytes, data: bytes.subarray(room) };
}

/**
 * The numbers in `data`, which lies at the end of `bytes` (both from npyBuffer), in memory order.
 * int64 and uint64 become doubles; throws InputError for one beyond 2^53.
 */
export function decodeNpy(bytes: Uint8Array, data: Uint8Array, header: NpyHeader, where: string): NumericArray {
  const { dtype, itemBytes, bigEndian } = header;
  if (bigEndian) swapBytes(data, itemBytes);
  writeCanonicalHeader(bytes.subarray(0, bytes.length - data.length), dtype, data.length / itemBytes);
  const { data: numbers } = parse(bytes.buffer as ArrayBuffer);
  if (dtype === 'int64' || dtype === 'uint64') return toDoubles(data, dtype === 'int64', header.nearest ? null : where);
  return numbers as unknown as NumericArray;
}

function swapBytes(data: Uint8Array, itemBytes: number): void {
  const buffer = Buffer.from(data.buffer, data.byteOffset, data.length);
  if (itemBytes === 2) buffer.swap16();
  else if (itemBytes === 4) buffer.swap32();
  else if (itemBytes === 8) buffer.swap64();
}

/** npyjs turns bool into a list of JavaScript booleans: it is told uint8. */
const CANONICAL = new Map<StoredDtype, string>([...DTYPES].map(([code, { dtype }]) => [dtype, `<${code}`]));
CANONICAL.set('bool', '|u1');

function writeCanonicalHeader(front: Uint8Array, dtype: StoredDtype, count: number): void {
  const header = `{'descr': '${CANONICAL.get(dtype)}', 'fortran_order': False, 'shape': (${count},), }`;
  front.fill(0x20);
  front.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0]);
  new DataView(front.buffer, front.byteOffset).setUint16(8, front.length - 10, true);
  Buffer.from(front.buffer, front.byteOffset, front.length).write(header, 10, 'latin1');
  front[front.length - 1] = 0x0a;
}

/** where: null takes the nearest double of a number that none holds. */
function toDoubles(data: Uint8Array, signed: boolean, where: string | null): Float64Array {
  const low = new Uint32Array(data.buffer, data.byteOffset, data.length / 4);
  const high = signed ? new Int32Array(data.buffer, data.byteOffset, data.length / 4) : low;
  const numbers = new Float64Array(data.length / 8);
  for (let i = 0; i < numbers.length; i++) {
    // Two 32-bit halves: a BigInt for each value takes ten times as long.
    const number = high[2 * i + 1] * 2 ** 32 + low[2 * i];
    if (where !== null && !Number.isSafeInteger(number)) {
      const value = new DataView(data.buffer, data.byteOffset)[signed ? 'getBigInt64' : 'getBigUint64'](8 * i, true);
      throw refuse('range', where, `expected integers within 2^53, got ${value} (value ${i} of those read)`);
    }
    numbers[i] = number;
  }
  return numbers;
}
