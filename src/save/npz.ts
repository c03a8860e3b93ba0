/** Arrays to bytes, as numpy writes them: npy 1.0, little-endian, C order; npz: a zip file of them, without a clock. */
import { once } from 'node:events';
import { crc32, deflateRawSync } from 'node:zlib';
import { ZipFile } from 'yazl';
import type { NumericArray } from '../nouns/array.js';
import { InputError } from '../nouns/problem.js';
import { printable } from '../text.js';

export interface NamedArray {
  readonly shape: readonly number[];
  readonly data: NumericArray;
}

/** As a runtime has it; numpy's name of the type where the array's own does not tell it (bool, float16). */
export interface RuntimeArray {
  readonly shape: readonly number[];
  readonly data: NumericArray | BigInt64Array | BigUint64Array;
  readonly descr?: string;
}

const DESCR = new Map<string, string>([
  ['Int8Array', '|i1'],
  ['Uint8Array', '|u1'],
  ['Int16Array', '<i2'],
  ['Uint16Array', '<u2'],
  ['Int32Array', '<i4'],
  ['Uint32Array', '<u4'],
  ['Float32Array', '<f4'],
  ['Float64Array', '<f8'],
  ['BigInt64Array', '<i8'],
  ['BigUint64Array', '<u8'],
]);

function npyBytes({ shape, data, descr = DESCR.get(data.constructor.name) }: RuntimeArray): Buffer {
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  const dict = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const length = Math.ceil((10 + dict.length + 1) / 64) * 64; // data is aligned to 64 bytes
  const header = Buffer.alloc(length, ' ');
  header.write('\x93NUMPY\x01\x00', 'latin1');
  header.writeUInt16LE(length - 10, 8);
  header.write(dict, 10, 'latin1');
  header[length - 1] = 0x0a;
  return Buffer.concat([header, Buffer.from(data.buffer, data.byteOffset, data.byteLength)]);
}

/** Each takes 256 kB of zlib while it is compressed: all 4,800 of 600 layers at once took 1.1 GB. */
const MOST_AT_ONCE = 16;
/** What is smaller is compressed before yazl sees it, which makes a stream for each: of 24,000 arrays that was 2 s. */
const WORTH_STREAM = 1 << 14;
const OPTIONS = { mtime: new Date(1980, 0, 1), forceDosTimestamp: true };

/** The same arrays give the same bytes. */
export async function npzBytes(arrays: ReadonlyMap<string, RuntimeArray>): Promise<Buffer> {
  const zip = new ZipFile() as Zip;
  const chunks: Buffer[] = [];
  zip.outputStream.on('data', (chunk: Buffer) => chunks.push(chunk));
  const written: Entry[] = [];
  for (const [key, array] of arrays) {
    addMember(zip, memberName(key), npyBytes(array));
    while (zip.entries.length === MOST_AT_ONCE) {
      while (zip.entries[0]?.state === WRITTEN) written.push(zip.entries.shift()!);
      if (zip.entries.length === MOST_AT_ONCE) await once(zip.outputStream, 'data');
    }
  }
  zip.entries.unshift(...written);
  zip.end();
  await once(zip.outputStream, 'end');
  return Buffer.concat(chunks);
}

/** As yazl counts what it has done of a member, and says how it is compressed. */
const WRITTEN = 3;
const DEFLATED = 8;

interface Entry {
  readonly state: number;
  readonly utf8FileName: Buffer;
  readonly uncompressedSize: number;
  readonly crc32: number;
  getCompressionMethod(): number;
}

/** It looks for the next member to write from the first on: those that are written are kept apart, of 24,000 that was 6 s. */
type Zip = ZipFile & { readonly entries: Entry[] };

/** Graphs have names as /conv1/Conv_output_0, which numpy writes as they are and yazl refuses. */
function addMember(zip: Zip, name: string, bytes: Buffer): void {
  const isSmall = bytes.length < WORTH_STREAM;
  const own: Partial<Entry> = {
    utf8FileName: Buffer.from(name, 'utf8'),
    ...(isSmall && { uncompressedSize: bytes.length, crc32: crc32(bytes), getCompressionMethod: () => DEFLATED }),
  };
  // before it is written, which may be at once
  zip.entries.push = (entry) => Array.prototype.push.call(zip.entries, Object.assign(entry, own));
  const data = isSmall ? deflateRawSync(bytes, { chunkSize: 1024 }) : bytes;
  zip.addBuffer(data, name.replace(/^\/+/, '') || 'array', { ...OPTIONS, compress: !isSmall });
}

const MOST_NAME_BYTES = 0xffff;

/** Throws an InputError for a name that is too long, or could lead out of the folder in which somebody unpacks the file; a leading / does not. */
function memberName(key: string): string {
  const bytes = Buffer.byteLength(`${key}.npy`);
  if (bytes > MOST_NAME_BYTES) {
    const message = `expected at most ${MOST_NAME_BYTES} bytes, as a zip member's name can have, got ${bytes}; rename the layer, or write memh`;
    throw new InputError([{ kind: 'name', where: printable(key), message }]);
  }
  if (!/^(?:\\|[a-z]:)|\\|(?:^|\/)\.\.(?:\/|$)/i.test(key)) return `${key}.npy`;
  const message = 'expected a name that a zip member can have, got a path out of its folder; rename the layer';
  throw new InputError([{ kind: 'name', where: printable(key), message }]);
}
