/** Arrays in a folder: NAME.npy, or what a manifest lists. */
import { dirname, join } from 'node:path';
import { isGoldenManifest } from '../documents/golden.js';
import { field, readJson } from '../load/json.js';
import { MANIFEST, openMemhFolder } from '../load/memhFolder.js';
import { openNpyFolder } from '../load/npyFolder.js';
import { openNpz } from '../load/npz.js';
import { refuse, unreadable } from '../load/refuse.js';
import { stateOf } from '../load/untouched.js';
import type { ArrayFile } from '../nouns/array.js';
import type { FileSystem } from '../nouns/file.js';
import { printable } from '../text.js';
import { GOLDEN } from './goldenVectors.js';

/** Reads the manifest or every header, no data. Throws InputError. */
export async function openFolder(fs: FileSystem, path: string): Promise<ArrayFile> {
  const names = await fs.list(path).catch((error) => {
    throw unreadable(path, error);
  });
  const isListed = names.includes(MANIFEST) && !names.some((name) => name.endsWith('.npy'));
  return isListed ? openManifestFolder(fs, path) : openNpyFolder(fs, path);
}

/** Golden vectors of our own in npz, or $readmemh files. */
async function openManifestFolder(fs: FileSystem, path: string): Promise<ArrayFile> {
  const where = join(path, MANIFEST);
  const manifest = await readJson(fs, where);
  const data = isGoldenManifest(manifest) ? field(manifest, 'data') : 'memh';
  if (data === 'npz') return openGoldenNpz(fs, path, manifest);
  if (data === 'memh') return openMemhFolder(fs, path);
  const got = `got ${printable(JSON.stringify(data) ?? 'nothing')}`;
  throw refuse(
    'manifest',
    `${printable(where)} data`,
    `expected golden vectors as npz or memh, ${got}; write them again`,
  );
}

async function openGoldenNpz(fs: FileSystem, folder: string, manifest: unknown): Promise<ArrayFile> {
  const isGoldens = (await stateOf(fs, folder, GOLDEN, manifest)) === 'untouched';
  return { ...(await openNpz(fs, join(folder, GOLDEN))), isGoldens };
}

/** An npz under golden's name: of golden's own where the manifest beside it says so, which tells whether it was written again. */
export async function openGolden(fs: FileSystem, path: string): Promise<ArrayFile> {
  const folder = dirname(path);
  const manifest = await readJson(fs, join(folder, MANIFEST)).catch(() => null);
  return isGoldenManifest(manifest) ? openGoldenNpz(fs, folder, manifest) : openNpz(fs, path);
}
