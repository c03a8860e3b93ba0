import { readFile } from 'node:fs/promises';
import { nodeFileSystem, replaceFolder } from '../../src/io.js';
import { main } from '../../src/main.js';
import type { Io } from '../../src/nouns/io.js';
import type { Processes } from '../../src/nouns/processes.js';
import { memoryFiles } from './memoryFiles.js';

export interface CliRun {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  /** Absent: no program can be started. */
  readonly processes?: Processes;
  readonly env?: Record<string, string | undefined>;
  /** Columns of a terminal on both streams; absent: pipes. */
  readonly terminal?: number;
}

/** The command in-process: reads the repository's files, writes into `files`, and reads those first. */
export function cli(files: Map<string, string> = new Map(), assets: Readonly<Record<string, string>> = {}) {
  return async (argv: readonly string[], { env = {}, terminal, processes }: CliOptions = {}): Promise<CliRun> => {
    const written = { stdout: '', stderr: '' };
    const stream = (name: keyof typeof written) => ({
      isTTY: terminal !== undefined,
      columns: terminal,
      write: (text: string) => {
        written[name] += text;
      },
    });
    const own = () => memoryFiles(Object.fromEntries(files));
    const io: Io = {
      fs: {
        open: (path) => (files.has(path) ? own() : nodeFileSystem).open(path),
        realPath: (path) => (files.has(path) ? own() : nodeFileSystem).realPath(path),
        isDirectory: (path) => (files.has(path) ? own() : nodeFileSystem).isDirectory(path),
        isFile: (path) => (files.has(path) ? own() : nodeFileSystem).isFile(path),
        list: nodeFileSystem.list,
      },
      writeFile: async (path, text) => {
        if (path.startsWith('locked/')) throw Object.assign(new Error('no permission'), { code: 'EACCES' });
        files.set(path, text);
      },
      appendFile: async (path, text) => void files.set(path, (files.get(path) ?? '') + text),
      writeFolder: replaceFolder,
      readAsset: async (path) => assets[path] ?? readFile(path, 'utf8'),
      processes: async () => processes ?? Promise.reject(new Error('no program is started')),
      stdout: stream('stdout'),
      stderr: stream('stderr'),
      env,
      now: () => 0,
    };
    const exitCode = await main(argv, io);
    return { exitCode, ...written };
  };
}
