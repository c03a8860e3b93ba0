import { readFile } from 'node:fs/promises';
import { nodeFileSystem, replaceFile, replaceFolder } from '../../src/io.js';
import { main } from '../../src/main.js';
import type { Io } from '../../src/nouns/io.js';
import type { Report } from '../../src/nouns/report.js';
import { processes } from '../../src/processes.js';

export interface Said {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command in-process, on real files. */
export async function qdiff(...args: string[]): Promise<Said> {
  const written = { stdout: '', stderr: '' };
  const stream = (name: keyof typeof written) => ({
    isTTY: false,
    columns: undefined,
    write: (text: string) => {
      written[name] += text;
    },
  });
  const io: Io = {
    fs: nodeFileSystem,
    writeFile: replaceFile,
    appendFile: replaceFile,
    writeFolder: replaceFolder,
    readAsset: (path: string) => readFile(path, 'utf8'),
    processes: async () => processes,
    stdout: stream('stdout'),
    stderr: stream('stderr'),
    env: {},
    now: () => 0,
  };
  const code = await main(args, io);
  return { code, ...written };
}

/** What differs in a run on this CPU, whatever it is, must be saturation, all of it, or another of these causes. */
export function notExplained({ layers }: Report, ...others: readonly string[]): unknown[] {
  return layers
    .filter(({ status, diagnosis, mismatched }) => {
      if (status !== 'mismatch') return false;
      const { causes = [], explained = 0, lost = 0 } = diagnosis ?? {};
      return (
        !causes.some((cause) => ['int16-saturation', ...others].includes(cause)) ||
        explained !== mismatched ||
        lost !== 0
      );
    })
    .map(({ name, mismatched, diagnosis }) => ({ name, mismatched, diagnosis }));
}
