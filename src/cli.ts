import { appendFileSync, fstatSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { nodeFileSystem, readAsset, replaceFile, replaceFolder } from './io.js';
import { main } from './main.js';
import type { Io, OutputStream } from './nouns/io.js';

/**
 * The process's side of the command: streams and exit code; everything else is in `main`. Ctrl-C is left to the system (a shell
 * sees 130): a handler would wait for the end of the work, which hardly ever returns to the event loop.
 */
export function run(process: NodeJS.Process): void {
  const failed = (code: string | undefined) => {
    io.stderr.write(
      `qdiff: standard output: expected room for all that is written, got ${code}; write to another place\n`,
    );
    process.exit(2);
  };
  const stdout = outputStream(1, () => process.stdout, failed);
  const stderr = outputStream(
    2,
    () => process.stderr,
    () => process.exit(2),
  );
  const io: Io = {
    fs: nodeFileSystem,
    writeFile: replaceFile,
    appendFile: async (path, text) => appendFileSync(path, text),
    writeFolder: replaceFolder,
    readAsset: (path) => readAsset(join(__dirname, '../..'), path),
    processes: async () => (await import('./processes.js')).processes,
    stdout,
    stderr,
    env: process.env,
    now: () => Number(process.hrtime.bigint()) / 1e6,
  };
  main(process.argv.slice(2), io).then((code) => {
    process.exitCode = code;
    // Node takes 3 to 5 ms to take itself apart, for nothing where all is written
    if (!stdout.isOpen() && !stderr.isOpen()) process.exit();
  });
}

/** process.stdout takes 3 ms to open: terminals need it, files and pipes are written to as they are. */
function outputStream(
  descriptor: number,
  open: () => NodeJS.WriteStream,
  failed: (code: string | undefined) => void,
): OutputStream & { isOpen(): boolean } {
  let stream: NodeJS.WriteStream | null = null;
  const opened = () => {
    stream ??= open().on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') failed(error.code); // a closed pipe (| head) ends quietly
    });
    return stream;
  };
  const mayBeTerminal = mayBeATerminal(descriptor);
  return {
    isOpen: () => stream !== null,
    get isTTY() {
      return mayBeTerminal && opened().isTTY === true;
    },
    get columns() {
      return mayBeTerminal ? opened().columns : undefined;
    },
    write(text) {
      const rest = mayBeTerminal || stream ? text : writtenAtOnce(descriptor, text);
      if (rest.length > 0) opened().write(rest);
    },
  };
}

/** Terminals are devices; so is what takes all and keeps nothing, as other files do. */
function mayBeATerminal(descriptor: number): boolean {
  try {
    const stats = fstatSync(descriptor);
    return stats.isCharacterDevice() && stats.rdev !== statSync('/dev/null', { throwIfNoEntry: false })?.rdev;
  } catch {
    return true; // closed: the stream says how that ends
  }
}

/** Writes while the other side takes it; what is left for the stream to write. */
function writtenAtOnce(descriptor: number, text: string): Uint8Array {
  let rest: Uint8Array = Buffer.from(text);
  try {
    while (rest.length > 0) rest = rest.subarray(writeSync(descriptor, rest));
  } catch {} // a pipe that is full or closed
  return rest;
}
