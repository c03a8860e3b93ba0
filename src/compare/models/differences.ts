/** What two models say differently of one layer: found before any value is looked at. */
import { weightScaleOf } from '../../kernels/steps/scales.js';
import type { FloatProductAttributes } from '../../nouns/attributes.js';
import { isProduct, isTensor, type Model, type ProductLayer, type TensorLayer } from '../../nouns/model.js';
import type { ModelDifference } from '../../nouns/report.js';
import { isQuantized, type ValueParams } from '../../nouns/value.js';
import { f32 } from '../../numeric/float.js';
import { roundHalfEven } from '../../numeric/round.js';
import { weightZeroPointOf } from '../../products/exactSums.js';
import { biasRounding } from './biasRounding.js';
import { isOfFloats, type LayerPair, type Matched } from './match.js';
import { type Paddings, paddingOf } from './padding.js';
import { type Found, ofValue, whole } from './params.js';
import { roundings, stepsText } from './stages.js';
import { centredByChannel, centredWeights } from './weights.js';

export async function modelDifferences(
  model: Model,
  other: Model,
  { pairs, names }: Matched,
): Promise<ModelDifference[]> {
  const found: ModelDifference[] = [];
  const say = (layer: string, candidate_layer: string, all: readonly Found[]) => {
    for (const one of all) found.push({ layer, candidate_layer, ...one });
  };
  for (const { name, params } of other.inputs) {
    const own = model.inputs.find((input) => input.name === names.get(name));
    const made = model.layers.find((layer) => isQuantized(params) && layer.name === names.get(name));
    if (made?.output) say(made.name, name, ofValue(made.output, params));
    if (!own) continue;
    const codes = isQuantized(own.params) && !isQuantized(params) ? quantizing(other, own.name, names) : null;
    say(own.name, codes?.name ?? name, ofValue(own.params, codes?.output ?? params));
  }
  const [ownParams, theirParams] = [paramsIn(model), paramsIn(other)];
  for (const pair of pairs) {
    const inputs = [ownParams(pair.layer.inputs[0]), theirParams(pair.other.inputs[0])] as const;
    const paddings = [paddingOf(pair.layer, model), paddingOf(pair.other, other)] as const;
    say(pair.layer.name, pair.other.name, await ofLayers(pair, inputs, paddings));
  }
  return found;
}

/** The layer of the other model that makes the codes of what this one is given. */
function quantizing({ layers }: Model, input: string, names: Matched['names']) {
  return layers.find(({ name, output }) => names.get(name) === input && output !== null) ?? null;
}

export function paramsIn({ inputs, layers }: Model): (name: string) => ValueParams | null {
  const params = new Map<string, ValueParams | null>(inputs.map(({ name, params }) => [name, params]));
  for (const { name, output } of layers) params.set(name, output);
  return (name) => params.get(name) ?? null;
}

type Both<T> = readonly [T, T];

async function ofLayers(
  { layer, other, same, related }: LayerPair,
  inputs: Both<ValueParams | null>,
  paddings: Both<Paddings | null>,
): Promise<Found[]> {
  const isOwn = same.some(([a, b]) => a.layer === layer && b.layer === other);
  const [own, theirs] = (isOwn ? same : related)[0];
  return [
    ...whole('op', layer.op, other.op),
    ...whole('arithmetic', layer.arithmetic ?? null, other.arithmetic ?? layer.arithmetic ?? null),
    ...(isProduct(layer) && isProduct(other) ? await ofProducts(layer, other, inputs, paddings) : []),
    ...(isProduct(layer) && isTensor(other) && isOfFloats(layer, other) ? await ofFloatWeights(layer, other) : []),
    ...(isOwn && isProduct(layer) && isProduct(other)
      ? whole('activation', activationOf(layer), activationOf(other))
      : []),
    ...(same.length > 0 && roundings(own.path) === roundings(theirs.path)
      ? []
      : whole('steps', stepsText(own.path), stepsText(theirs.path))),
    ...(isTensor(layer) && isTensor(other) && layer.op === other.op
      ? [...ofAttributes(layer.form.attributes, other.form.attributes), ...(await ofFloatTables(layer, other))]
      : []),
    ...(same.length > 0 && own.layer.output && theirs.layer.output
      ? ofValue(own.layer.output, theirs.layer.output)
      : []),
  ];
}

