/** Values that bring the model which computed them: one npz, in which `model` is a model.json and its numbers are arrays too. */
import { jsonIn, readJson } from '../load/json.js';
import { openNpz } from '../load/npz.js';
import type { ArrayFile } from '../nouns/array.js';
import type { FileSystem } from '../nouns/file.js';
import { printable } from '../text.js';
import type { ModelFile } from './modelFile.js';

const MODEL = 'model';

export async function readCarried(fs: FileSystem, path: string): Promise<ModelFile> {
  const arrays = await openNpz(fs, path);
  try {
    if (!carriesModel(arrays)) return { raw: await readJson(fs, path), arrays }; // which says what it is
    return { raw: await rawModel(arrays), arrays };
  } catch (error) {
    await arrays.close();
    throw error;
  }
}

/** Whether the values of a file are read by a model of their own. */
export function carriesModel({ arrays }: ArrayFile): boolean {
  const source = arrays.get(MODEL);
  return source?.dtype === 'uint8' && source.shape.length === 1;
}

/** The values alone. */
export async function withoutModel(file: ArrayFile): Promise<ArrayFile> {
  const own = new Set([MODEL, ...arraysNamed(await rawModel(file))]);
  return { ...file, arrays: new Map([...file.arrays].filter(([key]) => !own.has(key))), close: () => file.close() };
}

async function rawModel({ arrays, path }: ArrayFile): Promise<unknown> {
  const bytes = await arrays.get(MODEL)!.read();
  return jsonIn(Buffer.from(Uint8Array.from(bytes)), `${printable(path)} ${MODEL}`);
}

/** Keys of {"array": KEY}. */
function arraysNamed(raw: unknown): string[] {
  if (typeof raw !== 'object' || raw === null) return [];
  const entries = Object.entries(raw);
  if (entries.length === 1 && entries[0][0] === 'array') return [String(entries[0][1])];
  return entries.flatMap(([, value]) => arraysNamed(value));
}
