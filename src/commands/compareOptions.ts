/** What every comparison can be asked: `diff` and `run`. */
import { type Command, Option } from 'commander';
import type { AcceleratorChoice } from '../compare/options.js';
import { kernelByName } from '../kernels/registry.js';
import type { Shard } from '../nouns/part.js';
import type { Mode } from '../replay/session.js';
import type { BaselineOptions } from './baseline.js';
import { usage } from './open.js';
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
  type SampleRange,
} from './options.js';
import { declareReports, type ReporterTarget } from './output.js';

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

/** The options of every comparison. */
export function declareComparison(command: Command): Command {
  command
    .optionsGroup('Whose values:')
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
    .optionsGroup('What is replayed:')
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
    .optionsGroup('What is accepted:')
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
    .optionsGroup('How it runs:')
    .option('--threads <n>', 'at most so many threads (default: one a core); the report is the same', parseThreads)
    .addOption(acceleratorOption())
    .option('--no-diagnose', 'compare only, do not search for causes')
    .option('--shard <i/n|auto>', "isolated mode: this process's share of the layers; merge joins them", parseShard)
    .option('--fail-fast', 'stop after the first layer that differs');
  return declareReports(command.optionsGroup('What is told:'));
}

/** Throws InputError for options that do not go together. */
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
export function hasCandidate({ candidate, candidateModel }: Pick<Options, 'candidate' | 'candidateModel'>): boolean {
  return candidate !== undefined || candidateModel !== undefined;
}