async function ofProducts(
  own: ProductLayer,
  other: ProductLayer,
  inputs: Both<ValueParams | null>,
  paddings: Both<Paddings | null>,
): Promise<Found[]> {
  const [a, b] = [own.form, other.form];
  const channels = a.weight.outFeatures;
  const isScaled = (x: number, y: number) => f32(x) === f32(y);
  return [
    ...ofGeometry(own, other, paddings),
    ...each(
      'weight_scale',
      channels,
      a.weightScale.length + b.weightScale.length === 2,
      (n) => [weightScaleOf(a, n), weightScaleOf(b, n)],
      isScaled,
    ),
    ...(await ofWeights(own, other)),
    ...ofBias(own, other, inputs),
  ];
}

/** A ReLU whose bound is the lowest code is none. */
function activationOf({ form, output }: ProductLayer): Found['expected'] {
  const { activation } = form;
  if (typeof activation === 'object') return { clamp: [...activation.clamp] };
  const isClamped = output !== null && isQuantized(output) && output.zeroPoint === output.quantMin;
  return activation === 'relu' && isClamped ? 'none' : activation;
}

/** One entry for all channels where both sides have one number, else one for each channel. */
function each(
  field: string,
  channels: number,
  isOne: boolean,
  pair: (channel: number) => readonly [number, number],
  isSame: (a: number, b: number) => boolean,
): Found[] {
  return Array.from({ length: isOne ? 1 : channels }, (_, n) => n).flatMap((n) => {
    const [expected, actual] = pair(n);
    return isSame(expected, actual) ? [] : [{ field, channel: isOne ? null : n, expected, actual }];
  });
}

/**
 * Floats that a fake quantization made are codes of a scale of its own; others are other numbers: of a channel the first that is no
 * rounding, or else the first.
 */
async function ofFloatWeights(own: ProductLayer, { form }: TensorLayer): Promise<Found[]> {
  const { window } = form.attributes as FloatProductAttributes;
  const floats = Float32Array.from(await form.table!());
  const codes = await centredByChannel(own, window?.kernel ?? []);
  const { outFeatures, inFeatures } = own.form.weight;
  const found: Found[] = [];
  for (let channel = 0; channel < outFeatures; channel++) {
    const row = floats.subarray(channel * inFeatures, (channel + 1) * inFeatures);
    const expected = weightScaleOf(own.form, channel);
    const actual = stepOf(row) ?? expected;
    if (Math.abs(actual / expected - 1) > 2 ** -20) found.push({ field: 'weight_scale', channel, expected, actual });
    const beyond = (most: number) =>
      row.findIndex((float, i) => Math.abs(float / actual - codes[channel * inFeatures + i]) > most);
    const far = beyond(HALF_STEP);
    const k = far >= 0 ? far : beyond(NEAR);
    const code = codes[channel * inFeatures + k];
    if (k >= 0) found.push({ field: 'weight', channel, k, expected: code, actual: nearWhole(row[k] / actual) });
  }
  return found;
}

/** How far rounding takes a number to its code, in steps. */
export const HALF_STEP = 0.51;

/** How far from a whole step float32 takes a code. */
const NEAR = 0.001;

/** The largest number that all are multiples of, at most 128 times; null: there is none. */
function stepOf(floats: Float32Array): number | null {
  const most = floats.reduce((max, float) => Math.max(max, Math.abs(float)), 0);
  for (let n = 1; n <= 128; n++) {
    const step = most / n;
    if (step > 0 && floats.every((float) => Math.abs(float / step - roundHalfEven(float / step)) <= NEAR)) return step;
  }
  return null;
}

function nearWhole(code: number): number {
  return Math.abs(code - roundHalfEven(code)) <= NEAR ? roundHalfEven(code) : code;
}

/** The first code of a channel that differs. */
async function ofWeights(own: ProductLayer, other: ProductLayer): Promise<Found[]> {
  const [a, b] = [await centredWeights(own), await centredWeights(other)];
  const { outFeatures, inFeatures } = own.form.weight;
  const found: Found[] = [];
  for (let n = 0; n < outFeatures; n++) {
    for (let k = n * inFeatures; k < (n + 1) * inFeatures; k++) {
      if (a[k] === b[k]) continue;
      const raw = (w: Int16Array, { form }: ProductLayer) => w[k] + weightZeroPointOf(form, n);
      found.push({ field: 'weight', channel: n, k: k % inFeatures, expected: raw(a, own), actual: raw(b, other) });
      break;
    }
  }
  return found;
}

