import { Option } from 'commander';
import { lint } from '../analyze/lint/lint.js';
import { type LintDocument, SEVERITIES, type Severity } from '../documents/lint.js';
import { isHookDictionary, openCapture, openHookDictionary, openModel, producerIn } from '../frontends/open.js';
import type { Io } from '../nouns/io.js';
import { lintText } from '../report/lint.js';
import type { CliCommand } from './command.js';
import { documentCommand, type Given } from './documentCommand.js';
import type { Open } from './open.js';
import { formatsOf, type OutputOptions, writeDocument } from './output.js';

interface Options extends OutputOptions {
  readonly maxSeverity: Severity;
}

/** Before anything runs: which channels can saturate where, what a runtime cannot take, what carries nothing. */
export const lintCommand: CliCommand = {
  register(program, run) {
    const command = program
      .command('lint <model> [capture]')
      .usage('MODEL [CAPTURE] [options]')
      .description('what can go wrong on which kernel, before anything runs; with a capture also what did')
      .addOption(
        new Option('--max-severity <severity>', 'fail on findings of this severity and above')
          .choices([...SEVERITIES].reverse())
          .default('error'),
      );
    documentCommand(command, run, lintAction);
  },
};

async function lintAction({ io, modelPath, capturePath, options, open }: Given<Options>): Promise<number> {
  const { model, capture } = await openInputs(io, modelPath, capturePath, open);
  const document = await lint(model, capture);
  const text = lintText({ model: modelPath, capture: capturePath ?? null });
  await writeDocument<LintDocument>(io, document, formatsOf(text), options);
  const limit = SEVERITIES.indexOf(options.maxSeverity);
  return document.findings.some(({ severity }) => SEVERITIES.indexOf(severity) >= limit) ? 1 : 0;
}

async function openInputs(io: Io, modelPath: string, capturePath: string | undefined, open: Open) {
  if (capturePath === undefined && (await isHookDictionary(io.fs, modelPath))) {
    return open(openHookDictionary(io.fs, modelPath));
  }
  const ranBy = capturePath === undefined ? {} : await producerIn(io.fs, capturePath);
  const model = await open(openModel(io.fs, modelPath, ranBy));
  return { model, capture: capturePath === undefined ? null : await open(openCapture(io.fs, capturePath, model)) };
}
