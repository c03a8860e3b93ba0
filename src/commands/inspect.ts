import { inspectArrays, inspectModel } from '../analyze/inspect.js';
import type { InspectDocument } from '../documents/inspect.js';
import { openArrays, openModel } from '../frontends/open.js';
import { openFile } from '../load/bytes.js';
import type { Io } from '../nouns/io.js';
import { inspectText } from '../report/inspect.js';
import type { CliCommand, CommandIo } from './command.js';
import { type Open, withOpened } from './open.js';
import { checkTargets, declareOutput, formatsOf, type OutputOptions, writeDocument } from './output.js';

/** What is in a file. */
export const inspectCommand: CliCommand = {
  register(program, run) {
    const command = program
      .command('inspect <file>')
      .usage('MODEL|NPZ [options]')
      .description(
        'what is in a model (layers, ranges, effective bias, multipliers; of an ONNX file its nodes) or an npz (arrays)',
      );
    declareOutput(command).action((path: string, options: OutputOptions) =>
      run((io) => withOpened((open) => inspectAction(io, path, options, open))),
    );
  },
};

async function inspectAction(io: CommandIo, path: string, options: OutputOptions, open: Open): Promise<number> {
  checkTargets(options.reporter);
  const document = (await holdsArrays(io, path))
    ? await inspectArrays(await open(openArrays(io.fs, path)))
    : await inspectModel(await open(openModel(io.fs, path)));
  await writeDocument<InspectDocument>(io, document, formatsOf(inspectText), options);
  return 0;
}

/** A folder, or a file that begins as zip files do; the name says nothing. */
async function holdsArrays(io: Io, path: string): Promise<boolean> {
  if (await io.fs.isDirectory(path).catch(() => false)) return true;
  const file = await openFile(io.fs, path);
  try {
    const start = new Uint8Array(2);
    await file.read(start, 0);
    return start[0] === 0x50 && start[1] === 0x4b;
  } finally {
    await file.close();
  }
}
