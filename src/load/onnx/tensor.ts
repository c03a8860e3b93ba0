/** Tensors of a file as arrays whose numbers are read when they are asked for. */

import type { ArraySource } from '../../nouns/array.js';
import type { FileSystem, RandomAccessFile } from '../../nouns/file.js';
import { sizeOf } from '../../tensor/shape.js';
import { printable } from '../../text.js';
import { type ByteSource, readFully } from '../bytes.js';
import { shapeText } from '../npy.js';
import { type BlockCache, NpyArray } from '../npyArray.js';
import { type ByteRange, decodeVarint } from '../protobuf.js';
import { refuse } from '../refuse.js';
import { type OnnxDtype, onnxDtype } from './dtypes.js';
import { externalBytes } from './external.js';
import { packedArray } from './packed.js';
import type { OnnxTensor } from './proto.js';

export interface TensorFile {
  readonly fs: FileSystem;
  readonly path: string;
  readonly file: RandomAccessFile;
  readonly cache: BlockCache;
}

/** A tensor whose shape agrees with the bytes that are there. */
export interface CheckedTensor {
  readonly dtype: OnnxDtype;
  readonly shape: readonly number[];
  /** Null where qdiff does not read numbers of that type. */
  readonly source: ArraySource | null;
}

/** Checks dtype, shape and size before anything is read or allocated. `key`: of the array. Throws InputError. */
export function openTensor(from: TensorFile, tensor: OnnxTensor, key: string): CheckedTensor {
  const where = `${printable(from.path)} tensor ${printable(key)}`;
  const dtype = onnxDtype(tensor.dataType);
  const count = elementCount(tensor.dims, where);
  const shape = [...tensor.dims];
  if (dtype.bits === 0) return { dtype, shape, source: null };
  const bytes = Math.ceil((count * dtype.bits) / 8);
  const data = bytesOf(from, tensor, dtype, count, bytes, where);
  if (dtype.stored === null) return { dtype, shape, source: null };
  if (dtype.bits < 8) {
    const packing = { bits: dtype.bits, isSigned: dtype.stored === 'int8' };
    return { dtype, shape, source: packedArray(key, shape, data, packing) };
  }
  const itemBytes = dtype.bits / 8;
  const order = { bigEndian: false, fortranOrder: false, nearest: true } as const;
  const header = { dtype: dtype.stored, itemBytes, ...order, shape, count, dataOffset: 0 };
  return { dtype, shape, source: new NpyArray(key, header, data, from.cache, where) };
}

function elementCount(dims: readonly number[], where: string): number {
  const count = dims.includes(0) ? 0 : sizeOf(dims);
  if (dims.every((n) => Number.isSafeInteger(n) && n >= 0) && Number.isSafeInteger(count * 16)) return count;
  throw refuse('shape', where, `expected a shape that a file can hold, got ${shapeText(dims)}`);
}

function bytesOf(
  from: TensorFile,
  { data, dims }: OnnxTensor,
  dtype: OnnxDtype,
  count: number,
  bytes: number,
  where: string,
): ByteSource {
  if (data.kind === 'external') return externalBytes(from.fs, from.path, data.entries, bytes, where);
  const wrong = (got: number, what: string) => {
    const expected = `expected ${bytes} bytes (${dtype.name} of shape ${shapeText(dims)})`;
    return refuse('size', where, `${expected}, got ${got}${what}; the file is damaged: export it again`);
  };
  if (data.kind === 'raw') {
    const { start, end } = data.range;
    if (end - start !== bytes) throw wrong(end - start, '');
    return rangeOfFile(from.file, start, bytes, where);
  }
  const present = data.pieces.reduce((sum, { start, end }) => sum + end - start, 0);
  const varint = dtype.name !== 'float32' && dtype.name !== 'float64';
  // A number takes 1 to 10 bytes as a varint; 4-bit numbers come several in one.
  const fits = varint ? present * 8 >= Math.min(count, bytes) && (count > 0 || present === 0) : present === bytes;
  if (!fits) throw wrong(present, varint ? ' (in numbers of 1 to 10 bytes)' : '');
  return varint ? varints(from.file, data.pieces, dtype, count, where) : joined(from.file, data.pieces, bytes, where);
}

function rangeOfFile(file: RandomAccessFile, start: number, size: number, where: string): ByteSource {
  const read = (target: Uint8Array, position: number) => readFully(file, target, start + position, where);
  return { size, head: headOf(size, read), read };
}

function headOf(size: number, read: ByteSource['read']): ByteSource['head'] {
  return async (length) => {
    const target = new Uint8Array(Math.min(length, size));
    await read(target, 0);
    return target;
  };
}

/** Bytes that are made when they are first asked for. */
function made(size: number, make: () => Promise<Uint8Array>): ByteSource {
  let all: Promise<Uint8Array> | null = null;
  const read = async (target: Uint8Array, position: number) => {
    all ??= make();
    target.set((await all).subarray(position, position + target.length));
  };
  return { size, head: headOf(size, read), read };
}

function joined(file: RandomAccessFile, pieces: readonly ByteRange[], size: number, where: string): ByteSource {
  if (pieces.length === 1) return rangeOfFile(file, pieces[0].start, size, where);
  return made(size, async () => {
    const all = new Uint8Array(size);
    let at = 0;
    for (const { start, end } of pieces) {
      await readFully(file, all.subarray(at, at + end - start), start, where);
      at += end - start;
    }
    return all;
  });
}

/** int32_data, int64_data, uint64_data: one varint a number, of which the low bytes count. */
function varints(
  file: RandomAccessFile,
  pieces: readonly ByteRange[],
  dtype: OnnxDtype,
  count: number,
  where: string,
): ByteSource {
  const itemBytes = Math.max(1, dtype.bits / 8);
  const size = Math.ceil((count * dtype.bits) / 8);
  const numbers = size / itemBytes;
  return made(size, async () => {
    const all = Buffer.alloc(size);
    let found = 0;
    for (const { start, end } of pieces) {
      const bytes = new Uint8Array(end - start);
      await readFully(file, bytes, start, where);
      for (let at = 0; at < bytes.length; found++) {
        const { value, next } = decodeVarint(bytes, at);
        if (found < numbers) putInteger(all, found * itemBytes, itemBytes, value);
        at = next;
      }
    }
    if (found === numbers) return all;
    throw refuse('size', where, `expected ${numbers} numbers (shape of ${count}), got ${found}; export the file again`);
  });
}

function putInteger(into: Buffer, at: number, bytes: number, value: number): void {
  if (bytes === 8) into.writeBigInt64LE(BigInt.asIntN(64, BigInt(Number.isNaN(value) ? 0 : value)), at);
  else for (let i = 0, rest = value | 0; i < bytes; i++, rest >>= 8) into[at + i] = rest & 0xff;
}
