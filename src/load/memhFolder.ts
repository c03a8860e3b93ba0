import { basename, join } from 'node:path';
import type { ArrayFile, ArraySource, NumericArray } from '../nouns/array.js';
import type { FileSystem } from '../nouns/file.js';
import { InputError, type Problem } from '../nouns/problem.js';
import { indicesOf, sizeOf } from '../tensor/shape.js';
import { printable } from '../text.js';
import { field, readJson } from './json.js';
import { MAX_FILE_BYTES, plainText } from './plainText.js';
import { collecting, refuse } from './refuse.js';
import { type FileState, stateOf } from './untouched.js';

/*
 * A folder of $readmemh files, as a Verilog simulation writes and reads them, with manifest.json:
 *   { "arrays": [ { "name": "fc1", "file": "fc1.memh", "dtype": "uint8", "shape": [151, 16], "bits": 8 }, ... ] }
 * A word a value, hexadecimal, two's complement in `bits` (default: the dtype's), row-major; // and block comments, @address,
 * _ between digits. `value`, as qdiff golden writes it, is the name that it is compared as; null: it is not compared.
 */

export const MANIFEST = 'manifest.json';

const DTYPES = {
  int8: { bits: 8, create: (n: number) => new Int8Array(n) },
  uint8: { bits: 8, create: (n: number) => new Uint8Array(n) },
  int16: { bits: 16, create: (n: number) => new Int16Array(n) },
  uint16: { bits: 16, create: (n: number) => new Uint16Array(n) },
  int32: { bits: 32, create: (n: number) => new Int32Array(n) },
  uint32: { bits: 32, create: (n: number) => new Uint32Array(n) },
} as const;

export type MemhDtype = keyof typeof DTYPES;

/** Of a simulation of some samples of many. */
export const whichSamples = (count: number) => `if they are the first, add --samples ${count}; others, --samples A:B`;

interface Entry {
  readonly key: string;
  readonly path: string;
  readonly dtype: MemhDtype;
  /** Null: as wide as the file's words are. */
  readonly bits: number | null;
  readonly shape: readonly number[];
}

/** Reads the manifest, no data. Throws InputError with all problems. */
export async function openMemhFolder(fs: FileSystem, path: string): Promise<ArrayFile> {
  const where = join(path, MANIFEST);
  const raw = await readJson(fs, where);
  const listed = field(raw, 'arrays');
  if (!Array.isArray(listed) || listed.length === 0) {
    throw refuse('manifest', printable(where), 'expected "arrays", a list of {name, file, dtype, shape}, got none');
  }
  const problems: Problem[] = [];
  const arrays = new Map<string, ArraySource>();
  const together: MemhArray[] = [];
  const states = new Map<string, FileState>();
  for (const [i, item] of listed.entries()) {
    if (field(item, 'value') === null) continue;
    await collecting(problems, async () => {
      const entry = entryOf(item, path, `${printable(where)} arrays[${i}]`);
      const state = await stateOf(fs, path, basename(entry.path), raw);
      if (state === 'missing') return;
      states.set(entry.key, state);
      if (arrays.has(entry.key)) {
        throw refuse(
          'duplicate',
          `${printable(where)} arrays[${i}].name`,
          `expected a name of its own, got ${printable(entry.key)} twice`,
        );
      }
      arrays.set(entry.key, new MemhArray(fs, entry, together));
    });
  }
  if (problems.length > 0) throw new InputError(problems);
  return { path, ...withoutUntouched(arrays, states), close: async () => {} };
}

/** What golden wrote and nobody wrote again is nobody's result, where other files are; untouched as a whole it is golden's own. */
function withoutUntouched(arrays: ReadonlyMap<string, ArraySource>, states: ReadonlyMap<string, FileState>) {
  if (![...states.values()].includes('written')) return { arrays, isGoldens: true };
  const untouched = [...arrays.keys()].filter((key) => states.get(key) === 'untouched');
  return { arrays: new Map([...arrays].filter(([key]) => !untouched.includes(key))), untouched };
}

