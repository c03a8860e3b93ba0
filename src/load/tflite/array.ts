import type { ArraySource, NumericArray, StoredDtype } from '../../nouns/array.js';
import type { RandomAccessFile } from '../../nouns/file.js';
import { float32s, float64s } from '../../numeric/array.js';
import { fromFloat16 } from '../../numeric/float.js';
import { permuted } from '../../tensor/permute.js';
import { sizeOf } from '../../tensor/shape.js';
import { printable } from '../../text.js';
import { readFully } from '../bytes.js';
import type { ByteRange } from '../flatbuffer.js';
import { refuse } from '../refuse.js';

/** No array of a layer is longer; Node 20 cannot hold 4 GiB in one buffer. */
const MOST_BYTES = 2 ** 31;

/** Where numbers lie in a .tflite, and how: little endian, row-major. */
export interface StoredNumbers {
  readonly key: string;
  readonly range: ByteRange;
  readonly shape: readonly number[];
  /** What they are read as. */
  readonly dtype: StoredDtype;
  /** Of one number in the file: 4 for two int4 a byte, 16 for a float16 that is read as float32. */
  readonly bits: number;
  /** Axes in another order: `shape[i]` comes from the stored axis `axes[i]`. Absent: as stored. */
  readonly axes?: readonly number[];
  /** Added to each number of 8 bits: -128 reads uint8 codes as int8. */
  readonly shift?: number;
}

/** Numbers of a .tflite, read from its file when their layer's turn comes. */
export class TfliteArray implements ArraySource {
  readonly key: string;
  readonly dtype: StoredDtype;
  readonly shape: readonly number[];

  constructor(
    private readonly file: RandomAccessFile,
    private readonly path: string,
    private readonly stored: StoredNumbers,
  ) {
    this.key = stored.key;
    this.dtype = stored.dtype;
    this.shape = stored.shape;
  }

  async read(fromRow = 0, toRow = this.shape[0] ?? 1): Promise<NumericArray> {
    const { axes, bits } = this.stored;
    const count = sizeOf(this.shape);
    const rowLength = count / (this.shape[0] ?? 1) || 0;
    const wanted = [fromRow * rowLength, toRow * rowLength] as const;
    // rows of other axes, and of int4, lie all over the bytes
    if (!axes && bits >= 8) return this.numbers(...wanted);
    const all = await this.numbers(0, count);
    return (axes ? permuted(all, storedShape(this.shape, axes), axes) : all).subarray(...wanted);
  }

  private async numbers(from: number, to: number): Promise<NumericArray> {
    const { bits, range } = this.stored;
    const [first, length] = [(from * bits) / 8, Math.ceil(((to - from) * bits) / 8)];
    const where = `${printable(this.path)} ${printable(this.key)}`;
    if (length > MOST_BYTES) {
      throw refuse('too-large', where, `expected at most ${MOST_BYTES} bytes to be read at once, got ${length}`);
    }
    const bytes = new Uint8Array(length);
    await readFully(this.file, bytes, range.offset + first, where);
    return this.decode(bytes, to - from, where);
  }

  private decode(bytes: Uint8Array, count: number, where: string): NumericArray {
    const { bits, dtype, shift = 0 } = this.stored;
    if (bits === 4) return nibbles(bytes, count);
    if (shift !== 0) return Int8Array.from(bytes, (code) => code + shift);
    switch (dtype) {
      case 'int8':
        return new Int8Array(bytes.buffer);
      case 'int16':
        return new Int16Array(bytes.buffer);
      case 'int32':
        return new Int32Array(bytes.buffer);
      case 'float32':
        return bits === 16 ? float32s(new Uint16Array(bytes.buffer), fromFloat16) : new Float32Array(bytes.buffer);
      case 'int64':
        return safeIntegers(new BigInt64Array(bytes.buffer), where);
      case 'uint8':
        return bytes;
      default:
        throw refuse('dtype', where, `expected numbers that are read, got ${dtype}`);
    }
  }
}

/** Two int4 a byte, the first in the low nibble, signs extended. */
function nibbles(bytes: Uint8Array, count: number): Int8Array {
  const codes = new Int8Array(count);
  for (let i = 0; i < count; i++) {
    const nibble = i % 2 === 0 ? bytes[i >> 1] & 15 : bytes[i >> 1] >> 4;
    codes[i] = nibble < 8 ? nibble : nibble - 16;
  }
  return codes;
}

function safeIntegers(integers: BigInt64Array, where: string): Float64Array {
  return float64s(integers, (integer, i) => {
    const number = Number(integer);
    if (Number.isSafeInteger(number)) return number;
    throw refuse('number', where, `expected integers within 2^53, got ${integer} at [${i}]`);
  });
}

/** Before `shape[i]` came from the stored axis `axes[i]`. */
function storedShape(shape: readonly number[], axes: readonly number[]): number[] {
  return shape.map((_, axis) => shape[axes.indexOf(axis)]);
}
