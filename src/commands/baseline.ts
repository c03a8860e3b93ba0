import { acceptedBy, changesSince, emptyBaseline, recordBaseline } from '../compare/baseline.js';
import { type Baseline, validateBaseline } from '../documents/baseline.js';
import { readJson } from '../load/json.js';
import { refuse } from '../load/refuse.js';
import type { Io } from '../nouns/io.js';
import type { Warning } from '../nouns/problem.js';
import type { LayerReport, Report } from '../nouns/report.js';
import { jsonText } from '../report/json.js';
import { printable } from '../text.js';
import { exists } from './open.js';
import { writeOutput } from './output.js';

/** A channel a line: what changes is one line of a diff. */
const REVIEWED_LINE = 100;

export interface BaselineOptions {
  readonly baseline?: string;
  readonly updateBaseline?: boolean;
}

/** What a baseline must have been recorded with to say anything about this run. */
export interface BaselineRun {
  readonly kernel: string;
  readonly mode: Baseline['mode'];
  /** Every layer of the model, in order. */
  readonly layers: readonly string[];
}

/** A baseline while a run is judged by it. */
export interface Gate {
  accepts(layer: LayerReport): boolean;
  /** The report with what changed since. */
  judge(report: Report): Report;
  /** With --update-baseline: records what was found. */
  update(report: Report): Promise<void>;
}

/** Reads the baseline of these options; null without one. Throws InputError. */
export async function openGate(
  io: Io,
  { baseline: path, updateBaseline: update = false }: BaselineOptions,
  run: BaselineRun,
): Promise<Gate | null> {
  if (path === undefined) return null;
  const baseline = update && !(await exists(io, path)) ? emptyBaseline(run) : await readBaseline(io, path);
  const layers = new Set(run.layers);
  if (!update) checkComparable(baseline, run, path);
  return {
    accepts: update ? () => true : acceptedBy(baseline), // what is recorded now is accepted from now on
    update: async (report) => {
      if (update) await writeOutput(io, path, jsonText(recordBaseline(report, baseline, run.layers), REVIEWED_LINE));
    },
    judge: (report) => {
      const changes = changesSince(baseline, report);
      const warnings = update ? [] : baseline.layers.flatMap(({ name }) => (layers.has(name) ? [] : stray(name, path)));
      return {
        ...report,
        baseline: { file: path, updated: update, changes },
        warnings: [...report.warnings, ...warnings],
      };
    },
  };
}

async function readBaseline(io: Io, path: string): Promise<Baseline> {
  if (await exists(io, path)) return validateBaseline(await readJson(io.fs, path), path);
  throw refuse('baseline', printable(path), 'expected a baseline, found nothing; --update-baseline creates it');
}

/** Another kernel or mode gives other differences: neither better nor worse, but not comparable. */
function checkComparable({ kernel, mode }: Baseline, run: BaselineRun, path: string): void {
  if (kernel === run.kernel && mode === run.mode) return;
  const message = `expected a baseline of kernel ${run.kernel}, mode ${run.mode}, got one of kernel ${printable(kernel)}, mode ${mode}`;
  throw refuse('baseline', printable(path), `${message}; --update-baseline records it again`);
}

/** A renamed layer would pass as one that got better. */
function stray(layer: string, path: string): Warning {
  return { code: 'baseline-layer', where: layer, message: `recorded in ${path}, but not a layer of the model` };
}
