/** What a layer may read in place of what the file says: other values, its own in another order, or the same along other axes. */
import type { CauseEvidence } from '../../diagnose/finding/evidence.js';
import type { AveragePoolAttributes } from '../../nouns/attributes.js';
import type { ValueReader } from '../../nouns/capture.js';
import type { Kernel } from '../../nouns/kernel.js';
import { isTensor, type Layer, type Model, type TensorLayer } from '../../nouns/model.js';
import { isQuantized, type ValueParams } from '../../nouns/value.js';
import { emptyLike, int32s } from '../../numeric/array.js';
import { impliedDims } from '../../ops/fields/shape.js';
import { whyNotReplayed } from '../../replay/layer.js';
import { takenFrom } from '../../replay/readers.js';
import type { Given, ReplaySession } from '../../replay/session.js';
import { ordersOf, permuted } from '../../tensor/permute.js';
import { dimsText, indicesOf, sizeOf, strideOf } from '../../tensor/shape.js';

/** One way to read otherwise: the layer and what it is given. */
export type Variant = {
  readonly layer: Layer;
  readonly given: readonly Given[];
} & (
  | { readonly cause: 'operand-wrong'; readonly evidence: CauseEvidence['operand-wrong'] }
  | { readonly cause: 'axis-wrong'; readonly evidence: CauseEvidence['axis-wrong'] }
  | { readonly cause: 'padding-value'; readonly evidence: CauseEvidence['padding-value'] }
);

export interface Declared {
  readonly model: Model;
  readonly session: ReplaySession;
  readonly kernel: Kernel;
  readonly layer: Layer;
  readonly given: readonly Given[];
  /** Values of a sample of its output. */
  readonly features: number;
}

/** Beyond these, inputs change places in pairs and axes stay. */
const [MOST_INPUTS, MOST_AXES] = [5, 4];

/** Those that fit the layer, the likelier first. */
export async function* variantsOf(declared: Declared): AsyncGenerator<Variant> {
  for await (const variant of allOf(declared)) if (fits(declared, variant)) yield variant;
}

async function* allOf(declared: Declared): AsyncGenerator<Variant> {
  yield* inOtherOrder(declared);
  yield* withoutOne(declared);
  yield* ofOtherSamples(declared);
  yield* paddedOtherwise(declared);
  yield* otherValues(declared);
  yield* alongOtherAxes(declared);
}

/** As many values of a sample as it has to give, from inputs that its kernel takes. */
function fits({ kernel, features, model }: Declared, { layer, given }: Variant): boolean {
  const shapes = given.map(({ shape }) => shape);
  const dims = impliedDims(layer, shapes, model.layout);
  if (dims === null || typeof dims === 'string' || sizeOf(dims) !== features) return false;
  const params = given.map((one) => one.params);
  return whyNotReplayed(kernel, layer, params) === null;
}

// ---------------------------------------------------------------- other values

function* inOtherOrder({ layer, given }: Declared): Generator<Variant> {
  const every = [...given.keys()];
  for (const order of given.length > MOST_INPUTS ? inPairs(every) : ordersOf(every)) {
    if (order.every((from, at) => from === at)) continue;
    const inputs = order.map((from) => layer.inputs[from]);
    const evidence = { inputs: every, declared: [...layer.inputs], found: inputs };
    const moved = order.map((from) => given[from]);
    yield { cause: 'operand-wrong', evidence, layer: { ...layer, inputs }, given: moved };
    const asDeclared = moved.map((one, i) => ({ ...one, params: given[i].params }));
    if (moved.some(({ params }, i) => !sameParams(params, given[i].params)))
      yield { cause: 'operand-wrong', evidence: { ...evidence, codes: true }, layer, given: asDeclared };
  }
}

function* inPairs(every: readonly number[]): Generator<readonly number[]> {
  yield [...every].reverse();
  for (const a of every) for (const b of every.slice(a + 1)) yield every.map((i) => (i === a ? b : i === b ? a : i));
}

/** Values of the network that were there before the layer, the nearest first; each as it is, or its codes as if they were the declared ones. */
async function* otherValues({ model, session, layer, given }: Declared): AsyncGenerator<Variant> {
  const before = model.layers.slice(
    0,
    model.layers.findIndex(({ name }) => name === layer.name),
  );
  const names = [...before.reverse(), ...model.inputs, ...(model.constants ?? [])].map(({ name }) => name);
  const readable = names.filter((name) => session.whyNotRead(layer, name) === null);
  for (const [i, own] of given.entries()) {
    for (const name of readable) {
      if (name === layer.inputs[i] || !mayStandFor(session.paramsOf(name)!, own.params)) continue;
      const other = await session.given(layer, name);
      if (other.reader.features !== own.reader.features) continue;
      const inputs = layer.inputs.map((input, at) => (at === i ? name : input));
      const evidence = { inputs: [i], declared: [layer.inputs[i]], found: [name] };
      const read = (params: ValueParams) => put(given, i, { reader: other.reader, params });
      yield { cause: 'operand-wrong', evidence, layer: { ...layer, inputs }, given: read(other.params) };
      if (!sameParams(other.params, own.params))
        yield { cause: 'operand-wrong', evidence: { ...evidence, codes: true }, layer, given: read(own.params) };
    }
  }
}

