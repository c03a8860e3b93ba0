import { type Command, Option } from 'commander';
import { explain, reproScript, under, type ValueToExplain } from '../analyze/explain/explain.js';
import { explainPointwise } from '../analyze/explain/explainPointwise.js';
import { explainValues } from '../analyze/explain/explainValues.js';
import { inputsOnly } from '../analyze/explain/inputsOnly.js';
import { inFilesOrder, runOnOwn } from '../analyze/explain/ownRun.js';
import { explainedProduct, kernelsToExplain, type Place, pointwiseValue } from '../analyze/explain/place.js';
import { acceleratorFor } from '../compare/accelerator.js';
import { assemble } from '../compare/assemble.js';
import { comparePart } from '../compare/compare.js';
import type { AcceleratorChoice, SampleSpan } from '../compare/options.js';
import type { Evidence } from '../diagnose/finding/evidence.js';
import type { ExplainDocument } from '../documents/explain.js';
import { formOf, referenceFor } from '../kernels/reference.js';
import { kernelByName } from '../kernels/registry.js';
import type { Capture } from '../nouns/capture.js';
import type { Io } from '../nouns/io.js';
import { isElementwise, isProduct, type Layer, type Model } from '../nouns/model.js';
import type { DiagnosisReport, Report } from '../nouns/report.js';
import { isQuantized, type Shape } from '../nouns/value.js';
import { blocks } from '../replay/blocks.js';
import { asChosen } from '../replay/chosen.js';
import { type LayerRun, ReplaySession } from '../replay/session.js';
import { arranged, worstFirst } from '../report/arrange.js';
import { explainText } from '../report/explain.js';
import { againstOf } from '../report/words/next.js';
import { ownCauses } from '../report/words/verdict.js';
import { npzBytes } from '../save/npz.js';
import { channelsOf, featureAt, positionAt, positionsOf, sizeOf } from '../tensor/shape.js';
import { printable } from '../text.js';
import type { CliCommand } from './command.js';
import { documentCommand, type Given } from './documentCommand.js';
import { writeFolder } from './folder.js';
import { openCandidateOf, openPair, usage } from './open.js';
import {
  acceleratorOption,
  checkMap,
  collect,
  parseIndex,
  parseName,
  parsePosition,
  parseSamples,
  repeatedWords,
  type SampleRange,
  selectLayers,
} from './options.js';
import { formatsOf, type OutputOptions, writeDocument } from './output.js';

interface Options extends OutputOptions {
  readonly layer?: string;
  readonly channel?: number;
  readonly sample?: number;
  readonly samples?: SampleRange;
  readonly at?: readonly number[];
  readonly kernel?: string;
  readonly candidate?: string;
  readonly against: 'capture' | 'replay';
  readonly map?: (readonly [mine: string, layer: string])[];
  readonly repro?: string;
  readonly accelerator: AcceleratorChoice;
}

/** One value's arithmetic, step by step; what is not given is the worst. */
export const explainCommand: CliCommand = {
  register(program, run) {
    documentCommand(declare(program.command('explain <model> [capture]')), run, explainAction);
  },
};

function declare(command: Command): Command {
  return command
    .usage('MODEL CAPTURE [options]')
    .description("one value's arithmetic, step by step; what is not given is the worst")
    .option('--layer <name>', 'the layer')
    .option('--channel <n>', 'its output channel (0-based)', parseIndex)
    .option('--sample <n>', 'the sample (0-based)', parseIndex)
    .option(
      '--samples <n|a:b>',
      'where it is looked for: the first n samples, or a range; a candidate may have no others',
      parseSamples,
    )
    .option('--at <y,x>', 'its position, where a channel has more than one value', parsePosition)
    .option('--kernel <name>', 'the kernel in the first column; default: what the model declares')
    .option('--candidate <npz|dir>', 'your own implementation: its value stands beside the others')
    .addOption(
      new Option('--against <side>', 'the capture, or the replay: what the candidate differs from')
        .choices(['capture', 'replay'])
        .default('capture'),
    )
    .option('--map <mine=layer>', "names of the candidate's values (repeatable)", collect(parseName))
    .addOption(acceleratorOption())
    .option('--repro <dir>', 'write the smallest npz and script that show the value');
}

async function explainAction({ io, modelPath, capturePath, options, open }: Given<Options>): Promise<number> {
  if (options.kernel) kernelByName(options.kernel);
  checkMap(options.map, options.candidate !== undefined);
  const { model, capture: whole } = await openPair(
    io,
    modelPath,
    capturePath,
    open,
    'inputs',
    options.kernel,
    'explain',
  );
  const against = model.layers.some(({ name }) => whole.values.has(name)) ? options.against : 'replay';
  const capture = against === 'replay' ? inputsOnly(model, whole, referenceFor(model.producer, options.kernel)) : whole;
  const samples = options.samples?.(capture.samples);
  const candidate = options.candidate
    ? await openCandidateOf(io, options.candidate, { model, capture }, open, { map: options.map, samples, against })
    : undefined;
  const chosen = await chooseValue({ model, capture, candidate, samples, against }, options);
  const { candidateCauses, candidateOrder } = chosen;
  const document = {
    ...(await documentOf(io, chosen, options)),
    ...(candidateCauses && { candidate_causes: [...candidateCauses] }),
    ...(candidateOrder && { candidate_order: candidateOrder }),
  };
  const repeated = [...repeatedWords({ ...options, samples }), ...againstOf(options)];
  const files = { model: modelPath, capture: capturePath ?? null, candidate: options.candidate };
  const text = explainText({ ...files, repeated, isWritten: options.repro !== undefined });
  await writeDocument<ExplainDocument>(io, document, formatsOf(text), options);
  return 0;
}

