/** Numbers that lie in a file beside the model: never outside its folder, however the way there is written. */
import { dirname, isAbsolute, join } from 'node:path';
import type { FileSystem } from '../../nouns/file.js';
import { printable } from '../../text.js';
import { type ByteSource, openFile, readFully } from '../bytes.js';
import { isInside } from '../inside.js';
import { refuse, unreadable } from '../refuse.js';

/** The bytes of one tensor; location, offset and length are the file's words. Throws InputError. */
export function externalBytes(
  fs: FileSystem,
  modelPath: string,
  entries: ReadonlyMap<string, string>,
  bytes: number,
  where: string,
): ByteSource {
  const location = checkedLocation(entries.get('location') ?? '', where);
  const offset = wholeNumber(entries.get('offset'), 0, 'offset', where);
  const length = wholeNumber(entries.get('length'), bytes, 'length', where);
  if (length !== bytes)
    throw refuse('external-data', where, `expected ${bytes} bytes by its shape, got a length of ${length}`);
  const path = join(dirname(modelPath), location);
  const open = async () => {
    await checkInside(fs, modelPath, path, where);
    const file = await openFile(fs, path);
    if (offset + length <= file.size) return file;
    await file.close();
    throw tooShort(path, offset, length, file.size, where);
  };
  // Opened for each read: a model may have more tensors than a process may have open files.
  const read = async (target: Uint8Array, position: number) => {
    const file = await open();
    try {
      await readFully(file, target, offset + position, `${where} in ${printable(path)}`);
    } finally {
      await file.close();
    }
  };
  return {
    size: bytes,
    head: async (most) => {
      const target = new Uint8Array(Math.min(most, bytes));
      await read(target, 0);
      return target;
    },
    read,
  };
}

/** Where the file of a tensor is, which lies in the model's folder. Throws InputError. */
export async function externalPath(
  fs: FileSystem,
  modelPath: string,
  entries: ReadonlyMap<string, string>,
  where: string,
): Promise<string> {
  const path = join(dirname(modelPath), checkedLocation(entries.get('location') ?? '', where));
  await checkInside(fs, modelPath, path, where);
  return path;
}

/**
 * What a tensor's file is, before anything is replayed: a link out of the folder, no file, or too short a one is refused although
 * nothing reads it. One that is missing is said when its layer is. sizes: of files looked at before.
 */
export async function checkExternalFile(
  fs: FileSystem,
  modelPath: string,
  { entries, bytes, where }: { entries: ReadonlyMap<string, string>; bytes: number; where: string },
  sizes: Map<string, number | null>,
): Promise<void> {
  const path = join(dirname(modelPath), entries.get('location') ?? '');
  const known = sizes.get(path);
  const size = known === undefined ? await sizeOfFile(fs, modelPath, path, where) : known;
  sizes.set(path, size);
  const offset = wholeNumber(entries.get('offset'), 0, 'offset', where);
  if (size !== null && offset + bytes > size) throw tooShort(path, offset, bytes, size, where);
}

/** Null: it is missing. */
async function sizeOfFile(fs: FileSystem, modelPath: string, path: string, where: string): Promise<number | null> {
  const exists = await fs.realPath(path).then(
    () => true,
    () => false,
  );
  if (!exists) return null;
  await checkInside(fs, modelPath, path, where);
  const file = await openFile(fs, path);
  const { size } = file;
  await file.close();
  return size;
}

function tooShort(path: string, offset: number, length: number, size: number, where: string) {
  const expected = `expected ${offset + length} bytes in ${printable(path)} (${length} at offset ${offset})`;
  return refuse('external-data', where, `${expected}, got ${size}; the file was cut off: copy it again`);
}

function checkedLocation(location: string, where: string): string {
  const parts = location.split('/');
  const leaves = isAbsolute(location) || /[\\\0]|^[A-Za-z]:/.test(location) || parts.includes('..');
  if (location === '' || leaves || parts.every((part) => part === '' || part === '.')) {
    const expected = "expected the name of a file in the model's folder";
    throw refuse('external-data', where, `${expected}, got ${printable(location) || 'nothing'}`);
  }
  return location;
}

function wholeNumber(text: string | undefined, missing: number, name: string, where: string): number {
  if (text === undefined) return missing;
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(value)) return value;
  throw refuse(
    'external-data',
    where,
    `expected a whole number of bytes as ${name}, got ${printable(text.slice(0, 40))}`,
  );
}

async function checkInside(fs: FileSystem, modelPath: string, path: string, where: string): Promise<void> {
  const [folder, target] = await Promise.all([fs.realPath(dirname(modelPath)), fs.realPath(path)]).catch((error) => {
    const [{ message }] = unreadable(path, error).problems;
    throw refuse('external-data', where, `its numbers are in ${printable(path)}: ${message}`);
  });
  if (!isInside(folder, target)) {
    const got = `got ${printable(path)}, a link that leaves it`;
    throw refuse('external-data', where, `expected a file in the model's folder, ${got}`);
  }
  if (!(await fs.isFile(path)))
    throw refuse('external-data', where, `expected a file, got ${printable(path)}, which is none`);
}
