/** What is in a file: the arrays of an npz, or the layers of a model with what a kernel makes of their numbers. */

import type {
  InspectDocument,
  InspectedArray,
  InspectedChannel,
  InspectedLayer,
  InspectedParams,
  MinMax,
} from '../documents/inspect.js';
import { declaredKernel } from '../kernels/named.js';
import { weightScaleOf } from '../kernels/steps/scales.js';
import { NoNumbers } from '../load/noNumbers.js';
import type { ArrayFile, ArraySource } from '../nouns/array.js';
import type { Product } from '../nouns/kernel.js';
import { declaredParams, isProduct, type Layer, type Model, type ProductLayer } from '../nouns/model.js';
import { InputError, type Warning } from '../nouns/problem.js';
import { isQuantized, type QuantParams, type ValueParams } from '../nouns/value.js';
import { quantizeMultiplier } from '../numeric/fixedPoint.js';
import { roundHalfEven } from '../numeric/round.js';
import { weightZeroPointOf } from '../products/exactSums.js';
import { choosesParams } from '../replay/chosen.js';
import { productOf, whyUnknown } from '../replay/layer.js';
import { sizeOf } from '../tensor/shape.js';

/** Values of an array that are read for its range: the first ones, so that gigabytes take no longer. */
const MOST_VALUES = 1 << 22;
const MOST_VALUES_IN_ALL = 1 << 26;
const MOST_CHANNELS = 256;

/** Weights that are read for their ranges, in all: a large model is seen at once. */
const MOST_WEIGHTS = 1 << 23;

export async function inspectArrays(file: ArrayFile): Promise<InspectDocument> {
  let budget = MOST_VALUES_IN_ALL;
  const arrays: InspectedArray[] = [];
  const warnings: Warning[] = [];
  for (const source of file.arrays.values()) {
    if (source instanceof NoNumbers) {
      warnings.push(...asWarnings(source.error));
      continue;
    }
    const array = await inspectArray(source, Math.min(budget, MOST_VALUES), warnings);
    budget -= array.range_values;
    arrays.push(array);
  }
  return { ...EMPTY, kind: 'arrays', path: file.path, arrays, warnings };
}

const EMPTY: Omit<InspectDocument, 'kind' | 'path'> = {
  format: 'qdiff-inspect',
  version: 1,
  kernel: null,
  producer: null,
  inputs: null,
  layers: null,
  arrays: null,
  warnings: [],
};

async function inspectArray(source: ArraySource, most: number, warnings: Warning[]): Promise<InspectedArray> {
  const { key, dtype, shape, fortranOrder = false } = source;
  const count = sizeOf(shape);
  const rows = shape[0] ?? 1;
  const rowLength = rows === 0 ? 0 : count / rows;
  // the first rows of a large array in Fortran order are all over the file
  const readable = count <= most ? rows : fortranOrder ? 0 : Math.floor(most / rowLength);
  const values = readable > 0 && count > 0 ? await numbersOf(source, readable, warnings) : [];
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < values.length; i++) {
    if (values[i] < min) min = values[i];
    if (values[i] > max) max = values[i];
  }
  return {
    key,
    dtype,
    shape: [...shape],
    order: fortranOrder ? 'F' : 'C',
    bytes: count * BYTES[dtype],
    range: min <= max ? [min, max] : null,
    range_values: values.length,
  };
}

/** None where the file has integers that no double holds: their range is not known. */
async function numbersOf(source: ArraySource, rows: number, warnings: Warning[]): Promise<ArrayLike<number>> {
  try {
    return await source.read(0, rows);
  } catch (error) {
    if (!(error instanceof InputError) || error.problems.some(({ kind }) => kind !== 'range')) throw error;
    warnings.push(...asWarnings(error));
    return [];
  }
}

function asWarnings({ problems }: InputError): Warning[] {
  return problems.map(({ kind: code, where, message }) => ({ code, where, message }));
}

const BYTES: Readonly<Record<ArraySource['dtype'], number>> = {
  bool: 1,
  int8: 1,
  uint8: 1,
  int16: 2,
  uint16: 2,
  float16: 2,
  int32: 4,
  uint32: 4,
  float32: 4,
  int64: 8,
  uint64: 8,
  float64: 8,
};

export async function inspectModel(model: Model): Promise<InspectDocument> {
  const layers: InspectedLayer[] = [];
  const declared = declaredParams(model);
  let budget = MOST_WEIGHTS;
  for (const layer of model.layers) {
    const weights = isProduct(layer) ? layer.form.weight.outFeatures * layer.form.weight.inFeatures : 0;
    const readsWeights = weights <= budget;
    if (readsWeights) budget -= weights;
    layers.push(await inspectLayer(layer, declared.get(layer.inputs[0]) ?? null, readsWeights));
  }
  const { environment, file: _, ...producer } = model.producer;
  const fields = Object.entries(producer).flatMap(([name, value]) =>
    value === undefined
      ? []
      : [[name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), String(value)] as const],
  );
  const variables = [...(environment ?? [])].map(([name, value]) => [`environment ${name}`, value] as const);
  return {
    ...EMPTY,
    kind: 'model',
    path: model.path,
    kernel: declaredKernel(model.producer).name,
    producer: Object.fromEntries([...fields, ...variables]),
    inputs: model.inputs.map(({ name, params }) => ({ name, ...describe(params) })),
    layers,
    warnings: [...model.warnings],
  };
}

