import { forecast } from '../analyze/forecast.js';
import { hasVectors } from '../analyze/golden.js';
import { frameworkOf } from '../diagnose/finding/frameworks.js';
import type { ForecastDocument } from '../documents/forecast.js';
import { forecastKernels, kernelByName } from '../kernels/registry.js';
import { openNpy } from '../load/npyFolder.js';
import type { Io } from '../nouns/io.js';
import { InputError } from '../nouns/problem.js';
import { forecastText } from '../report/forecast.js';
import { sizeOf } from '../tensor/shape.js';
import { printable } from '../text.js';
import type { CliCommand } from './command.js';
import { documentCommand, type Given } from './documentCommand.js';
import { openPair } from './open.js';
import { collect } from './options.js';
import { formatsOf, type OutputOptions, writeDocument } from './output.js';

interface Options extends OutputOptions {
  readonly kernel?: string[];
  readonly labels?: string;
}

/** The portability matrix: kernels x layers. */
export const forecastCommand: CliCommand = {
  register(program, run) {
    const command = program
      .command('forecast <model> [capture]')
      .usage('MODEL INPUTS [options]')
      .description('what every kernel would change: will another CPU, another runtime, agree? Needs inputs only')
      .option('--kernel <name>', 'only these kernels (repeatable)', collect(String))
      .option('--labels <npy>', 'the class of each sample: gives accuracy');
    documentCommand(command, run, forecastAction);
  },
};

async function forecastAction({ io, modelPath, capturePath, options, open }: Given<Options>): Promise<number> {
  const named = options.kernel?.map((name) => kernelByName(name));
  const { model, capture } = await openPair(io, modelPath, capturePath, open, 'inputs', undefined, 'forecast');
  const labels = options.labels === undefined ? undefined : await readLabels(io, options.labels, capture.samples);
  const document = await forecast(model, capture, { kernels: named ?? forecastKernels(model), labels });
  const framework = named ? null : frameworkOf(model.producer);
  const vectors = model.layers.some(hasVectors);
  const text = forecastText({ model: modelPath, capture: capturePath ?? null, framework, hasVectors: vectors });
  await writeDocument<ForecastDocument>(io, document, formatsOf(text), options);
  return 0;
}

async function readLabels(io: Io, path: string, samples: number): Promise<ArrayLike<number>> {
  const labels = await openNpy(io.fs, path);
  const count = sizeOf(labels.shape);
  if (/^u?int|^bool/.test(labels.dtype) && count === samples) return labels.read();
  const message = `expected ${samples} integers, a class for each sample, got ${labels.dtype} of ${count} values`;
  throw new InputError([{ kind: 'labels', where: printable(path), message }]);
}
