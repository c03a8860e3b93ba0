/**
 * FlatBuffers by ranges of a file: nothing is read but what is asked for, and no offset or count is believed.
 *
 * Little endian. Bytes 0-3: offset of the root table, 4-7: the identifier. A table at T: an int32 that leads back to its vtable at
 * T - that; the vtable: its size, the table's size, then a uint16 for each field, at V + 4 + 2 * id: where it lies in the table, 0 or
 * missing for the default. A table, vector or string is a uint32, counted from its own place, forward only.
 */
import type { Place } from '../documents/checks.js';
import type { RandomAccessFile } from '../nouns/file.js';
import type { InputError } from '../nouns/problem.js';
import { printable } from '../text.js';
import { Recent, readFully } from './bytes.js';
import { refuse } from './refuse.js';

/** Bytes of a file that are read when their turn comes. */
export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/** Elements of a vector, not read yet. */
export interface VectorRange extends ByteRange {
  readonly count: number;
}

/** uint32 offsets of a FlatBuffer stay below. */
const MOST_BYTES = 2 ** 31;
const BLOCK_BYTES = 1 << 16;
const BLOCKS = 32;

/**
 * Many offsets may point at one table: 320 kB of 20 000 tensors and one table of 20 000 scales decode to 1.6 GB. Real files decode to
 * less than they are long.
 */
const DECODED_PER_BYTE = 8;
const DECODED_AT_LEAST = 1 << 16;
const DECODED_AT_MOST = 256 << 20;
const TEXT_BYTES = 1 << 16;

/** A file that holds a FlatBuffer, with what was decoded of it so far. */
export class FlatBuffer {
  /** Of the FlatBuffer: what lies behind 2 GiB is not addressed by it. */
  readonly size: number;
  private readonly blocks = new Recent<number, Uint8Array>(BLOCKS);
  private decoded = 0;
  private fetched = 0;

  constructor(
    readonly file: RandomAccessFile,
    private readonly path: string,
  ) {
    this.size = Math.min(file.size, MOST_BYTES);
  }

