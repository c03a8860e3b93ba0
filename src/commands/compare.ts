import { createHash } from 'node:crypto';
import { type Command, Option } from 'commander';
import type { DetailsInput } from '../analyze/explain/details.js';
import { acceleratorFor } from '../compare/accelerator.js';
import { assemble } from '../compare/assemble.js';
import { comparePart } from '../compare/compare.js';
import { refuseNothing } from '../compare/coverage.js';
import type { AcceleratorChoice, CompareOptions, SampleSpan } from '../compare/options.js';
import type { PageLayerDetails } from '../documents/blob.js';
import { bringsModel } from '../frontends/open.js';
import { declaredKernel } from '../kernels/named.js';
import { kernelByName, kernels } from '../kernels/registry.js';
import { collecting } from '../load/refuse.js';
import type { Capture } from '../nouns/capture.js';
import type { Io } from '../nouns/io.js';
import type { Model } from '../nouns/model.js';
import type { Shard } from '../nouns/part.js';
import { InputError, type Problem } from '../nouns/problem.js';
import type { Mode } from '../replay/session.js';
import { channelsWorstFirst } from '../report/arrange.js';
import { reporters } from '../report/registry.js';
import type { Run } from '../report/reporter.js';
import { printable } from '../text.js';
import type { BaselineOptions, BaselineRun, Gate } from './baseline.js';
import type { CliCommand, CommandIo } from './command.js';
import type { ConfiguredPair } from './config.js';
import { type Open, openCandidateOf, openPair, usage, withOpened } from './open.js';
import {
  acceleratorOption,
  checkMap,
  collect,
  type PerLayerNumber,
  parseName,
  parsePerLayer,
  parseSamples,
  parseShard,
  parseThreads,
  repeatedWords,
  type SampleRange,
  selectLayers,
  shardOf,
  tolerances,
} from './options.js';
import { checkTargets, declareReports, type ReporterTarget, writeReports } from './output.js';
import { progressOn } from './progress.js';

export interface Options extends BaselineOptions {
  readonly candidate?: string;
  readonly candidateModel?: string;
  readonly against: 'capture' | 'replay';
  readonly map?: (readonly [mine: string, layer: string])[];
  readonly kernel?: string;
  readonly mode: Mode;
  readonly layer?: string[];
  readonly samples?: SampleRange;
  readonly tolLsb?: PerLayerNumber[];
  readonly tolUlp?: PerLayerNumber[];
  readonly maxMismatched?: PerLayerNumber[];
  readonly requireReplayed?: boolean;
  readonly reporter?: ReporterTarget[];
  readonly channels?: number;
  readonly threads?: number;
  readonly accelerator: AcceleratorChoice;
  readonly shard?: Shard | 'auto';
  readonly diagnose: boolean;
  readonly failFast?: boolean;
  readonly sort: 'graph' | 'worst';
  readonly color: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
}

/** The main job: `qdiff MODEL CAPTURE`, `qdiff CAPTURE` for the hook dictionary. */
export const compareCommand: CliCommand = {
  register(program, run) {
    const command = program.command('diff [model] [capture]', { isDefault: true });
    command
      .usage('MODEL CAPTURE [options]')
      .description('compare a capture with the replay of its model (the main job; also `qdiff MODEL CAPTURE`)');
    declareComparison(command).action(
      (model: string | undefined, capture: string | undefined, options: Options, command: Command) =>
        run((io) => compareAction(io, model, capture, options, givenOf(options, command))),
    );
  },
};

