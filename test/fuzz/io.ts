/** Everything outside of main(argv, io), in memory. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { main } from '../../src/main.js';
import type { FileSystem } from '../../src/nouns/file.js';
import { type Io, piecesOf } from '../../src/nouns/io.js';
import type { Processes } from '../../src/nouns/processes.js';
import { memoryFiles } from '../support/memoryFiles.js';

export type Files = Map<string, Buffer>;

export interface Surroundings {
  readonly env?: Readonly<Record<string, string>>;
  /** Columns of a terminal; absent: pipes. */
  readonly terminal?: number;
}

export interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Files by path; of a folder each file. */
  readonly written: ReadonlyMap<string, string | Uint8Array>;
  /** Files that were opened and not closed. */
  readonly open: number;
}

/** Where dist/ lies. */
export const root = process.env.QDIFF_FUZZ_ROOT ?? join(import.meta.dirname ?? '', '../..');

/** As a file system answers to paths that no file can have. */
function strict(files: ReturnType<typeof memoryFiles>): FileSystem {
  const checked = <R>(call: (path: string) => Promise<R>) => {
    return async (path: string) => {
      const code = path.includes('\0')
        ? 'ERR_INVALID_ARG_VALUE'
        : Buffer.byteLength(path) > 4096
          ? 'ENAMETOOLONG'
          : null;
      if (code) throw Object.assign(new Error(code), { code });
      return call(path);
    };
  };
  return {
    open: checked(files.open),
    realPath: checked(files.realPath),
    isDirectory: checked(files.isDirectory),
    isFile: checked(files.isFile),
    list: checked(files.list),
  };
}

export function fileSystem(files: Files): FileSystem & { readonly openCount: () => number } {
  const memory = memoryFiles(Object.fromEntries(files));
  return { ...strict(memory), openCount: memory.openCount };
}

/** A defect of these tests' kind is seen as one: a name that no folder takes. */
function checkFileName(name: string): void {
  if (/[/\\\0]/.test(name) || ['', '.', '..'].includes(name) || Buffer.byteLength(name) > 255) {
    throw new Error(`a file of the name ${JSON.stringify(name.slice(0, 80))}`);
  }
}

/** A machine without Python. */
const noPrograms: Processes = {
  node: '',
  beside: () => null,
  run: async () => null,
  inScratch: (work) => work({ folder: 'scratch', remove: () => {} }),
  move: async () => {},
};

/** Runs the command in-process. */
export async function run(
  argv: readonly string[],
  files: Files,
  { env = {}, terminal }: Surroundings = {},
): Promise<Result> {
  const fs = fileSystem(files);
  const written = new Map<string, string | Uint8Array>();
  const streams = { stdout: '', stderr: '' };
  const stream = (name: keyof typeof streams) => ({
    isTTY: terminal !== undefined,
    columns: terminal,
    write: (text: string) => {
      streams[name] += text;
    },
  });
  const io: Io = {
    fs,
    writeFile: async (path, text) => void written.set(path, text),
    appendFile: async (path, text) => void written.set(path, `${written.get(path) ?? ''}${text}`),
    writeFolder: async (path, all) => {
      for (const [name, content] of all) {
        checkFileName(name);
        written.set(`${path}/${name}`, Buffer.concat(piecesOf(content).map((piece) => Buffer.from(piece))));
      }
    },
    readAsset: async (path) => readFileSync(join(root, path), 'utf8'),
    processes: async () => noPrograms,
    stdout: stream('stdout'),
    stderr: stream('stderr'),
    env,
    now: () => 0,
  };
  const code = await main(argv, io);
  return { code, ...streams, written, open: fs.openCount() };
}