/** Codes for codes of their type, floats for floats. */
function mayStandFor(other: ValueParams, own: ValueParams): boolean {
  return other.dtype === own.dtype;
}

function sameParams(a: ValueParams, b: ValueParams): boolean {
  if (!isQuantized(a) || !isQuantized(b)) return a.dtype === b.dtype;
  return a.scale === b.scale && a.zeroPoint === b.zeroPoint;
}

/** A sum without one of its terms, a product without one of its factors. */
function* withoutOne({ layer, given }: Declared): Generator<Variant> {
  if (given.length < 2) return;
  for (const [i, { params: own, reader }] of given.entries()) {
    const isFactor = layer.op === 'mul';
    // a factor of 1, as a code of scale 1
    const params = isFactor && isQuantized(own) ? { ...own, scale: 1, zeroPoint: 0 } : own;
    const neutral = isFactor ? 1 : isQuantized(own) ? own.zeroPoint : 0;
    const read = async (from: number, to: number) =>
      emptyLike(await reader.read(from, to), (to - from) * reader.features).fill(neutral);
    const evidence = { inputs: [i], declared: [layer.inputs[i]], left_out: true as const };
    yield {
      cause: 'operand-wrong',
      evidence,
      layer,
      given: put(given, i, { params, reader: { features: reader.features, read } }),
    };
  }
}

/** A value that was not renewed, or that is broadcast over the samples too. */
function* ofOtherSamples({ layer, given }: Declared): Generator<Variant> {
  for (const [i, { reader }] of given.entries()) {
    const { features } = reader;
    const first = async (from: number, to: number) => {
      const [all, own] = [await reader.read(from, to), await reader.read(0, 1)];
      const data = emptyLike(all, all.length);
      for (let at = 0; at < data.length; at += features) data.set(own as never, at);
      return data;
    };
    const before = async (from: number, to: number) => {
      if (from > 0) return reader.read(from - 1, to - 1);
      const own = await reader.read(0, 1);
      const data = emptyLike(own, to * features);
      data.set(own as never);
      // a replayed value has no rows from 0 to 0
      if (to > 1) data.set((await reader.read(0, to - 1)) as never, features);
      return data;
    };
    for (const [samples, read] of [
      ['first', first],
      ['before', before],
    ] as const) {
      const evidence = { inputs: [i], declared: [layer.inputs[i]], samples };
      yield { cause: 'operand-wrong', evidence, layer, given: put(given, i, { reader: { features, read } }) };
    }
  }
}

// ---------------------------------------------------------------- the same with other padding

/** Means over windows whose padding counts, of images that were padded with another code before. */
function* paddedOtherwise({ layer, given, model: { layout } }: Declared): Generator<Variant> {
  const { window, countIncludePad } = attributesOf(layer) as Partial<AveragePoolAttributes>;
  const [{ params, shape, reader }] = given;
  const isPadded = window?.padding.some(([left, right]) => left + right > 0);
  if (!window || !isPadded || countIncludePad !== true || !isQuantized(params)) return;
  const spatial = window.padding.length;
  const first = layout === 'NCHW' ? shape.dims.length - spatial : shape.dims.length - 1 - spatial;
  const before = shape.dims.map((_, axis) => window.padding[axis - first] ?? [0, 0]);
  const dims = shape.dims.map((size, axis) => size + before[axis][0] + before[axis][1]);
  const places = int32s({ length: sizeOf(dims) }, (_, i) => {
    const at = indicesOf(i, dims).map((index, axis) => index - before[axis][0]);
    const isInside = at.every((index, axis) => index >= 0 && index < shape.dims[axis]);
    return isInside ? at.reduce((flat, index, axis) => flat * shape.dims[axis] + index, 0) : -1;
  });
  const unpadded = { ...window, padding: window.padding.map((): [number, number] => [0, 0]) };
  const form = { ...(layer as TensorLayer).form, attributes: { ...attributesOf(layer), window: unpadded } };
  for (const found of new Set([0, params.quantMin])) {
    if (found === params.zeroPoint) continue;
    const padded = { shape: { ...shape, dims }, reader: takenFrom(reader, places, found) };
    const evidence = { declared: params.zeroPoint, found };
    yield { cause: 'padding-value', evidence, layer: { ...layer, form }, given: put(given, 0, padded) };
  }
}

function attributesOf(layer: Layer): object {
  return (isTensor(layer) && (layer.form.attributes as object | null)) || {};
}

// ---------------------------------------------------------------- the same along other axes

