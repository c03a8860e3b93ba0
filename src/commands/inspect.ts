import { basename } from 'node:path';
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
      .usage('MODEL|NPZ|NPY [options]')
      .description(
        'what is in a model (layers, ranges, effective bias, multipliers; of an ONNX file its nodes) or an npz or npy (arrays)',
      );
    documentCommand(command, run, inspectAction);
  },
};

async function inspectAction({ io, modelPath, options, open }: Given<OutputOptions>): Promise<number> {
  const document = await inspected({ io, modelPath, open });
  await writeDocument<InspectDocument>(io, document, formatsOf(inspectText), options);
  return 0;
}

/** A folder, or what a file begins as; the name says nothing. */
async function inspected({
  io,
  modelPath: path,
  open,
}: Pick<Given<OutputOptions>, 'io' | 'modelPath' | 'open'>): Promise<InspectDocument> {
  const start = (await io.fs.isDirectory(path).catch(() => false)) ? ZIP : await startOf(io, path);
  if (start.startsWith(ZIP)) return inspectArrays(await open(openArrays(io.fs, path)));
  if (start !== NPY) return inspectModel(await open(openModel(io.fs, path)));
  const array = await (await import('../load/npyFolder.js')).openNpy(io.fs, path, basename(path));
  return inspectArrays({ path, arrays: new Map([[array.key, array]]), close: async () => {} });
}

const [ZIP, NPY] = ['PK', '\x93NUMPY'];

async function startOf(io: Io, path: string): Promise<string> {
  const file = await openFile(io.fs, path);
  try {
    const start = Buffer.alloc(NPY.length);
    await file.read(start, 0);
    return start.toString('latin1');
  } finally {
    await file.close();
  }
}