function entryOf(item: unknown, folder: string, where: string): Entry {
  const name = field(item, 'value') ?? field(item, 'name');
  const [file, dtype, shape] = [field(item, 'file'), field(item, 'dtype'), field(item, 'shape')];
  const problem = (field: string, message: string) => refuse('manifest', `${where}.${field}`, message);
  if (typeof name !== 'string' || name === '') throw problem('name', 'expected the name of a value');
  // a file of the folder: a path could lead anywhere
  if (typeof file !== 'string' || file === '' || /[/\\\0]/.test(file) || file === '..') {
    throw problem(
      'file',
      `expected the name of a file in the folder, got ${printable(JSON.stringify(file) ?? 'nothing')}`,
    );
  }
  if (typeof dtype !== 'string' || !Object.hasOwn(DTYPES, dtype)) {
    const got = printable(JSON.stringify(dtype) ?? 'nothing');
    throw problem('dtype', `expected one of ${Object.keys(DTYPES).join(', ')}, got ${got}`);
  }
  const known = dtype as MemhDtype;
  const isShape = Array.isArray(shape) && shape.length > 0 && shape.every((n) => Number.isInteger(n) && n > 0);
  if (!isShape || !(sizeOf(shape) <= MAX_FILE_BYTES / 2)) {
    throw problem('shape', 'expected a list of counts from 1 on that a file can hold, e.g. [151, 16]');
  }
  const bits = field(item, 'bits') ?? DTYPES[known].bits;
  if (typeof bits !== 'number' || !Number.isInteger(bits) || bits < 1 || bits > DTYPES[known].bits) {
    throw problem(
      'bits',
      `expected the width of a word, 1 to ${DTYPES[known].bits} for ${known}, got ${printable(JSON.stringify(bits))}`,
    );
  }
  return { key: name, path: join(folder, file), dtype: known, bits, shape: shape as number[] };
}

export function isMemhDtype(dtype: string): dtype is MemhDtype {
  return Object.hasOwn(DTYPES, dtype);
}

/** One file of words of the dtype's width, of sums (int32) of the file's own, among those that came `together`. */
export function memhArray(
  fs: FileSystem,
  file: { readonly key: string; readonly path: string; readonly dtype: MemhDtype; readonly shape: readonly number[] },
  together: MemhArray[],
): ArraySource {
  const bits = file.dtype === 'int32' ? null : DTYPES[file.dtype].bits;
  return new MemhArray(fs, { ...file, bits }, together);
}

/** Read whole at the first look; where that finds a fault, so are all others, so that one run tells them all. */
export class MemhArray implements ArraySource {
  readonly key: string;
  readonly dtype: MemhDtype;
  readonly shape: readonly number[];
  private words: Promise<Words> | null = null;

  constructor(
    private readonly fs: FileSystem,
    private readonly entry: Entry,
    private readonly together: MemhArray[],
  ) {
    together.push(this);
    this.key = entry.key;
    this.dtype = entry.dtype;
    this.shape = entry.shape;
  }

  async read(fromRow = 0, toRow = this.shape[0]): Promise<NumericArray> {
    const values = await this.upTo(toRow).catch((error) => this.withOthers(error));
    const rowLength = values.length / this.shape[0];
    return values.subarray(fromRow * rowLength, toRow * rowLength);
  }

  /** Of a simulation of the first samples alone, those. */
  private async upTo(row: number): Promise<NumericArray> {
    this.words ??= readMemh(this.fs, this.entry);
    const { values, rows, short } = await this.words;
    if (short && row > rows) throw short;
    return values;
  }

  private async withOthers(error: unknown): Promise<never> {
    if (!(error instanceof InputError)) throw error;
    const problems: Problem[] = [];
    for (const one of this.together) await collecting(problems, () => one.upTo(one.shape[0]));
    throw new InputError(problems);
  }
}