/** The options of every comparison. */
export function declareComparison(command: Command): Command {
  command
    .option(
      '--candidate <npz|dir>',
      'your own implementation, npz or a file or folder of LAYER.npy, .csv, .memh, .bin: judged against the capture',
    )
    .option(
      '--candidate-model <file>',
      'the model file that the candidate comes from (the ONNX export of a PyTorch model ...): its layers are matched to those of MODEL',
    )
    .addOption(
      new Option('--against <side>', 'what a candidate is judged by: the capture, or the replay under --kernel')
        .choices(['capture', 'replay'])
        .default('capture'),
    )
    .option('--map <mine=layer>', "names of the candidate's values (repeatable)", collect(parseName))
    .option('--kernel <name>', 'the kernel to replay; list prints the names')
    .addOption(
      new Option('--mode <mode>', 'each layer on its captured input, or on the output of the replay')
        .choices(['isolated', 'propagated'])
        .default('isolated'),
    )
    .option('--layer <glob>', 'layers to compare; * matches any text (repeatable)', collect(String))
    .option(
      '--samples <n|a:b>',
      'samples to compare: the first n, or a range (0-based, half open); a candidate may have no others',
      parseSamples,
    )
    .option('--tol-lsb <n|layer=n>', 'steps a value may differ by (repeatable)', collect(parsePerLayer('integer')))
    .option('--tol-ulp <n|layer=n>', 'ULPs a float may differ by (repeatable)', collect(parsePerLayer('integer')))
    .option(
      '--max-mismatched <percent|layer=percent>',
      'share of values that may differ by more (repeatable)',
      collect(parsePerLayer('percent')),
    )
    .option('--require-replayed', 'fail if a layer is not replayed or not captured')
    .option('--baseline <file>', 'accept what this file records, not more')
    .option('--update-baseline', 'record what differs now')
    .option('--threads <n>', 'at most so many threads (default: one a core); the report is the same', parseThreads)
    .addOption(acceleratorOption())
    .option('--no-diagnose', 'compare only, do not search for causes')
    .option('--shard <i/n|auto>', "isolated mode: this process's share of the layers; merge joins them", parseShard)
    .option('--fail-fast', 'stop after the first layer that differs');
  return declareReports(command);
}

async function compareAction(
  io: CommandIo,
  model: string | undefined,
  capture: string | undefined,
  options: Options,
  given: Partial<Options>,
): Promise<number> {
  if (options.kernel === 'list') {
    io.stdout.write(kernels.map(({ name, runsOn }) => `${name.padEnd(22)} ${runsOn}\n`).join(''));
    return 0;
  }
  const pairs =
    model === undefined ? await pairsOfConfig(io, given) : [{ name: model, model, capture, options: { ...options } }];
  return comparePairs(io, pairs);
}

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

/** What the command line says, without its defaults: it wins over the file. */
function givenOf(options: Options, command: Command): Partial<Options> {
  const given = Object.entries(options).filter(([name]) => command.getOptionValueSource(name) === 'cli');
  return Object.fromEntries(given);
}

async function pairsOfConfig(io: Io, given: Partial<Options>): Promise<Pair[]> {
  const { CONFIG_FILE, configuredPairs } = await import('./config.js');
  const pairs = await configuredPairs<Options>(io, declareComparison);
  if (pairs) return pairs.map((pair) => ({ ...pair, options: { ...pair.options, ...given } }));
  throw usage(
    `expected MODEL and CAPTURE, got nothing, and there is no ${CONFIG_FILE}; e.g. qdiff model.json capture.npz`,
  );
}

export function checkOptions(options: Options): void {
  if (options.kernel) kernelByName(options.kernel);
  if (options.updateBaseline && options.baseline === undefined) {
    throw usage('expected --baseline FILE with it, got none; e.g. --baseline baseline.json', '--update-baseline');
  }
  checkMap(options.map, hasCandidate(options));
  if (options.against === 'replay' && !hasCandidate(options)) {
    throw usage('expected --candidate NPZ with it, which is judged by the replay, got none', '--against replay');
  }
  if (options.shard === undefined) return;
  if (options.mode === 'propagated') {
    throw usage('expected --mode isolated with it: propagated layers need those before them', '--shard');
  }
  if (options.updateBaseline) {
    throw usage('expected one process with --update-baseline, which records all layers', '--shard');
  }
}

/** A model of its own gives values without a file of them: its replay. */
function hasCandidate({ candidate, candidateModel }: Pick<Options, 'candidate' | 'candidateModel'>): boolean {
  return candidate !== undefined || candidateModel !== undefined;
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
  const candidateModel = named ?? (path !== undefined && (await bringsModel(io.fs, path)) ? path : undefined);
  if (candidateModel !== undefined) {
    const { openCandidateModel } = await import('./candidateModel.js');
    const beside = await openCandidateModel(io, { path: candidateModel, values: path, map }, { model, capture }, open);
    return { candidate: beside.candidate, candidateModel: beside };
  }
  if (path === undefined) return {};
  return { candidate: await openCandidateOf(io, path, { model, capture }, open, { map, against, samples }) };
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
