import {
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { isOutOfFiles } from './load/refuse.js';
import type { FileSystem, RandomAccessFile } from './nouns/file.js';
import { type FileContent, type Io, piecesOf } from './nouns/io.js';
import { InputError } from './nouns/problem.js';

/** The real file system, read only; synchronous within: there is nothing else to do, and a thread pool would take 4 ms to start. */
export const nodeFileSystem: FileSystem = {
  open: async (path) => randomAccess(openRegular(path)),
  realPath: async (path) => realpathSync.native(path),
  isDirectory: async (path) => statSync(path).isDirectory(),
  isFile: async (path) => statSync(path).isFile(),
  list: async (path) => readdirSync(path).sort(),
};

/** Only what is a file or a folder is opened: a pipe would be waited for, and a device has no end. */
function openRegular(path: string): number {
  const stats = statSync(path);
  if (stats.isFile() || stats.isDirectory()) return openSync(path, 'r');
  throw Object.assign(new Error(`${path} is a pipe or a device`), { code: 'EFTYPE' });
}

/** A file of the package that is installed at `root`. Throws InputError where it is not the one that was built. */
export async function readAsset(root: string, path: string): Promise<string> {
  try {
    const { crc32 } = await import('node:zlib');
    const bytes = readFileSync(join(root, path));
    const sums = JSON.parse(readFileSync(join(root, 'dist/checksums.json'), 'utf8')) as Record<string, number>;
    if (crc32(bytes) === sums[path]) return bytes.toString();
  } catch (error) {
    if (isOutOfFiles(error)) throw error;
  } // gone, or no list of checksums
  const message = 'expected the file of this version, got one that is damaged; install qdiff again';
  throw new InputError([{ kind: 'installation', where: path, message }]);
}

/**
 * Writes beside the file, then renames: nobody sees half a report. A link keeps pointing at what is replaced; a device or pipe
 * (/dev/null, >(gzip)) is written to as it is: a rename would put a file in its place. A folder that is not there is made.
 */
export async function replaceFile(path: string, text: string): Promise<void> {
  const before = statSync(path, { throwIfNoEntry: false });
  if (before && !before.isFile() && !before.isDirectory()) return writeToPipe(path, text);
  const target = before ? realpathSync.native(path) : path;
  const unfinished = `${target}.${process.pid}.unfinished`;
  if (!before) mkdirSync(dirname(target), { recursive: true });
  const takeBack = () => rmSync(unfinished, { force: true });
  await wholly(takeBack, async () => {
    writeFileSync(unfinished, text);
    await signals();
    renameSync(unfinished, target);
  });
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Lets those be heard that came meanwhile. */
const signals = () => new Promise((resolve) => setImmediate(resolve));

/** What fails, or a signal ends, is taken back. Signals are heard where `write` awaits them; a shell sees which it was. */
async function wholly(takeBack: () => void, write: () => Promise<void>): Promise<void> {
  const off = () => {
    for (const signal of SIGNALS) process.off(signal, end);
  };
  const end = (signal: NodeJS.Signals) => {
    takeBack();
    off();
    process.kill(process.pid, signal);
  };
  for (const signal of SIGNALS) process.on(signal, end);
  try {
    await write();
    await signals();
  } catch (error) {
    takeBack();
    throw error;
  } finally {
    off();
  }
}

/** As with standard output, a reader that goes away (>(head)) is no fault. */
function writeToPipe(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error;
  }
}

/** Writes beside the folder, then renames. Throws ENOTEMPTY for a folder that is not to be replaced. */
export const replaceFolder: Io['writeFolder'] = async (path, files, replaces = () => false) => {
  const before = namesIn(path);
  if (before && before.length > 0 && !replaces(before)) {
    throw Object.assign(new Error(`${path} is not empty`), { code: 'ENOTEMPTY' });
  }
  const unfinished = `${path}.${process.pid}.unfinished`;
  const old = `${path}.${process.pid}.old`;
  const takeBack = () => {
    rmSync(unfinished, { recursive: true, force: true });
    if (existsSync(old) && !existsSync(path)) renameSync(old, path);
  };
  await wholly(takeBack, async () => {
    mkdirSync(unfinished);
    for (const [name, content] of files) {
      writeContent(join(unfinished, name), content);
      await signals();
    }
    if (before?.length === 0) rmdirSync(path);
    else if (before) renameSync(path, old);
    renameSync(unfinished, path);
    rmSync(old, { recursive: true, force: true });
  });
};

function writeContent(path: string, content: FileContent): void {
  const file = openSync(path, 'wx');
  try {
    for (const piece of piecesOf(content)) writeFileSync(file, piece);
  } finally {
    closeSync(file);
  }
}

/** What is in a folder; null where there is none. */
function namesIn(folder: string): string[] | null {
  try {
    return readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

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
