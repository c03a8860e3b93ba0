/** Values of a layer in a file by its name, without a manifest: NAME.memh, NAME_output.memh, NAME.bin, NAME.npy, NAME.csv. */
import { basename, join } from 'node:path';
import type { ArrayFile, ArraySource, NumericArray } from '../nouns/array.js';
import type { FileSystem } from '../nouns/file.js';
import { InputError, type Problem } from '../nouns/problem.js';
import { sizeOf } from '../tensor/shape.js';
import { listed, printable } from '../text.js';
import { openFile, Recent, readFully } from './bytes.js';
import { isMemhDtype, MANIFEST, type MemhArray, memhArray, whichSamples } from './memhFolder.js';
import { type BlockCache, CACHE_BYTES } from './npyArray.js';
import { keyOf, openNpy } from './npyFolder.js';
import { collecting, refuse } from './refuse.js';
import { openText } from './textValues.js';

/** What a name stands for: neither kind of file says so itself. */
interface Plain {
  readonly dtype: string;
  /** With the samples. */
  readonly shape: readonly number[];
  /** Where the file's name is cut: the value's own. */
  readonly name?: string;
}

/** By a name, or by a file's as fileName.ts writes it. Null: no such value. */
export type PlainOf = (name: string) => Plain | null;

/** hex, mem: other names of $readmemh's files. */
const ENDING = /\.(memh|hex|mem|bin|npy|csv|txt)$/;

/** A file, or a folder of such without a manifest; null: anything else. Throws InputError. */
export async function openPlain(
  fs: FileSystem,
  path: string,
  isFolder: boolean,
  plainOf: PlainOf,
): Promise<ArrayFile | null> {
  if (!isFolder) return ENDING.test(path) ? openPlainFiles(fs, path, [path], plainOf) : null;
  const names = await fs.list(path).catch((): string[] => []);
  const files = plainFilesIn(path, names);
  return files.length > 0 && !names.includes(MANIFEST) ? openPlainFiles(fs, path, files, plainOf) : null;
}

/** One file, or those of a folder. Throws InputError with all problems. */
export async function openPlainFiles(
  fs: FileSystem,
  path: string,
  files: readonly string[],
  plainOf: PlainOf,
): Promise<ArrayFile> {
  const arrays = await plainArrays(fs, files, plainOf);
  if (arrays.size > 0) {
    const ignored = files.filter((file) => !file.endsWith('.npy') && namedBy(file, plainOf).plain === null);
    return { path, arrays, ignored: ignored.map((file) => basename(file)), close: async () => {} };
  }
  const got = `got ${printable(
    listed(
      files.map((file) => basename(file)),
      4,
    ),
  )}`;
  const expected = 'expected NAME.npy, NAME.csv, NAME.memh or NAME.bin (also NAME_output.*) of a layer';
  const fix = files.length === 1 ? `; rename it, or say whose it is: --map ${mineOf(files[0])}=LAYER` : '';
  throw refuse('folder', printable(path), `${expected}, ${got}${fix}`);
}

/** Those of the files that are of a value, by its name. Throws InputError with all problems. */
export async function plainArrays(
  fs: FileSystem,
  files: readonly string[],
  plainOf: PlainOf,
): Promise<Map<string, ArraySource>> {
  const arrays = new Map<string, ArraySource>();
  const problems: Problem[] = [];
  const cache: BlockCache = new Recent(CACHE_BYTES);
  const together: MemhArray[] = [];
  for (const file of files) {
    await collecting(problems, async () => {
      const array = await openOne(fs, file, plainOf, cache, together);
      if (!array) return;
      if (arrays.has(array.key)) {
        const got = `got ${printable(array.key)} by two files; keep one of them`;
        throw refuse('duplicate', printable(file), `expected a name of its own, ${got}`);
      }
      arrays.set(array.key, array);
    });
  }
  if (problems.length > 0) throw new InputError(problems);
  return arrays;
}

/** Null: of a folder, a file of no value (an input of golden vectors, a log). */
async function openOne(
  fs: FileSystem,
  path: string,
  plainOf: PlainOf,
  cache: BlockCache,
  together: MemhArray[],
): Promise<ArraySource | null> {
  const { name, plain } = namedBy(path, plainOf);
  const key = plain?.name ?? name;
  if (path.endsWith('.npy')) return openNpy(fs, path, key, cache);
  if (plain === null) return null;
  const { dtype, shape } = plain;
  if (path.endsWith('.bin')) return openBin(fs, key, path, { dtype, shape });
  if (/\.(csv|txt)$/.test(path)) return openText(fs, path, key, shape);
  if (isMemhDtype(dtype)) return memhArray(fs, { key, path, dtype, shape }, together);
  throw refuse('memh', printable(path), `expected a value of integers, got one of ${dtype}; save it as .npy or .bin`);
}

const mineOf = (path: string) => printable(basename(path).replace(ENDING, ''));

/** What a file is of; its own name where it is of no value. */
function namedBy(path: string, plainOf: PlainOf): { readonly name: string; readonly plain: Plain | null } {
  const file = basename(path).replace(ENDING, '');
  const names = [file, keyOf(file)].flatMap((one) => [one, one.replace(/[._]output$/, '')]);
  const name = names.find((one) => plainOf(one) !== null);
  return name === undefined ? { name: keyOf(file), plain: null } : { name, plain: plainOf(name) };
}

const BYTES: Readonly<Record<string, { new (buffer: ArrayBuffer): NumericArray; readonly BYTES_PER_ELEMENT: number }>> =
  {
    int8: Int8Array,
    uint8: Uint8Array,
    int16: Int16Array,
    uint16: Uint16Array,
    int32: Int32Array,
    float32: Float32Array,
  };

/** Little endian, in C order. */
async function openBin(fs: FileSystem, key: string, path: string, { dtype, shape }: Plain): Promise<ArraySource> {
  const Values = Object.hasOwn(BYTES, dtype) ? BYTES[dtype] : undefined;
  if (!Values) throw refuse('bin', printable(path), `expected ${Object.keys(BYTES).join(', ')}, got ${dtype}`);
  const width = sizeOf(shape.slice(1)) * Values.BYTES_PER_ELEMENT;
  const file = await openFile(fs, path);
  await file.close();
  if (file.size !== width * shape[0]) {
    const expected = `expected ${width * shape[0]} bytes (${dtype}, shape ${shape.join(' x ')})`;
    const isFewer = file.size > 0 && file.size < width * shape[0] && file.size % width === 0;
    const bytes = (file.size / (width * shape[0])) * Values.BYTES_PER_ELEMENT;
    const isWider = bytes === 2 || bytes === 4;
    const wider = `: ${bytes} bytes a value; write ${dtype}, or a .npy, which says its dtype`;
    const fix =
      isWider && bytes > Values.BYTES_PER_ELEMENT
        ? wider
        : isFewer
          ? `, ${file.size / width} of ${shape[0]} samples; ${whichSamples(file.size / width)}`
          : '';
    throw refuse('bin', printable(path), `${expected}, got ${file.size}${fix}`);
  }
  const read = async (from = 0, to = shape[0]) => {
    const bytes = new Uint8Array((to - from) * width);
    const open = await openFile(fs, path);
    try {
      await readFully(open, bytes, from * width, printable(path));
    } finally {
      await open.close();
    }
    return new Values(bytes.buffer);
  };
  return { key, dtype: dtype as ArraySource['dtype'], shape, fortranOrder: false, read };
}

/** The files of a folder. */
export function plainFilesIn(path: string, names: readonly string[]): string[] {
  return names.filter((name) => ENDING.test(name)).map((name) => join(path, name));
}
