import { type FileHandle, open, readdir, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import type { FileSystem, RandomAccessFile } from './types.js';

/** Everything outside: files, streams, environment. Handed in, so that commands run in-process in tests. */
export interface Io {
  readonly fs: FileSystem;
  /** Replaces a file as a whole, or leaves it as it was. */
  readonly writeFile: (path: string, text: string) => Promise<void>;
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
  open: async (path) => randomAccess(await open(path, 'r')),
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

async function randomAccess(handle: FileHandle): Promise<RandomAccessFile> {
  const { size } = await handle.stat();
  return {
    size,
    close: () => handle.close(),
    read: async (target, position) => {
      let filled = 0;
      while (filled < target.length) {
        const { bytesRead } = await handle.read(target, filled, target.length - filled, position + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return filled;
    },
  };
}
