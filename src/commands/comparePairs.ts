/** Model and capture, pair after pair: files are opened, compared and closed, then the reports are written. */
import { createHash } from 'node:crypto';
import type { DetailsInput } from '../analyze/explain/details.js';
import { acceleratorFor } from '../compare/accelerator.js';
import { assemble } from '../compare/assemble.js';
import { comparePart } from '../compare/compare.js';
import { refuseNothing } from '../compare/coverage.js';
import type { CompareOptions, SampleSpan } from '../compare/options.js';
import type { PageLayerDetails } from '../documents/blob.js';
import { bringsModel, readOtherwise } from '../frontends/open.js';
import { declaredKernel } from '../kernels/named.js';
import { collecting } from '../load/refuse.js';
import type { Capture } from '../nouns/capture.js';
import type { Io } from '../nouns/io.js';
import type { Model } from '../nouns/model.js';
import type { Shard } from '../nouns/part.js';
import { InputError, type Problem } from '../nouns/problem.js';
import { channelsWorstFirst } from '../report/arrange.js';
import { reporters } from '../report/registry.js';
import type { Run } from '../report/reporter.js';
import { printable } from '../text.js';
import type { BaselineRun, Gate } from './baseline.js';
import type { CommandIo } from './command.js';
import { checkOptions, hasCandidate, type Options } from './compareOptions.js';
import type { ConfiguredPair } from './config.js';
import { type Open, openCandidateOf, openPair, withOpened } from './open.js';
import { repeatedWords, selectLayers, shardOf, tolerances } from './options.js';
import { checkTargets, writeReports } from './output.js';
import { progressOn } from './progress.js';

/** Compares, writes the reports, and returns the exit code. Throws InputError with every problem. */
export async function comparePairs(io: CommandIo, pairs: readonly Pair[]): Promise<number> {
  for (const pair of pairs) checkOptions(pair.options);
  checkTargets(pairs[0].options.reporter, pairs.flatMap(inputsOf), io.stdout.isTTY);
  const shard = shardOf(pairs[0].options.shard ?? { index: 1, count: 1 }, io.env);
  const started = io.now();
  const judged = await compareAll(io, pairs, shard);
  const [{ run, accelerator }] = judged;
  const { report } = run;
  const settings = [
    ['kernel', report.kernel],
    ['mode', report.mode],
    ['samples', String(report.samples)],
    ...(accelerator === null ? [] : [['accelerator', accelerator] as const]),
    ['seconds', ((io.now() - started) / 1000).toFixed(2)],
  ] as const;
  const runs = judged.map(({ run }) => run);
  await writeReports(io, runs, pairs[0].options, runs.length === 1 ? settings : undefined);
  return runs.every((run) => run.report.verdict === 'match') ? 0 : 1;
}

export interface Pair extends ConfiguredPair<Options> {
  readonly ran?: RanFiles;
}

/** Of files that this process has made by running a model, and does not keep. */
interface RanFiles {
  /** They are open: nobody needs their names any more. */
  opened(): void;
  /** What the user calls them. */
  readonly model: string;
  readonly capture: string;
  /** The command that keeps them. */
  readonly again: readonly string[];
}

function inputsOf({ model, capture, options }: Pair): string[] {
  return [model, capture, options.candidate, options.candidateModel, options.baseline].filter(
    (path) => path !== undefined,
  );
}

/** What shards of one run have in common, option by option. */
function settingsOf(options: Options, samples: SampleSpan | undefined): Record<string, string> {
  const { candidate, candidateModel, kernel, against, map, layer, tolLsb, tolUlp, maxMismatched, baseline, diagnose } =
    options;
  const settings = {
    candidate,
    candidateModel,
    kernel,
    against,
    map,
    samples,
    layer,
    tolLsb,
    tolUlp,
    maxMismatched,
    baseline,
    diagnose,
  };
  const given = Object.entries(settings).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given.map(([name, value]) => [name, JSON.stringify(value)]));
}

/** Of the declared model and the shapes of what was captured: tells shards of other files. */
function digestOf(model: Model, files: readonly Capture[]): string {
  const hash = createHash('sha256');
  const plain = (_: string, value: unknown) => (ArrayBuffer.isView(value) ? Array.from(value as Int32Array) : value);
  hash.update(JSON.stringify([model.producer, model.inputs, model.layers], plain));
  for (const { samples, values, batchSizes } of files) {
    const shapes = [...values].map(([name, value]) => [name, value.samples, value.features, value.dtype]);
    hash.update(JSON.stringify([samples, batchSizes, shapes]));
  }
  return hash.digest('hex');
}

/** Every pair in turn. Problems of one do not keep the others' from being told; baselines are written if there are none. */
async function compareAll(io: Io, pairs: readonly Pair[], shard: Shard): Promise<Judged[]> {
  const problems: Problem[] = [];
  const compared: Judged[] = [];
  for (const pair of pairs) {
    const own: Problem[] = [];
    const judged = await collecting(own, () => withOpened((open) => comparePair(io, pair, shard, open)));
    if (judged) compared.push(judged);
    const of = pairs.length > 1 ? `${printable(pair.name)}: ` : '';
    for (const problem of own) problems.push({ ...problem, where: of + problem.where });
  }
  if (problems.length > 0) throw new InputError(problems);
  for (const { gate, run } of compared) await gate?.update(run.report);
  return compared;
}

