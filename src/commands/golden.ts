import { Option } from 'commander';
import { golden } from '../analyze/golden.js';
import { GOLDEN_FORMATS, type GoldenFormat, type GoldenManifest, isGoldenManifest } from '../documents/golden.js';
import { kernelByName } from '../kernels/registry.js';
import { readJson } from '../load/json.js';
import type { Io } from '../nouns/io.js';
import { goldenText } from '../report/golden.js';
import { goldenFiles, MOST_IN_TEXT, numbersBeyond } from '../save/golden.js';
import { printable } from '../text.js';
import type { CliCommand } from './command.js';
import { documentCommand, type Given } from './documentCommand.js';
import { writeFolder } from './folder.js';
import { openPair, usage } from './open.js';
import { formatsOf, type OutputOptions, writeDocument } from './output.js';

interface Options extends OutputOptions {
  readonly kernel?: string;
  readonly format: GoldenFormat;
  readonly out: string;
  readonly force?: boolean;
}

/** Golden vectors for RTL, firmware and other runtimes. */
export const goldenCommand: CliCommand = {
  register(program, run) {
    const command = program
      .command('golden <model> [capture]')
      .usage('MODEL INPUTS -o DIR [options]')
      .description(
        'golden vectors for RTL and firmware: what a kernel computes from the input; what a capture has beyond it is checked',
      )
      .option('--kernel <name>', 'the kernel; default: what the model declares')
      .addOption(new Option('--format <format>', 'how they are written').choices(GOLDEN_FORMATS).default('npz'))
      .requiredOption('-o, --out <dir>', 'the folder to make')
      .option('--force', 'replace a folder of golden vectors');
    documentCommand(command, run, goldenAction);
  },
};

async function goldenAction({ io, modelPath, capturePath, options, open }: Given<Options>): Promise<number> {
  if (options.kernel) kernelByName(options.kernel);
  const replaceable = await mayReplace(io, options);
  const { model, capture } = await openPair(io, modelPath, capturePath, open, 'inputs', options.kernel, 'golden');
  const set = await golden(model, capture, options.kernel);
  const beyond = numbersBeyond(set, options.format);
  if (beyond > 0) {
    const expected = `expected at most ${MOST_IN_TEXT} numbers in one file of text`;
    throw usage(`${expected}, got ${MOST_IN_TEXT + beyond}; npz and memh hold more`, '--format');
  }
  const { manifest, files } = await goldenFiles(set, options.format, {
    model: modelPath,
    capture: capturePath ?? modelPath,
  });
  await writeFolder(io, '-o', options.out, files, () => replaceable);
  await writeDocument<GoldenManifest>(io, manifest, formatsOf(goldenText(options.out)), options);
  return 0;
}

/** Checked before work starts. Even --force replaces no folder but one of golden vectors. */
async function mayReplace(io: Io, { out, force }: Options): Promise<boolean> {
  const names = await io.fs.list(out).catch((): string[] => []);
  if (names.length === 0) return true;
  const got = `got ${printable(out)}, which has files`;
  if (!force) throw usage(`expected a new folder, ${got}; name another, or give --force`, '-o');
  const manifest = names.includes('manifest.json') ? await readJson(io.fs, `${out}/manifest.json`) : null;
  if (isGoldenManifest(manifest)) return true;
  throw usage(
    `expected a folder of golden vectors to replace, ${got} and no manifest of golden vectors; name another`,
    '-o',
  );
}
