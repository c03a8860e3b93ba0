import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { mkdir, readdir, realpath, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FileSystem, RandomAccessFile } from './types.js';

/** Everything outside: files, streams, environment. Handed in, so that commands run in-process in tests. */
export interface Io {
  readonly fs: FileSystem;
  /** Replaces a file as a whole, or leaves it as it was. */
  readonly writeFile: (path: string, text: string) => Promise<void>;
  /** Makes a folder of files as a whole. An existing one that is not empty is only replaced where `replaces` agrees. */
  readonly writeFolder: (
    path: string,
    files: ReadonlyMap<string, string | Uint8Array>,
    replaces?: (names: readonly string[]) => boolean,
  ) => Promise<void>;
  readonly appendFile: (path: string, text: string) => Promise<void>;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  /** A file of this package, by its path from the package's root. */
  readonly readAsset: (path: string) => Promise<string>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly now: () => number;
}

export interface OutputStream {
  readonly isTTY: boolean;
  readonly columns: number | undefined;
  write(text: string): void;
}

/** The real file system, read only. */
export const nodeFileSystem: FileSystem = {
  open: async (path) => randomAccess(openSync(path, 'r')),
  realPath: (path) => realpath(path),
  isDirectory: async (path) => (await stat(path)).isDirectory(),
  list: async (path) => (await readdir(path)).sort(),
};

/** Writes beside the file, then renames: nobody sees half a report. */
export async function replaceFile(path: string, text: string): Promise<void> {
  const unfinished = `${path}.${process.pid}.unfinished`;
  try {
    await writeFile(unfinished, text);
    await rename(unfinished, path);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
}

/** Writes beside the folder, then renames. Throws ENOTEMPTY for a folder that is not to be replaced. */
export const replaceFolder: Io['writeFolder'] = async (path, files, replaces = () => false) => {
  const before = await readdir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (before && before.length > 0 && !replaces(before)) {
    throw Object.assign(new Error(`${path} is not empty`), { code: 'ENOTEMPTY' });
  }
  const unfinished = `${path}.${process.pid}.unfinished`;
  const old = `${path}.${process.pid}.old`;
  try {
    await mkdir(unfinished);
    for (const [name, content] of files) await writeFile(join(unfinished, name), content);
    if (before?.length === 0) await rmdir(path);
    else if (before) await rename(path, old);
    await rename(unfinished, path);
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    throw error;
  }
  await rm(old, { recursive: true, force: true });
};

/** Descriptors of files that their reader forgot to close. */
const forgotten = new FinalizationRegistry<number>((descriptor) => closeSync(descriptor));

/**
 * By descriptor, not FileHandle: a library's caller may drop a model without closing it, and Node 26 makes the collection of an
 * open FileHandle an error.
 */
function randomAccess(descriptor: number): RandomAccessFile {
  let open = true;
  const file: RandomAccessFile = {
    size: fstatSync(descriptor).size,
    close: async () => {
      if (!open) return;
      open = false;
      forgotten.unregister(file);
      closeSync(descriptor);
    },
    read: async (target, position) => {
      let filled = 0;
      while (filled < target.length) {
        const bytes = readSync(descriptor, target, filled, target.length - filled, position + filled);
        if (bytes === 0) break;
        filled += bytes;
      }
      return filled;
    },
  };
  forgotten.register(file, descriptor, file);
  return file;
}
