import { type Command, Option } from 'commander';
import { type CompareOptions, compare } from '../compare.js';
import type { Io } from '../io.js';
import { declaredKernel, kernelByName, kernels } from '../kernels/registry.js';
import { type Closable, isHookDictionary, openCandidate, openCapture, openHookDictionary, openModel } from '../open.js';
import type { Mode } from '../replay/session.js';
import { InputError, type Report } from '../types.js';
import { type BaselineOptions, checkBaselineOptions, openGate } from './baseline.js';
import type { CliCommand } from './command.js';
import {
  collect,
  type PerLayerNumber,
  parseChannels,
  parseName,
  parsePerLayer,
  parseSamples,
  type SampleRange,
  selectLayers,
  tolerances,
} from './options.js';
import { checkTargets, parseReporter, type ReporterTarget, writeReports } from './output.js';
import { progressOn } from './progress.js';

interface Options extends BaselineOptions {
  readonly candidate?: string;
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
  readonly diagnose: boolean;
  readonly failFast?: boolean;
  readonly sort: 'graph' | 'worst';
  readonly color: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
}

/** The main job: `qdiff MODEL CAPTURE`, `qdiff CAPTURE` for the hook dictionary. */
export const compareCommand: CliCommand = {
  name: 'diff',
  register(program, run) {
    declare(program.command('diff [model] [capture]', { isDefault: true })).action(
      (model: string | undefined, capture: string | undefined, options: Options) =>
        run((io) => compareAction(io, model, capture, options)),
    );
  },
};

function declare(command: Command): Command {
  return command
    .usage('MODEL CAPTURE [options]')
    .description('compare a capture with the replay of its model (the main job; also `qdiff MODEL CAPTURE`)')
    .option('--candidate <npz|dir>', 'your own implementation: judged against the capture')
    .option('--map <mine=layer>', "names of the candidate's values (repeatable)", collect(parseName))
    .option('--kernel <name>', 'the kernel to replay; list prints the names')
    .addOption(
      new Option('--mode <mode>', 'each layer on its captured input, or on the replay’s own output')
        .choices(['isolated', 'propagated'])
        .default('isolated'),
    )
    .option('--layer <glob>', 'layers to compare; * matches any text (repeatable)', collect(String))
    .option('--samples <n|a:b>', 'samples to compare: the first n, or a range (0-based, half open)', parseSamples)
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
    .option('--reporter <name[=file]>', 'table (default), json (repeatable)', collect(parseReporter))
    .option('--channels <n|all>', 'differing channels listed for a layer, worst first', parseChannels)
    .option('--no-diagnose', 'compare only, do not search for causes')
    .option('--fail-fast', 'stop after the first layer that differs')
    .addOption(new Option('--sort <order>', 'order of the layers').choices(['graph', 'worst']).default('graph'))
    .option('--no-color', 'no colour, also on a terminal')
    .option('-q, --quiet', 'verdict and problems only')
    .option('-v, --verbose', "every layer's channels, timings, resolved settings");
}

async function compareAction(
  io: Io,
  model: string | undefined,
  capture: string | undefined,
  options: Options,
): Promise<number> {
  if (options.kernel === 'list') {
    io.stdout.write(kernels.map(({ name, runsOn }) => `${name.padEnd(22)} ${runsOn}\n`).join(''));
    return 0;
  }
  if (options.kernel) kernelByName(options.kernel);
  if (!model) throw usage('expected MODEL and CAPTURE, got nothing; e.g. qdiff model.json capture.npz');
  checkTargets(options.reporter);
  checkBaselineOptions(options);
  const started = io.now();
  const report = await compareFiles(io, model, capture, options);
  await writeReports(io, [{ name: report.model, report }], options, [
    ['kernel', report.kernel],
    ['mode', report.mode],
    ['samples', String(report.samples)],
    ['seconds', ((io.now() - started) / 1000).toFixed(2)],
  ]);
  return report.verdict === 'match' ? 0 : 1;
}

async function compareFiles(
  io: Io,
  modelPath: string,
  capturePath: string | undefined,
  options: Options,
): Promise<Report> {
  const opened: Closable[] = [];
  const open = async <T extends Closable>(file: Promise<T>): Promise<T> => {
    opened.push(await file);
    return file;
  };
  try {
    return await compareOpened(io, modelPath, capturePath, options, open);
  } finally {
    await Promise.all(opened.map((file) => file.close()));
  }
}

type Open = <T extends Closable>(file: Promise<T>) => Promise<T>;

async function compareOpened(
  io: Io,
  modelPath: string,
  capturePath: string | undefined,
  options: Options,
  open: Open,
): Promise<Report> {
  const { model, capture } = await openPair(io, modelPath, capturePath, open);
  const candidate = options.candidate
    ? await open(openCandidate(io.fs, options.candidate, model, capture, new Map(options.map)))
    : undefined;
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
    samples: options.samples?.(capture.samples),
    tolerance: tolerances(model, options),
    candidate,
    diagnose: options.diagnose,
    requireReplayed: options.requireReplayed,
    failFast: options.failFast,
    accepts: gate?.accepts,
    onProgress: progress.show,
  };
  try {
    const report = await compare(model, capture, settings);
    return gate ? await gate.finish(report) : report;
  } finally {
    progress.clear();
  }
}

/** Model and capture, or the hook dictionary that is both. */
export async function openPair(io: Io, modelPath: string, capturePath: string | undefined, open: Open) {
  if (capturePath !== undefined) {
    const model = await open(openModel(io.fs, modelPath));
    return { model, capture: await open(openCapture(io.fs, capturePath, model)) };
  }
  if (await isHookDictionary(io.fs, modelPath)) return open(openHookDictionary(io.fs, modelPath));
  throw usage(`expected MODEL and CAPTURE, got only ${modelPath}; e.g. qdiff model.json capture.npz`);
}

function usage(message: string): InputError {
  return new InputError([{ kind: 'usage', where: 'arguments', message }]);
}
