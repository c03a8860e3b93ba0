import type { RandomAccessFile } from '../nouns/file.js';
import type { Problem } from '../nouns/problem.js';
import { counted, printable } from '../text.js';
import { type ByteSource, Recent } from './bytes.js';
import type { InflateCursors } from './deflatedMember.js';
import { collecting, refuse } from './refuse.js';
import { StoredMember } from './storedMember.js';
import { DamagedZip, ENCRYPTED, PATCHED, readDataStart, readDirectory, type ZipEntry } from './zipDirectory.js';
import type { MemberPlace } from './zipMember.js';

export interface Zip {
  /** Of all members, in the directory's order. A name is data: never a path. */
  readonly names: readonly string[];
  /** Those asked for, by name. */
  readonly members: ReadonlyMap<string, ByteSource>;
  /** Of single members: encrypted, named twice, compressed in another way ... */
  readonly problems: readonly Problem[];
  /** Ends decompression under way; the file stays open. */
  close(): void;
}

/** Reads the directory of a zip file, and where each member that `isWanted` lies. Throws InputError where there is none. */
export async function readZip(file: RandomAccessFile, path: string, isWanted: (name: string) => boolean): Promise<Zip> {
  const deflated = new Deflated();
  const members = new Map<string, ByteSource>();
  const problems: Problem[] = [];
  const cached = new CachedFile(file);
  const entries = await readDirectory(cached).catch(async (error) => {
    throw error instanceof DamagedZip ? await notAZip(cached, path, error) : error;
  });
  for (const entry of entries.filter(({ name }) => isWanted(name))) {
    const where = `${printable(path)} ${printable(entry.name)}`;
    await collecting(problems, async () => {
      if (members.has(entry.name)) {
        throw refuse('duplicate', where, 'expected one member of this name, got two; write the file again');
      }
      members.set(entry.name, await openMember(cached, entry, where, deflated));
    });
  }
  return { names: entries.map(({ name }) => name), members, problems, close: () => deflated.close() };
}

async function openMember(
  file: RandomAccessFile,
  entry: ZipEntry,
  where: string,
  deflated: Deflated,
): Promise<ByteSource> {
  checkReadable(entry, where);
  const dataStart = await readDataStart(file, entry).catch((error) => {
    if (!(error instanceof DamagedZip)) throw error;
    const got = `got ${printable(error.message)}; the zip directory is damaged: copy or write the file again`;
    throw refuse('zip', where, `expected the member that the directory names, ${got}`);
  });
  const { compressedSize, size, crc32 } = entry;
  const place = { file, where, dataStart, compressedSize, size, crc32 };
  return entry.method === 0 ? new StoredMember(place) : deflated.open(place);
}

/** The deflated members of one zip. What inflates them takes 3 ms to load: not where all are stored, as numpy.savez does. */
class Deflated {
  private cursors: InflateCursors | null = null;

  async open(place: MemberPlace): Promise<ByteSource> {
    const { DeflatedMember, InflateCursors } = await import('./deflatedMember.js');
    this.cursors ??= new InflateCursors();
    return new DeflatedMember(place, this.cursors);
  }

  close(): void {
    this.cursors?.close();
  }
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

function checkReadable({ flags, method, compressedSize, size }: ZipEntry, where: string): void {
  const rewrite = 'write it with numpy.savez or numpy.savez_compressed';
  if (flags & ENCRYPTED) {
    throw refuse('encrypted', where, `expected a plain member, got an encrypted one; ${rewrite}`);
  }
  if (flags & PATCHED) throw refuse('compression', where, `expected a plain member, got a patch; ${rewrite}`);
  if (method !== 0 && method !== 8) {
    const name = METHODS.get(method) ?? `method ${method}`;
    throw refuse('compression', where, `expected a stored or deflated member, got ${name}; ${rewrite}`);
  }
  if (size > compressedSize * DEFLATE_RATIO + SLACK_BYTES) {
    const got = `got ${size} (as the zip directory says)`;
    const expected = `expected at most ${DEFLATE_RATIO} bytes for each of ${compressedSize} deflated ones`;
    throw refuse('expands', where, `${expected}, ${got}; the file is damaged or a zip bomb`);
  }
  if (method === 0 && compressedSize !== size) {
    const sizes = `expected ${counted(size, 'byte')} of a stored member, got ${compressedSize}`;
    throw refuse('zip', where, `${sizes}; the zip directory is damaged: copy or write the file again`);
  }
}

const OTHER_FILES: readonly (readonly [magic: string, what: string])[] = [
  ['\x93NUMPY', 'a single array; save the arrays together with numpy.savez'],
  ['\x80', 'a pickle (of torch.save?); save arrays with numpy.savez'],
  ['\x1f\x8b', 'a gzip file; unpack it first'],
  ['{', 'JSON text; the model comes first, then a file of values'],
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