interface Words {
  readonly values: NumericArray;
  /** Whole rows that are there from the first on. */
  readonly rows: number;
  /** Where those are not all. */
  readonly short: InputError | null;
}

/** What $writememh writes has as many digits in every word, zeros in front: ffcd of a reg of 16 bits is -51. */
function widthOf(words: Iterable<RegExpExecArray>, most: number): number {
  let digits = 0;
  let hasZero = false;
  for (const [text] of words) {
    if (text.startsWith('@')) continue;
    const word = text.replaceAll('_', '');
    digits ||= word.length;
    if (word.length !== digits) return most;
    hasZero ||= /^0./.test(word);
  }
  return hasZero ? Math.min(most, 4 * digits) : most;
}

async function readMemh(fs: FileSystem, { path, dtype, bits: told, shape }: Entry): Promise<Words> {
  const where = printable(path);
  const text = await plainText(fs, path);
  const count = sizeOf(shape);
  const values = DTYPES[dtype].create(count);
  const written = new Uint8Array(count);
  const signed = dtype.startsWith('int');
  let address = 0;
  const words = () => text.replace(/\/\/[^\n]*|\/\*[\s\S]*?\*\//g, ' ').matchAll(/\S+/g);
  const bits = told ?? widthOf(words(), DTYPES[dtype].bits);
  for (const [word] of words()) {
    if (word.startsWith('@')) {
      address = Number.parseInt(word.slice(1), 16);
      if (!/^@[\da-f]{1,12}$/i.test(word))
        throw refuse('memh', where, `expected an address after @, got ${printable(word.slice(0, 40))}`);
      continue;
    }
    if (address >= count) {
      const got = [...words()].filter(([one]) => !one.startsWith('@')).length;
      const more = got > count ? `${got}` : `one at address ${address}`;
      throw refuse('memh', where, `expected ${count} words (shape ${shape.join(' x ')}), got ${more}`);
    }
    const value = codeOf(word, bits, `${where} word ${address}`, shape, address);
    values[address] = signed && value >= 2 ** (bits - 1) ? value - 2 ** bits : value;
    written[address++] = 1;
  }
  const missing = written.indexOf(0);
  if (missing < 0) return { values, rows: shape[0], short: null };
  const each = sizeOf(shape.slice(1));
  const isFewer = missing > 0 && missing % each === 0 && !written.includes(1, missing);
  const fix = isFewer ? ` on, ${missing / each} of ${shape[0]} samples; ${whichSamples(missing / each)}` : '';
  const short = refuse(
    'memh',
    where,
    `expected ${count} words (shape ${shape.join(' x ')}), got none for word ${missing}${fix}`,
  );
  if (!isFewer) throw short;
  return { values, rows: missing / each, short };
}

/** Of one word; at: which of the file. */
function codeOf(word: string, bits: number, at: string, shape: readonly number[], address: number): number {
  const digits = word.replaceAll('_', '');
  const got = printable(word.slice(0, 40));
  if (/^0x[\da-f]+$/i.test(digits)) throw refuse('memh', at, `expected hexadecimal without 0x, got ${got}`);
  if (/^[\da-fxz?]+$/i.test(digits) && /[xz?]/i.test(digits)) {
    const place = `index ${indicesOf(address, shape).join(', ')} of ${shape.join(' x ')}`;
    throw refuse('memh', at, `expected hexadecimal, got ${got}: the simulation never set it (${place})`);
  }
  const value = /^[\da-f]{1,12}$/i.test(digits) ? Number.parseInt(digits, 16) : Number.NaN;
  if (value < 2 ** bits) return value;
  const hint = /^-?\d+$/.test(word) ? '; decimal numbers are read from LAYER.csv' : '';
  throw refuse('memh', at, `expected hexadecimal of ${bits} bits, got ${got}${hint}`);
}
