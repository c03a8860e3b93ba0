import { inspectArrays, inspectModel } from '../analyze/inspect.js';
import type { InspectDocument } from '../documents/inspect.js';
import { openArrays, openModel } from '../frontends/open.js';
import { openFile } from '../load/bytes.js';
import type { Io } from '../nouns/io.js';
import { inspectText } from '../report/inspect.js';
import type { CliCommand } from './command.js';
import { documentCommand, type Given } from './documentCommand.js';
import { formatsOf, type OutputOptions, writeDocument } from './output.js';

/** What is in a file. */
export const inspectCommand: CliCommand = {
  register(program, run) {
    const command = program
      .command('inspect <file>')
      .usage('MODEL|NPZ [options]')
      .description(
        'what is in a model (layers, ranges, effective bias, multipliers; of an ONNX file its nodes) or an npz (arrays)',
      );
    documentCommand(command, run, inspectAction);
  },
};

async function inspectAction({ io, modelPath, options, open }: Given<OutputOptions>): Promise<number> {
  const document = (await holdsArrays(io, modelPath))
    ? await inspectArrays(await open(openArrays(io.fs, modelPath)))
    : await inspectModel(await open(openModel(io.fs, modelPath)));
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
