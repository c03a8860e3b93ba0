import { type FileHandle, open, readdir, realpath, stat } from 'node:fs/promises';
import type { FileSystem, RandomAccessFile } from './types.js';

/** Everything outside: files, streams, environment. Handed in, so that commands run in-process in tests. */
export interface Io {
  readonly fs: FileSystem;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
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
