import type { ArrayFile, ArraySource } from '../nouns/array.js';
import type { FileSystem } from '../nouns/file.js';
import { InputError, type Problem } from '../nouns/problem.js';
import { listed, printable } from '../text.js';
import { openFile, Recent } from './bytes.js';
import { arrayOrNoNumbers, needNumbers } from './noNumbers.js';
import { readNpyHeader } from './npy.js';
import { type BlockCache, CACHE_BYTES, NpyArray } from './npyArray.js';
import { collecting, refuse } from './refuse.js';
import { readZip } from './zip.js';

/** Opens an npz file: reads every array's header, no data. Throws InputError with all problems. */
export async function openNpz(fs: FileSystem, path: string): Promise<ArrayFile> {
  const file = await openFile(fs, path);
  try {
    // what macOS puts beside each file that it zips is no array
    const zip = await readZip(file, path, (name) => name.endsWith('.npy') && !name.startsWith('__MACOSX/'));
    const problems: Problem[] = [...zip.problems];
    const cache: BlockCache = new Recent(CACHE_BYTES);
    const arrays = new Map<string, ArraySource>();
    for (const [name, bytes] of zip.members) {
      const key = name.slice(0, -'.npy'.length);
      const where = `${printable(path)} ${printable(key)}`;
      await collecting(problems, async () => {
        const open = async () => new NpyArray(key, await readNpyHeader(bytes, where), bytes, cache, where);
        arrays.set(key, await arrayOrNoNumbers(key, open));
      });
    }
    if (problems.length > 0) throw new InputError(problems);
    if (arrays.size === 0) throw noArrays(path, zip.names);
    needNumbers(arrays);
    return {
      path,
      bytes: file.size,
      arrays,
      close: () => {
        cache.clear();
        zip.close();
        return file.close();
      },
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

function noArrays(path: string, names: readonly string[]): InputError {
  const got = names.length === 0 ? 'an empty zip file' : `a zip file with ${listed(names, 3)}`;
  return refuse('zip', printable(path), `expected arrays (members NAME.npy), got ${got}; write it with numpy.savez`);
}