/** Of float weights, in the same way. */
async function ofFloatTables({ form: own }: TensorLayer, { form: other }: TensorLayer): Promise<Found[]> {
  const { outFeatures } = (own.attributes ?? {}) as Partial<FloatProductAttributes>; // rows that are looked up have none
  if (!own.table || !other.table || outFeatures === undefined) return [];
  const [a, b] = [await own.table(), await other.table()];
  const size = a.length / outFeatures;
  const found: Found[] = [];
  for (let channel = 0; channel < outFeatures; channel++) {
    const [row, theirs] = [a, b].map((all) => all.subarray(channel * size, (channel + 1) * size));
    const k = row.findIndex((weight, i) => weight !== theirs[i]);
    if (k >= 0) found.push({ field: 'weight', channel, k, expected: row[k], actual: theirs[k] ?? null });
  }
  return found;
}

/** In real units. */
function ofBias(own: ProductLayer, other: ProductLayer, [x, y]: Both<ValueParams | null>): Found[] {
  const [a, b] = [biasOf(own, x), biasOf(other, y)];
  if (!a || !b) return [];
  const found = each(
    'bias',
    own.form.weight.outFeatures,
    false,
    (n) => [a(n), b(n)],
    (u, v) => f32(u) === f32(v),
  );
  const roundedIn = ({ form }: ProductLayer, input: ValueParams | null, codes: typeof found) =>
    input && isQuantized(input) ? biasRounding(codes, (n) => input.scale * weightScaleOf(form, n)) : null;
  const there = own.form.bias ? roundedIn(own, x, found) : null;
  if (there !== null) return found.map((one) => ({ ...one, rounded: there }));
  const swapped = found.map((one) => ({ ...one, expected: one.actual, actual: one.expected }));
  const here = other.form.bias ? roundedIn(other, y, swapped) : null;
  return here === null ? found : found.map((one) => ({ ...one, rounded: here, rounded_here: true as const }));
}

/** Null where its unit is not known. */
function biasOf({ form }: ProductLayer, input: ValueParams | null): ((channel: number) => number) | null {
  const { bias, biasInt32, biasInt64 } = form;
  if (bias) return (n) => bias[n];
  const codes = biasInt32 ?? biasInt64;
  if (!codes) return () => 0;
  if (!input || !isQuantized(input)) return null;
  return (n) => codes[n] * f32(f32(input.scale) * f32(weightScaleOf(form, n)));
}

function ofGeometry(
  { form: a }: ProductLayer,
  { form: b }: ProductLayer,
  [padding, there]: Both<Paddings | null>,
): Found[] {
  if (!a.patch || !b.patch) return [];
  const [own, other] = [a.patch.window, b.patch.window];
  const paddings = padding && there ? whole('padding', plain(padding), plain(there)) : [];
  return [
    ...whole('kernel_size', [...own.kernel], [...other.kernel]),
    ...whole('stride', [...own.stride], [...other.stride]),
    ...paddings,
    ...whole('dilation', [...own.dilation], [...other.dilation]),
    ...whole('groups', a.patch.groups, b.patch.groups),
  ];
}

/** Numbers that steps read, by their names in model.json's style. */
function ofAttributes(a: unknown, b: unknown): Found[] {
  if (typeof a !== 'object' || typeof b !== 'object' || !a || !b) return [];
  const [own, other] = [new Map(Object.entries(a)), new Map(Object.entries(b))];
  return [...own.keys()].flatMap((key) => {
    const field = key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    if (key === 'countIncludePad' && isUnpadded(own) && isUnpadded(other)) return [];
    return other.has(key) ? whole(field, plain(own.get(key)), plain(other.get(key))) : [];
  });
}

function isUnpadded(attributes: ReadonlyMap<string, unknown>): boolean {
  const { padding = [] } = (attributes.get('window') ?? {}) as { padding?: readonly (readonly number[])[] };
  return padding.flat().every((size) => size === 0);
}

function plain(value: unknown): Found['expected'] {
  const text = JSON.stringify(value, (_, one) => (ArrayBuffer.isView(one) ? Array.from(one as Float32Array) : one));
  return text === undefined ? null : (JSON.parse(text) as Found['expected']);
}
