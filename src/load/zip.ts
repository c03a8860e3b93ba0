import type { Readable } from 'node:stream';
import yauzl from 'yauzl';
import type { RandomAccessFile } from '../nouns/file.js';
import type { Problem } from '../nouns/problem.js';
import { counted, printable } from '../text.js';
import { type ByteSource, Recent } from './bytes.js';
import { collecting, refuse } from './refuse.js';
import { DeflatedMember, InflateCursors, StoredMember } from './zipMember.js';

export interface Zip {
  /** By the member's name, which is data: never a path. */
  readonly members: ReadonlyMap<string, ByteSource>;
  /** Of single members: encrypted, named twice, compressed in another way ... */
  readonly problems: readonly Problem[];
  /** Ends decompression under way; the file stays open. */
  close(): void;
}

/** Reads the directory of a zip file (yauzl, Zip64 too), not the members. Throws InputError where there is none. */
export async function readZip(file: RandomAccessFile, path: string): Promise<Zip> {
  const cursors = new InflateCursors();
  const members = new Map<string, ByteSource>();
  const problems: Problem[] = [];
  const cached = new CachedFile(file);
  try {
    const directory = await yauzl.fromRandomAccessReaderPromise(new YauzlReader(cached), file.size, {
      autoClose: false,
      decodeStrings: false,
      validateEntrySizes: false,
    });
    for await (const entry of directory.eachEntry()) {
      const name = yauzl.getFileNameLowLevel(entry.generalPurposeBitFlag, entry.fileNameRaw, entry.extraFields, true);
      if (name.endsWith('/')) continue;
      const where = `${printable(path)} ${printable(name)}`;
      await collecting(problems, async () => {
        if (members.has(name)) {
          throw refuse('duplicate', where, 'expected one member of this name, got two; write the file again');
        }
        checkReadable(entry, where);
        const { fileDataStart: dataStart, fileName } = await directory.readLocalFileHeaderPromise(entry);
        if (!fileName.equals(entry.fileNameRaw)) {
          const got = `got ${printable(fileName.toString())}; the zip directory is damaged: copy or write the file again`;
          throw refuse('zip', where, `expected the member that the directory names, ${got}`);
        }
        const { compressedSize, uncompressedSize: size, crc32 } = entry;
        const place = { file: cached, where, dataStart, compressedSize, size, crc32 };
        members.set(name, entry.compressionMethod === 0 ? new StoredMember(place) : new DeflatedMember(place, cursors));
      });
    }
  } catch (error) {
    if (!isYauzlError(error)) throw error;
    throw await notAZip(cached, path, error);
  }
  return { members, problems, close: () => cursors.close() };
}

const METHODS = new Map([
  [9, 'deflate64'],
  [12, 'bzip2'],
  [14, 'lzma'],
  [93, 'zstd'],
  [95, 'xz'],
]);

/** Two bits of a deflate stream stand for at most 258 bytes. */
const DEFLATE_RATIO = 1032;
const SLACK_BYTES = 1 << 16;

function checkReadable(entry: yauzl.Entry, where: string): void {
  const rewrite = 'write it with numpy.savez or numpy.savez_compressed';
  if (entry.isEncrypted())
    throw refuse('encrypted', where, `expected a plain member, got an encrypted one; ${rewrite}`);
  const { compressionMethod: method, compressedSize, uncompressedSize } = entry;
  if (method !== 0 && method !== 8) {
    const name = METHODS.get(method) ?? `method ${method}`;
    throw refuse('compression', where, `expected a stored or deflated member, got ${name}; ${rewrite}`);
  }
  if (uncompressedSize > compressedSize * DEFLATE_RATIO + SLACK_BYTES) {
    const got = `got ${uncompressedSize} (as the zip directory says)`;
    const expected = `expected at most ${DEFLATE_RATIO} bytes for each of ${compressedSize} deflated ones`;
    throw refuse('expands', where, `${expected}, ${got}; the file is damaged or a zip bomb`);
  }
  if (method === 0 && compressedSize !== uncompressedSize) {
    const sizes = `expected ${counted(uncompressedSize, 'byte')} of a stored member, got ${compressedSize}`;
    throw refuse('zip', where, `${sizes}; the zip directory is damaged: copy or write the file again`);
  }
}

/** yauzl throws plain errors and Buffer's RangeErrors; InputErrors of reading pass through it. */
function isYauzlError(error: unknown): error is Error {
  return error instanceof Error && (error.constructor === Error || error instanceof RangeError);
}

const OTHER_FILES: readonly (readonly [magic: string, what: string])[] = [
  ['\x93NUMPY', 'a single array; save the arrays together with numpy.savez'],
  ['\x80', 'a pickle (of torch.save?); save arrays with numpy.savez'],
  ['\x1f\x8b', 'a gzip file; unpack it first'],
  ['{', 'JSON text; the model comes first, then the capture'],
];

async function notAZip(file: RandomAccessFile, path: string, error: Error) {
  const where = printable(path);
  if (file.size === 0) return refuse('zip', where, 'expected an npz file, got an empty file; write it again');
  const head = Buffer.alloc(Math.min(16, file.size));
  await file.read(head, 0);
  const start = head.toString('latin1').trimStart();
  if (start.startsWith('PK')) {
    const got = `got one that is cut off or damaged (${printable(error.message)})`;
    return refuse('zip', where, `expected a whole zip file, ${got}; copy or write it again`);
  }
  const other = OTHER_FILES.find(([magic]) => start.startsWith(magic));
  return refuse('zip', where, `expected an npz file, got ${other?.[1] ?? 'other data; write it with numpy.savez'}`);
}

/** The directory and small members come in many short reads: they are served from blocks of 64 KiB. */
class CachedFile implements RandomAccessFile {
  readonly size: number;
  private readonly blocks = new Recent<number, Promise<Uint8Array>>(16);

  constructor(private readonly file: RandomAccessFile) {
    this.size = file.size;
  }

  async read(target: Uint8Array, position: number): Promise<number> {
    if (target.length > CACHED_BYTES) return this.file.read(target, position);
    let filled = 0;
    while (filled < target.length && position + filled < this.size) {
      const at = position + filled;
      const block = await this.block(Math.floor(at / CACHED_BYTES));
      const part = block.subarray(at % CACHED_BYTES, (at % CACHED_BYTES) + target.length - filled);
      if (part.length === 0) break;
      target.set(part, filled);
      filled += part.length;
    }
    return filled;
  }

  close(): Promise<void> {
    return this.file.close();
  }

  private block(index: number): Promise<Uint8Array> {
    let block = this.blocks.get(index);
    if (!block) {
      block = this.readBlock(index);
      this.blocks.set(index, block, 1);
    }
    return block;
  }

  private async readBlock(index: number): Promise<Uint8Array> {
    const start = index * CACHED_BYTES;
    const block = Buffer.allocUnsafeSlow(Math.min(CACHED_BYTES, this.size - start));
    return block.subarray(0, await this.file.read(block, start));
  }
}

const CACHED_BYTES = 1 << 16;

class YauzlReader extends yauzl.RandomAccessReader {
  constructor(private readonly file: RandomAccessFile) {
    super();
  }

  override _readStreamForRange(): Readable {
    throw new Error('members are read by range, not as streams');
  }

  override read(
    target: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null, bytesRead?: number) => void,
  ): void {
    // What the callback throws goes back into it: yauzl then ends its iteration.
    this.file
      .read(target.subarray(offset, offset + length), position)
      .then((bytesRead) => callback(null, bytesRead))
      .catch(callback);
  }
}
