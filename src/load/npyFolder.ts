import { join } from 'node:path';
import type { ArrayFile, ArraySource } from '../nouns/array.js';
import type { FileSystem } from '../nouns/file.js';
import { InputError, type Problem } from '../nouns/problem.js';
import { listed, printable } from '../text.js';
import { type ByteSource, openFile, Recent, readFully } from './bytes.js';
import { arrayOrNoNumbers, needNumbers } from './noNumbers.js';
import { readNpyHeader } from './npy.js';
import { type BlockCache, CACHE_BYTES, NpyArray } from './npyArray.js';
import { collecting, refuse, unreadable } from './refuse.js';

/** Opens a folder of NAME.npy files: reads every header, no data. Throws InputError with all problems. */
export async function openNpyFolder(fs: FileSystem, path: string): Promise<ArrayFile> {
  const names = await fs.list(path).catch((error) => {
    throw unreadable(path, error);
  });
  const problems: Problem[] = [];
  const cache: BlockCache = new Recent(CACHE_BYTES);
  const arrays = new Map<string, ArraySource>();
  for (const name of names.filter((name) => name.endsWith('.npy'))) {
    const key = keyOf(name.slice(0, -'.npy'.length));
    const filePath = join(path, name);
    await collecting(problems, async () => {
      if (arrays.has(key)) {
        const got = `got ${printable(key)} by two files; keep one of them`;
        throw refuse('duplicate', printable(filePath), `expected a name of its own, ${got}`);
      }
      arrays.set(key, await arrayOrNoNumbers(key, () => openNpy(fs, filePath, key, cache)));
    });
  }
  if (problems.length > 0) throw new InputError(problems);
  if (arrays.size === 0) {
    const expected = 'expected files NAME.npy in the folder (a candidate may have LAYER.csv, LAYER.memh or LAYER.bin)';
    throw refuse(
      'folder',
      printable(path),
      `${expected}, got ${listed(names, 4) || 'none'}; ${insteadOf(path, names)}`,
    );
  }
  needNumbers(arrays);
  return { path, arrays, close: async () => cache.clear() };
}

/** An export's folder holds the capture as one npz. */
function insteadOf(path: string, names: readonly string[]): string {
  const captures = names.filter((name) => name.endsWith('.npz') && name !== 'model.npz');
  return captures.length === 1
    ? `did you mean ${printable(join(path, captures[0]))}?`
    : 'save values with numpy.save, endings in small letters';
}

/** Names that no file can have are written with %XX, bytes of UTF-8; other text stands for itself. */
export function keyOf(fileName: string): string {
  try {
    return decodeURIComponent(fileName.replace(/%(?![\dA-F]{2})/g, '%25'));
  } catch {
    return fileName; // no UTF-8
  }
}

/** Opens one npy file: reads its header. Throws InputError. */
export async function openNpy(
  fs: FileSystem,
  path: string,
  key = '',
  cache: BlockCache = new Recent(CACHE_BYTES),
): Promise<ArraySource> {
  const bytes = await NpyFile.open(fs, path);
  const where = printable(path);
  return new NpyArray(key, await readNpyHeader(bytes, where), bytes, cache, where);
}

/** Opened for each read: a folder may hold more files than a process may have open. */
class NpyFile implements ByteSource {
  private constructor(
    private readonly fs: FileSystem,
    private readonly path: string,
    readonly size: number,
  ) {}

  static async open(fs: FileSystem, path: string): Promise<NpyFile> {
    const file = await openFile(fs, path);
    await file.close();
    return new NpyFile(fs, path, file.size);
  }

  async head(length: number): Promise<Uint8Array> {
    const head = new Uint8Array(Math.min(length, this.size));
    await this.read(head, 0);
    return head;
  }

  async read(target: Uint8Array, position: number): Promise<void> {
    const file = await openFile(this.fs, this.path);
    try {
      await readFully(file, target, position, printable(this.path));
    } finally {
      await file.close();
    }
  }
}
