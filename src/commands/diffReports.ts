import { diffReports, type ReportsFile } from '../analyze/diffReports.js';
import { validateReports } from '../documents/report.js';
import { readJson } from '../load/json.js';
import { collecting } from '../load/refuse.js';
import type { Io } from '../nouns/io.js';
import { InputError, type Problem } from '../nouns/problem.js';
import { diffReportsText } from '../report/diffReports.js';
import type { CliCommand, CommandIo } from './command.js';
import { checkTargets, declareOutput, formatsOf, type OutputOptions, writeDocument } from './output.js';

/** What changed between two runs: exit code 1 where it got worse or changed. */
export const diffReportsCommand: CliCommand = {
  register(program, run) {
    const command = program
      .command('diff-reports <a.json> <b.json>')
      .usage('A.json B.json [options]')
      .description('what changed between two runs (JSON reports): versions of a model, an upgrade, two machines');
    declareOutput(command).action((before: string, after: string, options: OutputOptions) =>
      run((io) => diffReportsAction(io, before, after, options)),
    );
  },
};

async function diffReportsAction(
  io: CommandIo,
  before: string,
  after: string,
  options: OutputOptions,
): Promise<number> {
  checkTargets(options.reporter);
  const problems: Problem[] = [];
  const a = await collecting(problems, () => readReports(io, before));
  const b = await collecting(problems, () => readReports(io, after));
  if (!a || !b) throw new InputError(problems);
  const diff = diffReports(a, b);
  await writeDocument(io, diff, formatsOf(diffReportsText), options);
  return diff.verdict === 'worse' || diff.verdict === 'changed' ? 1 : 0;
}

/** One report, or those of several models. Throws InputError with every problem. */
async function readReports(io: Io, path: string): Promise<ReportsFile> {
  return { path, reports: validateReports(await readJson(io.fs, path), path) };
}