  /** `message`: `expected ..., got ...`. */
  refuse(place: Place, message: string, fix = 'the file is damaged: copy or write it again'): InputError {
    const steps = place.map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`)).join('');
    return refuse('flatbuffer', `${printable(this.path)} ${steps.slice(1)}`.trimEnd(), `${message}; ${fix}`);
  }

  /** The table that bytes 0-3 name. */
  async root(): Promise<Table> {
    if (this.size < 8) throw this.refuse([], `expected at least 8 bytes, got ${this.size}`);
    return this.table(view(await this.bytes(0, 4, [])).getUint32(0, true), []);
  }

  async table(at: number, place: Place): Promise<Table> {
    this.inside(at, 4, 4, 'a table', place);
    const vtableAt = at - view(await this.bytes(at, 4, place)).getInt32(0, true);
    this.inside(vtableAt, 4, 2, 'a vtable', place);
    const head = view(await this.bytes(vtableAt, 4, place));
    const [vtableBytes, tableBytes] = [head.getUint16(0, true), head.getUint16(2, true)];
    if (vtableBytes < 4 || vtableBytes % 2 !== 0 || tableBytes < 4) {
      const got = `${vtableBytes} and ${tableBytes}`;
      throw this.refuse(place, `expected sizes of at least 4 (even for a vtable) at byte ${vtableAt}, got ${got}`);
    }
    this.inside(vtableAt, vtableBytes, 2, 'a vtable', place);
    this.inside(at, tableBytes, 4, 'a table', place);
    const vtable = await this.bytes(vtableAt, vtableBytes, place);
    return new Table(this, at, place, view(vtable), view(await this.bytes(at, tableBytes, place)));
  }

  /** A place in the FlatBuffer that may hold so many bytes. */
  inside(at: number, length: number, align: number, what: string, place: Place): void {
    if (at < 0 || at + length > this.size) {
      const got = `byte ${at} and ${length} bytes`;
      throw this.refuse(place, `expected ${what} inside the ${this.size} bytes of the file, got ${got}`);
    }
    if (at % align !== 0) {
      throw this.refuse(place, `expected ${what} at a multiple of ${align}, got byte ${at}`);
    }
  }

  /** Structure, from blocks of the file; the place was checked. What is decoded counts, however often it is. */
  async bytes(at: number, length: number, place: Place): Promise<Uint8Array> {
    this.decoded += length;
    const most = Math.min(this.file.size * DECODED_PER_BYTE + DECODED_AT_LEAST, DECODED_AT_MOST);
    if (this.decoded > most) {
      const expected = `expected at most ${most} bytes of structure in a file of ${this.file.size}`;
      throw this.refuse(place, `${expected}, got more: many offsets lead to the same tables`);
    }
    const first = Math.floor(at / BLOCK_BYTES);
    const start = at - first * BLOCK_BYTES;
    if (start + length <= BLOCK_BYTES) return (await this.block(first, place)).subarray(start, start + length);
    const joined = new Uint8Array(length);
    for (let filled = 0, block = first; filled < length; block++) {
      const from = at + filled - block * BLOCK_BYTES;
      const part = (await this.block(block, place)).subarray(from, from + length - filled);
      joined.set(part, filled);
      filled += part.length;
    }
    return joined;
  }

  private async block(index: number, place: Place): Promise<Uint8Array> {
    const known = this.blocks.get(index);
    if (known) return known;
    const at = index * BLOCK_BYTES;
    const block = new Uint8Array(Math.min(BLOCK_BYTES, this.size - at));
    this.fetched += block.length;
    if (this.fetched > this.size * DECODED_PER_BYTE + (BLOCKS * BLOCK_BYTES) / 2) {
      throw this.refuse(place, `expected tables near each other, got offsets that read the whole file again and again`);
    }
    await readFully(this.file, block, at, printable(this.path));
    this.blocks.set(index, block, 1);
    return block;
  }
}

type Scalar = 'Int8' | 'Uint8' | 'Int32' | 'Uint32' | 'Float32';
const WIDTHS: Readonly<Record<Scalar, number>> = { Int8: 1, Uint8: 1, Int32: 4, Uint32: 4, Float32: 4 };

/** One table: its scalars are in memory, what its offsets lead to is not. `id`: the field's number in the schema. */
export class Table {
  constructor(
    readonly buffer: FlatBuffer,
    readonly at: number,
    readonly place: Place,
    private readonly vtable: DataView,
    private readonly data: DataView,
  ) {}

  /** For messages about a field. */
  refuse(field: string, message: string, fix?: string): InputError {
    return this.buffer.refuse([...this.place, field], message, fix);
  }

  scalar(id: number, field: string, type: Scalar, missing: number): number {
    const offset = this.offset(id, WIDTHS[type], field);
    return offset === 0 ? missing : this.data[`get${type}`](offset, true);
  }

  /** A uint64 that a double holds. */
  uint64(id: number, field: string): number {
    const offset = this.offset(id, 8, field);
    if (offset === 0) return 0;
    const value = this.data.getBigUint64(offset, true);
    if (value <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(value);
    throw this.refuse(field, `expected at most 2^53 - 1, got ${value}`);
  }

  has(id: number, field: string): boolean {
    return this.offset(id, 1, field) !== 0;
  }

  async table(id: number, field: string): Promise<Table | null> {
    const at = this.target(id, field);
    return at === null ? null : this.buffer.table(at, [...this.place, field]);
  }

  /** The elements of a vector, which lie inside the file; null where the field is missing. */
  async vector(id: number, field: string, itemBytes: number): Promise<VectorRange | null> {
    const at = this.target(id, field);
    if (at === null) return null;
    const place = [...this.place, field];
    this.buffer.inside(at, 4, 4, 'a vector', place);
    const count = view(await this.buffer.bytes(at, 4, place)).getUint32(0, true);
    const [offset, length] = [at + 4, count * itemBytes];
    const left = this.buffer.size - offset;
    if (length > left) {
      throw this.refuse(field, `expected at most ${left} bytes to the end of the file, got ${count} of ${itemBytes}`);
    }
    if (count > 0) this.buffer.inside(offset, length, itemBytes, 'elements', place);
    return { offset, length, count };
  }

  /** As vector, with the elements read. */
  async elements(id: number, field: string, itemBytes: number, most: number): Promise<DataView | null> {
    const range = await this.vector(id, field, itemBytes);
    if (!range) return null;
    if (range.count > most) throw this.refuse(field, `expected at most ${most}, got ${range.count}`);
    return view(await this.buffer.bytes(range.offset, range.length, [...this.place, field]));
  }

  async int32s(id: number, field: string, most: number): Promise<number[]> {
    const items = await this.elements(id, field, 4, most);
    return Array.from({ length: (items?.byteLength ?? 0) / 4 }, (_, i) => items!.getInt32(4 * i, true));
  }

  async text(id: number, field: string): Promise<string> {
    const items = await this.elements(id, field, 1, TEXT_BYTES);
    return items ? decoder.decode(items) : '';
  }

  /** A vector of tables, one after the other. */
  async *tables(id: number, field: string, most: number): AsyncGenerator<Table> {
    const items = await this.elements(id, field, 4, most);
    if (!items) return;
    const first = (await this.vector(id, field, 4))!.offset;
    for (let i = 0; 4 * i < items.byteLength; i++) {
      yield await this.buffer.table(first + 4 * i + items.getUint32(4 * i, true), [...this.place, field, i]);
    }
  }

  /** Where in the table a field lies; 0: it is missing. */
  private offset(id: number, width: number, field: string): number {
    const slot = 4 + 2 * id;
    const offset = slot + 2 <= this.vtable.byteLength ? this.vtable.getUint16(slot, true) : 0;
    if (offset === 0) return 0;
    if (offset < 4 || offset + width > this.data.byteLength) {
      const got = `byte ${offset} and ${width} bytes`;
      throw this.refuse(field, `expected a field inside the ${this.data.byteLength} bytes of its table, got ${got}`);
    }
    if ((this.at + offset) % width !== 0) {
      throw this.refuse(field, `expected a field at a multiple of ${width}, got byte ${this.at + offset}`);
    }
    return offset;
  }

  private target(id: number, field: string): number | null {
    const offset = this.offset(id, 4, field);
    return offset === 0 ? null : this.at + offset + this.data.getUint32(offset, true);
  }
}

const decoder = new TextDecoder();

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