const withoutParams = (dtype: InspectedParams['dtype']) => ({ dtype, scale: null, zero_point: null, real_range: null });

/** When it runs. */
function isChosen(layer: Layer): boolean {
  return choosesParams(layer) && layer.output?.dtype !== 'float32';
}

function describe(params: ValueParams): InspectedParams {
  if (!isQuantized(params)) return withoutParams(params.dtype);
  const { dtype, scale, zeroPoint, quantMin, quantMax } = params;
  const real_range: MinMax = [scale * (quantMin - zeroPoint), scale * (quantMax - zeroPoint)];
  return { dtype, scale, zero_point: zeroPoint, real_range };
}

async function inspectLayer(layer: Layer, read: ValueParams | null, readsWeights: boolean): Promise<InspectedLayer> {
  const common = {
    name: layer.name,
    op: layer.op,
    ...originOf(layer),
    ...unknownOp(layer),
    input: layer.inputs[0] ?? '',
    ...(layer.inputs.length > 1 && { other_inputs: layer.inputs.slice(1) }),
    output: layer.output && (isChosen(layer) ? withoutParams(layer.output.dtype) : describe(layer.output)),
  };
  if (!isProduct(layer)) {
    return { ...common, ...NOT_LINEAR };
  }
  const { outFeatures, inFeatures } = layer.form.weight;
  const channels = await channelsOf(layer, read, readsWeights);
  return {
    ...common,
    out_features: outFeatures,
    in_features: inFeatures,
    per_channel: layer.form.perChannel,
    activation: layer.form.activation,
    channels,
    channels_omitted: outFeatures - channels.length,
  };
}

function originOf({ nodes, arithmetic, because, notReplayed }: Layer): Partial<InspectedLayer> {
  if (!nodes) return {};
  return {
    nodes: [...nodes],
    arithmetic: arithmetic ?? null,
    because: because ?? null,
    not_replayed: notReplayed ?? null,
  };
}

/** Of a layer that no kernel replays. */
function unknownOp(layer: Layer): Partial<InspectedLayer> {
  const why = whyUnknown(layer);
  return why === null ? {} : { not_replayed: why };
}

const NOT_LINEAR = {
  out_features: null,
  in_features: null,
  per_channel: null,
  activation: null,
  channels: null,
  channels_omitted: null,
} as const;

/** read: what is declared of its input. */
async function channelsOf(
  layer: ProductLayer,
  read: ValueParams | null,
  readsWeights: boolean,
): Promise<InspectedChannel[]> {
  const input = !layer.form.dynamic && read && isQuantized(read) ? read : null;
  const weight = readsWeights ? await layer.form.weight.read() : null;
  const product = productOf({ weight: weight ?? NO_WEIGHTS }, layer, input ?? UNKNOWN);
  const count = Math.min(MOST_CHANNELS, layer.form.weight.outFeatures);
  return Array.from({ length: count }, (_, channel) => inspectChannel(product, input, channel, weight));
}

const NO_WEIGHTS = new Int8Array(0);
const UNKNOWN: QuantParams = { dtype: 'uint8', scale: 1, zeroPoint: 0, quantMin: 0, quantMax: 255 };

function inspectChannel(
  product: Product,
  input: QuantParams | null,
  channel: number,
  weight: Product['weight'] | null,
): InspectedChannel {
  const { inFeatures, output, bias, biasInt32 } = product;
  const weightScale = weightScaleOf(product, channel);
  const unit = input && input.scale * weightScale;
  const real = bias?.[channel] ?? (biasInt32 && unit !== null ? biasInt32[channel] * unit : null);
  const multiplier = unit !== null && isQuantized(output) ? unit / output.scale : null;
  const fixed = multiplier === null ? null : quantizeMultiplier(multiplier);
  return {
    channel,
    weight_scale: weightScale,
    weight_zero_point: weightZeroPointOf(product, channel),
    weight_range: weight && rangeOf(weight, channel * inFeatures, (channel + 1) * inFeatures),
    bias: real,
    bias_int32: biasInt32?.[channel] ?? (real !== null && unit !== null ? roundHalfEven(real / unit) : null),
    bias_steps: real !== null && isQuantized(output) ? real / output.scale : null,
    multiplier,
    multiplier_int32: fixed?.multiplier ?? null,
    shift: fixed?.exponent ?? null,
  };
}

function rangeOf(weight: Product['weight'], from: number, to: number): MinMax {
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let k = from; k < to; k++) {
    if (weight[k] < min) min = weight[k];
    if (weight[k] > max) max = weight[k];
  }
  return [min, max];
}
