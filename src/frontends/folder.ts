/** Arrays in a folder: NAME.npy, or what a manifest lists. */
import { basename, dirname, join } from 'node:path';
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

const NPZ = 'golden.npz';

async function openGoldenNpz(fs: FileSystem, folder: string, manifest: unknown): Promise<ArrayFile> {
  const isGoldens = (await stateOf(fs, folder, NPZ, manifest)) === 'untouched';
  return { ...(await openNpz(fs, join(folder, NPZ))), isGoldens };
}

/** An npz; of golden's own with the manifest beside it that tells whether it was written again. */
export async function openNpzFile(fs: FileSystem, path: string): Promise<ArrayFile> {
  if (basename(path) !== NPZ) return openNpz(fs, path);
  const folder = dirname(path);
  const manifest = await readJson(fs, join(folder, MANIFEST)).catch(() => null);
  return isGoldenManifest(manifest) ? openGoldenNpz(fs, folder, manifest) : openNpz(fs, path);
}
