import { appendFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Io, nodeFileSystem, type OutputStream, replaceFile, replaceFolder } from './io.js';
import { main } from './main.js';

/** The process's side of the command: streams, signals and exit code; everything else is in `main`. */
export function run(process: NodeJS.Process): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error; // a closed pipe (| head) ends quietly
    });
  }
  process.once('SIGINT', () => process.exit(130));
  const io: Io = {
    fs: nodeFileSystem,
    writeFile: replaceFile,
    appendFile: (path, text) => appendFile(path, text),
    writeFolder: replaceFolder,
    readAsset: (path) => readFile(join(__dirname, '..', path), 'utf8'),
    stdout: outputStream(process.stdout),
    stderr: outputStream(process.stderr),
    env: process.env,
    now: () => performance.now(),
  };
  main(process.argv.slice(2), io).then((code) => {
    process.exitCode = code;
  });
}

function outputStream(stream: NodeJS.WriteStream): OutputStream {
  return {
    get isTTY() {
      return stream.isTTY === true;
    },
    get columns() {
      return stream.columns;
    },
    write: (text) => void stream.write(text),
  };
}