async function documentOf(io: Io, chosen: Place, { repro }: Options): Promise<ExplainDocument> {
  const { layer } = chosen;
  if (!isProduct(layer)) {
    if (repro !== undefined)
      throw usage(`expected a linear layer to reproduce, got ${printable(layer.name)}`, '--repro');
    if (!isElementwise(layer)) return explainValues(chosen);
    const { run, sample } = chosen;
    return explainPointwise(await pointwiseValue(chosen, asChosen(layer, run.kernel, run.batches, sample)));
  }
  const value = await explainedProduct(chosen, layer);
  const document = explain(value);
  if (repro !== undefined) await writeRepro(io, repro, value);
  return document;
}

/** What is looked through. */
interface Files {
  readonly model: Model;
  readonly capture: Capture;
  readonly candidate: Capture | undefined;
  readonly samples: SampleSpan | undefined;
  readonly against: 'capture' | 'replay';
}

async function chooseValue(files: Files, options: Options): Promise<Place> {
  const { model, capture, candidate, samples, against } = files;
  const layer = await chooseLayer(files, options);
  const { accelerator } = options;
  const only = (other: Layer) => other === layer;
  const judging = { candidate, against, samples, kernel: options.kernel, accelerator, selects: only };
  const report = assemble([await comparePart(model, capture, judging)]);
  const reference = referenceFor(model.producer, options.kernel);
  const fast = await acceleratorFor(model, capture, { accelerator });
  const session = new ReplaySession(model, capture, reference, 'isolated', fast);
  const judgedBy = report.layers[0].kernel;
  if (judgedBy !== null) session.readAs(layer, formOf(kernelByName(judgedBy), layer, model.producer));
  const reason = session.whyNotReplayed(layer);
  if (reason) throw usage(`expected a layer that is replayed, got ${printable(layer.name)}: ${reason}`, '--layer');
  const run = await session.open(layer);
  const { output: shape } = run.ready.shapes;
  const channels = channelsOf(shape);
  const [judged] = report.candidate_layers ?? report.layers;
  const channel = options.channel ?? worstFirst(judged.channels ?? []).at(0)?.channel ?? 0;
  if (channel >= channels) {
    throw usage(`expected a channel of ${printable(layer.name)} (0..${channels - 1}), got ${channel}`, '--channel');
  }
  const fixed = options.at === undefined ? undefined : positionOf(layer, shape, options.at);
  const { from, to } = samples ?? { from: 0, to: capture.samples };
  const range = options.sample === undefined ? [from, to] : [options.sample, options.sample + 1];
  if (range[0] < from || range[1] > to) {
    const of = samples ? '--samples' : 'the capture';
    throw usage(`expected a sample of ${of} (${from}..${to - 1}), got ${options.sample}`, '--sample');
  }
  const { diagnosis } = judged;
  const inOrder = candidate ? inFilesOrder(candidate, run, diagnosis) : null;
  const own = inOrder ?? candidate;
  const { sample, position } = await worstPlace({ run, capture, candidate: own, channel, range, position: fixed });
  const ownRun = candidate ? await runOnOwn({ model, capture, candidate }, run, session, diagnosis) : null;
  return {
    layer,
    run,
    ownRun,
    sample,
    channel,
    position,
    capture,
    candidate: own,
    ...(inOrder && { candidateOrder: orderIn(diagnosis!) }),
    kernels: kernelsToExplain(run.kernel, report.layers[0].diagnosis, layer, model.producer),
    causes: report.layers[0].diagnosis?.causes ?? [],
    candidateCauses: candidate && diagnosis ? ownCauses(judged) : undefined,
  };
}

function orderIn({ evidence }: DiagnosisReport): string | undefined {
  return (evidence as Evidence)['output-order']?.order;
}

/** The layer that is named; else the one that differs most; else the first linear one that is captured. */
async function chooseLayer(
  { model, capture, candidate, samples, against }: Files,
  { layer: name, kernel, accelerator }: Options,
): Promise<Layer> {
  if (name !== undefined) return model.layers.find(selectLayers(model, [name]))!;
  const looking = { candidate, against, samples, kernel, accelerator, diagnose: false };
  const report = assemble([await comparePart(model, capture, looking)]);
  const worst = worstLayer(report);
  const { values } = against === 'replay' && candidate ? candidate : capture;
  const captured = model.layers.filter((layer) => values.has(layer.name) && layer.form !== null);
  const chosen = captured.find((layer) => layer.name === worst) ?? captured.find(isProduct) ?? captured.at(0);
  if (chosen) return chosen;
  throw usage('expected a layer that is replayed and captured, got none; name one with --layer', '--layer');
}

