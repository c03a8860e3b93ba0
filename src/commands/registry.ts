import type { CliCommand } from './command.js';
import { compareCommand } from './compare.js';

/** A command's name, and its file; but for the main one's, loaded where it is named. */
export interface CommandRow {
  readonly name: string;
  load(): Promise<CliCommand>;
  /** Its arguments, for its help. */
  readonly example: string;
  /** What its exit codes 0 and 1 mean; of one alone, 0. */
  readonly ends: readonly [done: string, found?: string];
}

const JUDGED = ['every compared value is equal, or accepted', 'a layer differs'] as const;
const DONE = ['done'] as const;

/** The commands, in the order of the help. */
export const commands: readonly CommandRow[] = [
  {
    name: 'diff',
    load: async () => compareCommand,
    example: 'model.json capture.npz --candidate mine.npz',
    ends: JUDGED,
  },
  {
    name: 'run',
    load: async () => (await import('./run.js')).runCommand,
    example: 'model.onnx inputs.npz -o capture.npz',
    ends: JUDGED,
  },
  {
    name: 'explain',
    load: async () => (await import('./explain.js')).explainCommand,
    example: 'model.json capture.npz --layer fc1',
    ends: DONE,
  },
  {
    name: 'lint',
    load: async () => (await import('./lint.js')).lintCommand,
    example: 'model.json --max-severity warning',
    ends: ['no finding of that severity', 'a finding of --max-severity or above'],
  },
  {
    name: 'forecast',
    load: async () => (await import('./forecast.js')).forecastCommand,
    example: 'model.json inputs.npz --kernel qnnpack',
    ends: DONE,
  },
  {
    name: 'golden',
    load: async () => (await import('./golden.js')).goldenCommand,
    example: 'model.json inputs.npz --format memh -o golden',
    ends: DONE,
  },
  {
    name: 'table',
    load: async () => (await import('./table.js')).tableCommand,
    example: 'model.json --kernel tflm --format c > tables.h',
    ends: DONE,
  },
  {
    name: 'inspect',
    load: async () => (await import('./inspect.js')).inspectCommand,
    example: 'capture.npz',
    ends: DONE,
  },
  {
    name: 'kernels',
    load: async () => (await import('./kernels.js')).kernelsCommand,
    example: 'fbgemm qnnpack',
    ends: DONE,
  },
  {
    name: 'merge',
    load: async () => (await import('./merge.js')).mergeCommand,
    example: 'shards/ --reporter html=report.html',
    ends: JUDGED,
  },
  {
    name: 'diff-reports',
    load: async () => (await import('./diffReports.js')).diffReportsCommand,
    example: 'before.json after.json',
    ends: ['the same, or better', 'worse, or changed'],
  },
  {
    name: 'exporter',
    load: async () => (await import('./exporter.js')).exporterCommand,
    example: 'pytorch > qdiff_export.py',
    ends: DONE,
  },
];

/** Runs where no command is named. */
export const MAIN_COMMAND = 'diff';