function* alongOtherAxes(declared: Declared): Generator<Variant> {
  yield* overAnotherAxis(declared);
  for (const input of declared.given.keys()) {
    yield* turned(declared, input);
    yield* repeated(declared, input);
  }
}

/** Joined, reduced or normed along another axis than the file's `dim`. */
function* overAnotherAxis({ layer, given }: Declared): Generator<Variant> {
  if (!isTensor(layer)) return;
  const { dim } = attributesOf(layer) as { readonly dim?: unknown };
  const [own] = Array.isArray(dim) ? dim : [dim];
  if (typeof own !== 'number' || (Array.isArray(dim) && dim.length > 1)) return;
  const rank = given[0].shape.dims.length;
  const axis = own < 0 ? own + rank + 1 : own;
  for (let other = 1; other <= rank; other++) {
    if (other === axis) continue;
    const attributes = { ...attributesOf(layer), dim: Array.isArray(dim) ? [other] : other };
    const evidence = { declared: `dim ${axis}`, found: `dim ${other}` };
    yield { cause: 'axis-wrong', evidence, layer: { ...layer, form: { ...layer.form, attributes } }, given };
  }
}

/** Axes in another order, and memory read as if they were. */
function* turned({ layer, given }: Declared, input: number): Generator<Variant> {
  const { reader, shape } = given[input];
  const { dims } = shape;
  const rank = Math.max(...given.map((one) => one.shape.dims.length));
  const padded = [...Array.from({ length: rank - dims.length }, () => 1), ...dims];
  if (rank > MOST_AXES || sizeOf(dims) !== reader.features) return;
  const every = () => placesOf(reader.features, (i) => i);
  const seen = new Set([`${padded};`]);
  for (const order of ordersOf([...padded.keys()])) {
    const other = order.map((axis) => padded[axis]);
    const moving = order.filter((axis) => padded[axis] > 1);
    const isMoved = moving.some((axis, at) => at > 0 && axis < moving[at - 1]);
    const key = `${other};${isMoved ? moving : ''}`;
    if (seen.has(key)) continue;
    seen.add(key);
    const evidence = { inputs: [input], declared: dimsText(dims), found: dimsText(other) };
    const own = () => (isMoved ? permuted(every(), padded, order) : every());
    const turning = { ...evidence, ...(isMoved && { order }) };
    yield { cause: 'axis-wrong', evidence: turning, layer, given: taken(given, input, own, { ...shape, dims: other }) };
    if (!isMoved) continue;
    const back = order.map((_, axis) => order.indexOf(axis));
    const inMemory = taken(given, input, () => permuted(every(), other, back));
    yield { cause: 'axis-wrong', evidence: { ...evidence, memory: true }, layer, given: inMemory };
  }
}

function placesOf(count: number, place: (at: number) => number): Int32Array {
  const places = new Int32Array(count);
  for (let i = 0; i < count; i++) places[i] = place(i);
  return places;
}

/** An operand that is broadcast taken one after the other over the output, as `x[i % n]` does, or its first along an axis for all. */
function* repeated({ layer, given, features }: Declared, input: number): Generator<Variant> {
  const { reader, shape } = given[input];
  const { dims } = shape;
  const [own, large] = [reader.features, given.find((one) => one.reader.features === features)];
  if (!large || own <= 1 || own >= features) return;
  const evidence = { inputs: [input], declared: dimsText(dims) };
  if (features % own === 0) {
    const places = () => placesOf(features, (i) => i % own);
    const over = { ...evidence, found: `x[i % ${own}]` };
    yield { cause: 'axis-wrong', evidence: over, layer, given: taken(given, input, places, large.shape, features) };
  }
  for (const [axis, size] of dims.entries()) {
    const step = strideOf(dims, axis);
    const index = (i: number) => Math.floor(i / step) % size;
    const of = (found: string, at: (index: number) => number): Variant => {
      const places = () => placesOf(own, (i) => i + (at(index(i)) - index(i)) * step);
      return { cause: 'axis-wrong', evidence: { ...evidence, found }, layer, given: taken(given, input, places) };
    };
    if (size === 1) continue;
    yield of(`index 0 of axis ${axis + 1} for all`, () => 0);
    yield of(`axis ${axis + 1} reversed`, (i) => size - 1 - i);
  }
}

function taken(
  given: readonly Given[],
  input: number,
  places: () => Int32Array,
  shape: Given['shape'] = given[input].shape,
  features = given[input].reader.features,
): Given[] {
  let reader: ValueReader | null = null;
  // most do not fit: of 16 million features each list takes 64 MB
  const read = (from: number, to: number) => {
    reader ??= takenFrom(given[input].reader, places());
    return reader.read(from, to);
  };
  return put(given, input, { shape, reader: { features, read } });
}

function put(given: readonly Given[], input: number, part: Partial<Given>): Given[] {
  return given.map((one, i) => (i === input ? { ...one, ...part } : one));
}
