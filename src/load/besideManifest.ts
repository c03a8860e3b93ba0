/** Results that a run wrote beside golden's files, under names of its own. */
import { join } from 'node:path';
import type { ArrayFile } from '../nouns/array.js';
import type { FileSystem } from '../nouns/file.js';
import { printable } from '../text.js';
import { field, readJson } from './json.js';
import { MANIFEST } from './memhFolder.js';
import { type PlainOf, plainArrays, plainFilesIn } from './plainFiles.js';
import { refuse } from './refuse.js';

/**
 * The folder's own arrays (golden's) with those of files that its manifest does not list. Golden's as a whole are left out then:
 * nobody's run wrote them. Throws InputError where a value is there by a file of each.
 */
export async function withOwnFiles(
  fs: FileSystem,
  path: string,
  folder: ArrayFile,
  plainOf: PlainOf,
): Promise<ArrayFile> {
  const names = await fs.list(path);
  const manifest = await readJson(fs, join(path, MANIFEST));
  const listed = new Set([...namesIn(manifest, 'arrays', 'file'), ...namesIn(manifest, 'files', 'name')]);
  const others = names.filter((name) => !listed.has(name) && !name.endsWith('.npy'));
  const added = await plainArrays(fs, plainFilesIn(path, others), plainOf);
  if (added.size === 0) return folder;
  const { isGoldens, ...rest } = folder;
  if (isGoldens) return { ...rest, arrays: added, untouched: [...folder.arrays.keys()] };
  for (const key of added.keys()) {
    if (!folder.arrays.has(key)) continue;
    const got = `got ${printable(key)} by two files; keep one of them`;
    throw refuse('duplicate', printable(path), `expected a name of its own, ${got}`);
  }
  return { ...folder, arrays: new Map([...folder.arrays, ...added]) };
}

function namesIn(manifest: unknown, list: string, name: string): unknown[] {
  const items = field(manifest, list);
  return Array.isArray(items) ? items.map((item) => field(item, name)) : [];
}
