import { Option } from 'commander';
import { table } from '../analyze/table.js';
import type { TableDocument } from '../documents/table.js';
import { openModel } from '../frontends/open.js';
import { kernelByName } from '../kernels/registry.js';
import { constantsCsv, constantsText } from '../report/constants.js';
import { constantsC } from '../report/inC/constantsC.js';
import type { Format, Formats } from '../report/reporter.js';
import type { CliCommand } from './command.js';
import { documentCommand, type Given } from './documentCommand.js';
import { cpuOf } from './open.js';
import { formatsOf, type OutputOptions, writeDocument } from './output.js';

const FORMATS = ['c', 'csv', 'json', 'table'] as const;

interface Options extends OutputOptions {
  readonly kernel?: string;
  readonly format: (typeof FORMATS)[number];
}

const formats: Formats<TableDocument> = new Map<string, Format<TableDocument>>([
  ...formatsOf(constantsText),
  ['csv', { load: async () => constantsCsv, forMachines: true }],
  ['c', { load: async () => constantsC, forMachines: true }],
]);

/** Multiplier, shift, bias, zero points and clamps per channel. */
export const tableCommand: CliCommand = {
  register(program, run) {
    const command = program
      .command('table <model>')
      .usage('MODEL [options]')
      .description('multiplier, shift, int32 bias, zero points and clamps per channel, from the model alone')
      .option('--kernel <name>', 'the kernel; default: what the model declares')
      .addOption(new Option('--format <format>', 'how it is written').choices(FORMATS).default('table'));
    documentCommand(command, run, tableAction);
  },
};

async function tableAction({ io, modelPath, options, open }: Given<Options>): Promise<number> {
  if (options.kernel) kernelByName(options.kernel);
  const document = await table(await open(openModel(io.fs, modelPath, cpuOf(options.kernel))), options.kernel);
  const reporter = options.reporter ?? [{ name: options.format, file: null }];
  await writeDocument<TableDocument>(io, document, formats, { ...options, reporter });
  return 0;
}