interface Judged {
  readonly run: Run;
  readonly gate: Gate | null;
  /** What multiplied; null: the readable steps alone. */
  readonly accelerator: string | null;
}

async function comparePair(io: Io, pair: Pair, shard: Shard, open: Open): Promise<Judged> {
  const { options } = pair;
  const { against } = options;
  const { model, capture } = await openFiles(io, pair, open);
  const samples = options.samples?.(capture.samples);
  const { candidate, candidateModel } = await openJudged(io, options, { model, capture, samples }, open);
  const gate = await openGate(io, options, {
    kernel: options.kernel ?? declaredKernel(model.producer).name,
    mode: options.mode,
    layers: model.layers.map((layer) => layer.name),
  });
  const progress = progressOn(io);
  const settings: CompareOptions = {
    mode: options.mode,
    kernel: options.kernel,
    selects: selectLayers(model, options.layer ?? []),
    samples,
    tolerance: tolerances(model, options),
    candidate,
    candidateModel,
    against,
    diagnose: options.diagnose,
    requireReplayed: options.requireReplayed,
    failFast: options.failFast,
    threads: options.threads,
    accelerator: options.accelerator,
    shard,
    accepts: gate?.accepts,
    onProgress: progress.show,
  };
  try {
    const part = await comparePart(model, capture, settings);
    const report = assemble([part]);
    if (shard.count === 1) refuseNothing(report);
    const judged = gate?.judge(report) ?? report;
    const { from, to } = samples ?? { from: 0, to: capture.samples };
    const needed = new Set(options.reporter?.flatMap(({ name }) => reporters.get(name)!.needs ?? []));
    const details = needed.has('details')
      ? await detailsFor({ model, capture, candidate, report: judged, from, to, settings: options })
      : [];
    const files = candidate ? [capture, candidate] : [capture];
    const found = {
      inputs: needed.has('digest') ? digestOf(model, files) : '',
      settings: settingsOf(options, samples),
      part,
      baseline: judged.baseline
        ? { report: judged.baseline, warnings: judged.warnings.slice(report.warnings.length) }
        : null,
      details,
    };
    const accelerator = (await acceleratorFor(model, capture, settings))?.describe() ?? null;
    const repeated = repeatedWords({ ...options, samples });
    const shown = { name: pair.name, report: judged, repeated, again: pair.ran?.again };
    return { run: { ...shown, shard: { of: shard, found }, details }, gate, accelerator };
  } finally {
    progress.clear();
  }
}

/** What is judged in the replay's place, if anything: the user's values, or another model's. */
async function openJudged(
  io: Io,
  { candidate: path, candidateModel: named, map, against }: Options,
  {
    model,
    capture,
    samples,
  }: { readonly model: Model; readonly capture: Capture; readonly samples?: SampleSpan | undefined },
  open: Open,
): Promise<Pick<CompareOptions, 'candidate' | 'candidateModel'>> {
  const own = path === undefined ? undefined : await modelOf(io, path, { model, capture, map, against });
  const candidateModel = named ?? own;
  if (candidateModel !== undefined) {
    const { openCandidateModel } = await import('./candidateModel.js');
    const beside = await openCandidateModel(io, { path: candidateModel, values: path, map }, { model, capture }, open);
    return { candidate: beside.candidate, candidateModel: beside };
  }
  if (path === undefined) return {};
  return { candidate: await openCandidateOf(io, path, { model, capture }, open, { map, against, samples }) };
}

/** The file whose layers a candidate has: one that it brings, or the model's own, which its session read otherwise. */
async function modelOf(
  { fs }: Io,
  path: string,
  {
    model,
    capture,
    map,
    against,
  }: Pick<Options, 'map' | 'against'> & { readonly model: Model; readonly capture: Capture },
): Promise<string | undefined> {
  if (await bringsModel(fs, path)) return path;
  const isCapture = map === undefined && against !== 'replay';
  return isCapture && (await readOtherwise(fs, path, { model, capture })) ? model.path : undefined;
}

/** Files that are not kept are called by the names of what they were made from. */
async function openFiles(io: Io, { model: modelPath, capture: capturePath, options, ran }: Pair, open: Open) {
  const use = !hasCandidate(options) ? 'replay' : options.against === 'replay' ? 'inputs' : 'values';
  const opened = await openPair(io, modelPath, capturePath, open, use, options.kernel);
  if (!ran) return opened;
  ran.opened();
  return { model: calledBy(ran.model, opened.model), capture: calledBy(ran.capture, opened.capture) };
}

function calledBy<T extends Model | Capture>(name: string, file: T): T {
  const whereOf = (where: string) => (where.startsWith(file.path) ? name + where.slice(file.path.length) : where);
  const warnings = file.warnings.map((warning) => ({ ...warning, where: whereOf(warning.where) }));
  return { ...file, path: name, warnings };
}

/** Single values, for pages. */
async function detailsFor(input: Omit<DetailsInput, 'worstFirst'>): Promise<PageLayerDetails[]> {
  const { detailsOf } = await import('../analyze/explain/details.js');
  const { pageLayerDetails } = await import('../report/pageDetails.js');
  return (await detailsOf({ ...input, worstFirst: channelsWorstFirst })).map(pageLayerDetails);
}

/** The baseline that a run is judged by. */
async function openGate(io: Io, options: Options, run: BaselineRun): Promise<Gate | null> {
  if (options.baseline === undefined) return null;
  const { openGate } = await import('./baseline.js');
  return openGate(io, options, run);
}