function worstLayer(report: Report): string | undefined {
  const { layers, candidate_layers: ofCandidate } = arranged(report, { sort: 'worst' });
  return (ofCandidate ?? layers).find(({ status }) => status === 'mismatch')?.name;
}

function positionOf({ name }: Layer, shape: Shape, at: readonly number[]): number {
  const position = positionAt(shape, at);
  if (position !== null) return position;
  const dims = shape.dims.filter((_, axis) => axis !== shape.channelAxis);
  const last = dims.map((dim) => dim - 1).join(',');
  const expected =
    dims.length === 0
      ? `no position, as a channel of ${printable(name)} has one value a sample`
      : `a position of ${printable(name)} (0${',0'.repeat(dims.length - 1)} to ${last})`;
  throw usage(`expected ${expected}, got ${at.join(',')}`, '--at');
}

interface Search {
  readonly run: LayerRun;
  readonly capture: Capture;
  readonly candidate: Capture | undefined;
  readonly channel: number;
  /** Samples [from, to). */
  readonly range: readonly number[];
  /** Where it is given. */
  readonly position: number | undefined;
}

/** Where this channel differs most from what is captured, or the candidate from the replay; the first place where it does not. */
async function worstPlace(search: Search): Promise<{ sample: number; position: number }> {
  const { run, capture, candidate } = search;
  const { name } = run.ready.layer;
  const [first, last] = search.range;
  let worst = { sample: first, position: search.position ?? 0, difference: 0 };
  const expected = capture.values.get(name);
  const own = candidate?.values.get(name);
  if (!expected && !own) return worst;
  const replayed = async (from: number, to: number) => (await run.replay(from, to)).data;
  for (const [from, to] of blocks(first, last, run.input.features + (expected ?? own)!.features)) {
    const wanted = expected ? await expected.read(from, to) : await replayed(from, to);
    const actual = own ? await own.read(from, to) : await replayed(from, to);
    for (const { index, ...place } of placesOf(search, from, to)) {
      const difference = Math.abs(actual[index] - wanted[index]);
      if (difference > worst.difference) worst = { ...place, difference };
    }
  }
  return worst;
}

/** The channel's values in a block of samples. */
function* placesOf({ run, channel, position: fixed }: Search, from: number, to: number) {
  const { output: shape } = run.ready.shapes;
  const positions = fixed === undefined ? Array.from({ length: positionsOf(shape) }, (_, i) => i) : [fixed];
  const features = positions.map((position) => featureAt(shape, { channel, position }));
  const size = sizeOf(shape.dims);
  for (let sample = from; sample < to; sample++) {
    for (const [i, position] of positions.entries())
      yield { sample, position, index: (sample - from) * size + features[i] };
  }
}

/** `qdiff repro.npz` shows the value, and `python3 repro.py` prints it. */
async function writeRepro(io: Io, folder: string, value: ValueToExplain): Promise<void> {
  const { product, x, captured } = under(value, value.kernels.at(-1)!);
  const { input, output, weight, bias, weightScale, weightZeroPoint, inFeatures } = product;
  const codes = (dtype: string, data: ArrayLike<number>) => (dtype === 'int8' ? Int8Array : Uint8Array).from(data);
  const quantized = isQuantized(output) ? output : null;
  const scalar = (number: number) => ({ shape: [1], data: Float64Array.of(number) });
  const whole = (number: number) => ({ shape: [1], data: Int32Array.of(number) });
  const arrays = new Map([
    ['x_int8', { shape: [1, inFeatures], data: codes(input.dtype, x.data) }],
    ['s_x', scalar(input.scale)],
    ['zp_x', whole(input.zeroPoint)],
    ['w_int8', { shape: [1, inFeatures], data: codes(product.weightDtype ?? 'int8', weight) }],
    ['s_w', { shape: [1], data: weightScale.subarray(0, 1) }],
    ['zp_w', { shape: [1], data: weightZeroPoint }],
    ...(bias ? ([['bias_fp32', { shape: [1], data: bias }]] as const) : []),
    ...(quantized
      ? ([
          ['s_y', scalar(quantized.scale)],
          ['zp_y', whole(quantized.zeroPoint)],
          ...(captured === null
            ? []
            : ([['y_int8', { shape: [1, 1], data: codes(quantized.dtype, [captured]) }]] as const)),
        ] as const)
      : []),
  ]);
  const files = new Map<string, string | Uint8Array>([
    ['repro.npz', await npzBytes(arrays)],
    ['repro.py', reproScript(value)],
  ]);
  await writeFolder(io, '--repro', folder, files);
}
