import type { CliCommand } from './command.js';
import { compareCommand } from './compare.js';

/** A command's name, and its file; but for the main one's, loaded where it is named. */
interface CommandRow {
  readonly name: string;
  load(): Promise<CliCommand>;
}

/** The commands, in the order of the help. */
export const commands: readonly CommandRow[] = [
  { name: 'diff', load: async () => compareCommand },
  { name: 'run', load: async () => (await import('./run.js')).runCommand },
  { name: 'explain', load: async () => (await import('./explain.js')).explainCommand },
  { name: 'lint', load: async () => (await import('./lint.js')).lintCommand },
  { name: 'forecast', load: async () => (await import('./forecast.js')).forecastCommand },
  { name: 'golden', load: async () => (await import('./golden.js')).goldenCommand },
  { name: 'table', load: async () => (await import('./table.js')).tableCommand },
  { name: 'inspect', load: async () => (await import('./inspect.js')).inspectCommand },
  { name: 'kernels', load: async () => (await import('./kernels.js')).kernelsCommand },
  { name: 'merge', load: async () => (await import('./merge.js')).mergeCommand },
  { name: 'diff-reports', load: async () => (await import('./diffReports.js')).diffReportsCommand },
  { name: 'exporter', load: async () => (await import('./exporter.js')).exporterCommand },
];

/** Runs where no command is named. */
export const MAIN_COMMAND = 'diff';
