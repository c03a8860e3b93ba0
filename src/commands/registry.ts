import type { CliCommand } from './command.js';
import { compareCommand } from './compare.js';
import { diffReportsCommand } from './diffReports.js';
import { explainCommand } from './explain.js';
import { exporterCommand } from './exporter.js';
import { forecastCommand } from './forecast.js';
import { goldenCommand } from './golden.js';
import { inspectCommand } from './inspect.js';
import { kernelsCommand } from './kernels.js';
import { lintCommand } from './lint.js';
import { mergeCommand } from './merge.js';

/** The commands, in the order of the help. */
export const commands: readonly CliCommand[] = [
  compareCommand,
  explainCommand,
  lintCommand,
  forecastCommand,
  goldenCommand,
  inspectCommand,
  kernelsCommand,
  mergeCommand,
  diffReportsCommand,
  exporterCommand,
];
