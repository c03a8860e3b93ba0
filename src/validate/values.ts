import type { Checks } from '../documents/checks.js';
import { shapeText } from '../load/npy.js';
import { collecting } from '../load/refuse.js';
import type { ArraySource, StoredDtype } from '../nouns/array.js';
import type { CapturedValue } from '../nouns/capture.js';
import { isProduct, type Layer, type Model } from '../nouns/model.js';
import { INTEGERS, isQuantized, type QuantParams, type Shape, type ValueParams } from '../nouns/value.js';
import type { Features, KnownFeatures } from '../ops/fields/features.js';
import { channelAxisOf, rowOf, sameDims, sizeOf } from '../tensor/shape.js';
import { counted, listed, printable } from '../text.js';
import { codesOfFloats, floatsOfCodes, paramsBehind } from './floatCodes.js';
import { type Arrangement, firstBeyondFloat32, layoutOfFeatures, layoutOfSamples, SampleReader } from './samples.js';
import { Shapes, transposeFix } from './shapes.js';

/** An array beside the values: how many samples each call had. */
export const BATCH_SIZES = 'batch_sizes';

/** An array that a capture or a candidate may hold. */
export interface Slot {
  /** Name of the array: a value's, `NAME.input` or `NAME.accumulator`. */
  readonly key: string;
  /** The value it has the features of. */
  readonly value: string;
  /** The layer that computes it, for outputs of replayed layers. */
  readonly computedBy: Layer | null;
  /** null: an opaque layer that does not say. */
  readonly params: ValueParams | null;
  /** Read or computed by a layer that is replayed: its samples are the capture's. */
  readonly counts: boolean;
  /** Of a graph, behind a layer that is not replayed, which may have put another axis first: as many samples as it has. */
  readonly loose: boolean;
}

/** The arrays that belong to a model, in its order. A layer named like another's `.input` is that layer. */
export function slotsOf(model: Model): Map<string, Slot> {
  const slots = new Map<string, Slot>();
  const read = new Set(model.layers.filter(isReplayed).flatMap((layer) => layer.inputs));
  const params = new Map<string, ValueParams | null>();
  const loose = looseValues(model);
  const add = (
    key: string,
    value: string,
    valueParams: ValueParams | null,
    computedBy: Layer | null,
    counts: boolean,
  ) => {
    const slot = { key, value, computedBy, params: valueParams, counts, loose: loose.has(value) };
    if (!slots.has(key)) slots.set(key, slot);
  };
  for (const input of model.inputs) {
    params.set(input.name, input.params);
    add(input.name, input.name, input.params, null, read.has(input.name));
  }
  for (const layer of model.layers) {
    params.set(layer.name, layer.output);
    const replayed = isReplayed(layer);
    add(layer.name, layer.name, layer.output, replayed ? layer : null, replayed || read.has(layer.name));
  }
  for (const layer of model.layers.filter(isReplayed)) {
    const [input] = layer.inputs;
    if (layer.inputs.length === 1) add(`${layer.name}.input`, input, params.get(input) ?? null, null, true);
    if (isProduct(layer)) {
      add(`${layer.name}.accumulator`, layer.name, ACCUMULATOR, null, true);
    }
  }
  return slots;
}

function looseValues({ inputs, layers }: Model): ReadonlySet<string> {
  const loose = new Set<string>();
  // a graph may have no input that is read: the words of a transformer are int64
  const isGraph = inputs.some(({ ofGraph }) => ofGraph) || layers.some(({ nodes }) => nodes !== undefined);
  if (!isGraph) return loose;
  for (const layer of layers) {
    if (!isReplayed(layer) || layer.inputs.some((input) => loose.has(input))) loose.add(layer.name);
  }
  return loose;
}

/** Not the same object: an accumulator may not be int64. */
const ACCUMULATOR: ValueParams = { ...INTEGERS };

export function isReplayed(layer: Layer): boolean {
  return layer.form !== null;
}

/** What the arrays of a file have to agree with. */
export interface Expected {
  readonly model: Model;
  readonly slots: ReadonlyMap<string, Slot>;
  /** The arrays by slot key. */
  readonly sources: ReadonlyMap<string, ArraySource>;
  /** In a file of matrices: how many channels values have. */
  readonly features: Features;
  /** In any other: their shapes, as far as they are known before the file is read. */
  readonly shapes: ReadonlyMap<string, Shape> | null;
  /** Known before the file is read: for a candidate, that of the capture. */
  readonly samples: SampleCount | null;
  /** Why a stored dtype cannot stand for a declared one: `expected ..., got ...; what to do`, or null. */
  readonly refuseDtype: (stored: StoredDtype, declared: ValueParams['dtype']) => string | null;
}

export interface SampleCount {
  readonly count: number;
  readonly because: string;
  /** What to do where an array has fewer. */
  readonly fewer?: (got: number) => string;
}

function unequal({ count, because, fewer }: SampleCount, got: number, shape: readonly number[]): string {
  const fix = fewer && got < count ? `; ${fewer(got)}` : '';
  return `expected ${count} samples (${because}), got ${got} (shape ${shapeText(shape)})${fix}`;
}

export interface ReadValues {
  readonly samples: SampleCount | null;
  readonly values: Map<string, CapturedValue>;
  readonly shapes: ReadonlyMap<string, Shape>;
}

/** Lays every array out as [samples, ...shape]. Problems of dtype, shape, channels and samples go to `checks`. */
export async function readValues(stored: Expected, checks: Checks): Promise<ReadValues> {
  const sources = new Map(stored.sources);
  const expected = { ...stored, sources };
  const { slots, refuseDtype, shapes, model } = expected;
  const optimized = optimizedIn(model);
  const [moved, unread]: [string[], string[]] = [[], []];
  const all = [...slots.values()].filter(({ key }) => sources.has(key));
  const usable: Slot[] = [];
  for (const slot of all) {
    const source = sources.get(slot.key)!;
    if (source.shape.includes(0)) {
      const got = `got shape ${shapeText(source.shape)}`;
      checks.problem('empty', [source.key], `expected at least one sample and one channel, ${got}`);
      continue;
    }
    const { params } = slot;
    if (params && isQuantized(params) && source.dtype.startsWith('float')) {
      const codes = await readAsCodes(source, params, refuseDtype, checks);
      if (codes) sources.set(slot.key, codes);
    } else if (params?.dtype === 'float32' && /^u?int8$/.test(source.dtype) && optimized.has(slot.key)) {
      const codes = paramsBehind(model, slot.key);
      const isRead = codes?.dtype === source.dtype;
      (isRead ? moved : unread).push(slot.key);
      if (!isRead) continue;
      sources.set(slot.key, floatsOfCodes(source, codes));
    } else if (params && !isCondition(source, params) && !isLongIndex(source, params))
      await checkDtype(source, params.dtype, refuseDtype, checks);
    usable.push(slot);
  }
  const before =
    "codes under a float's name, as the optimizer moves QuantizeLinear and DequantizeLinear past operators";
  for (const [names, what] of [
    [moved, 'read by their scale'],
    [unread, 'not compared'],
  ] as const)
    if (names.length > 0)
      checks.warn('moved-codes', [], `${counted(names.length, 'value')} of ${before}, ${what}: ${listed(names)}`);
  return shapes ? readShaped(expected, shapes, usable, checks) : readMatrices(expected, usable, checks);
}

function isLongIndex({ dtype }: ArraySource, params: ValueParams): boolean {
  if (dtype !== 'int64' || params === ACCUMULATOR || !isQuantized(params)) return false;
  return params.dtype === INTEGERS.dtype && params.scale === INTEGERS.scale && params.zeroPoint === INTEGERS.zeroPoint;
}

/** What is true or false, as codes of 1 and 0. */
function isCondition({ dtype }: ArraySource, params: ValueParams): boolean {
  return (
    dtype === 'bool' && isQuantized(params) && params.dtype === 'uint8' && params.scale === 1 && params.zeroPoint === 0
  );
}

/** Arrays of [samples, features]; leading axes are samples. */
function readMatrices(
  { model, sources, features, ...expected }: Expected,
  slots: readonly Slot[],
  checks: Checks,
): ReadValues {
  const values = new Map<string, CapturedValue>();
  const shapes = new Map<string, Shape>();
  let { samples } = expected;
  // Values whose features the model knows come first: they say how many samples there are.
  const known = slots.filter(({ value }) => features.get(value));
  for (const slot of new Set([...known, ...slots])) {
    const source = sources.get(slot.key)!;
    const place = [source.key];
    const shape = shapeText(source.shape);
    const claim = features.get(slot.value);
    const layout =
      claim || !samples ? layoutOfFeatures(source.shape, claim?.count) : layoutOfSamples(source.shape, samples.count);
    if (!layout && claim) {
      const got = `got ${source.shape.at(-1) ?? 1} (shape ${shape})${channelsFix(claim, source)}`;
      checks.problem('channels', place, `expected ${counted(claim.count, 'channel')} (${claim.because}), ${got}`);
    } else if (slot.counts && samples && layout?.samples !== samples.count) {
      const got = (layout ?? layoutOfFeatures(source.shape)!).samples;
      checks.problem('samples', place, unequal(samples, got, source.shape));
    } else if (!layout) {
      const got = `got shape ${shape}; it is not compared`;
      checks.warn('samples', place, `expected ${samples?.count} samples along the first axes, ${got}`);
    } else {
      const because = `as ${printable(slot.key)} has`;
      if (slot.counts) samples ??= { count: layout.samples, because };
      const count = sizeOf(layout.dims);
      if (slot.counts) features.claim(slot.value, { count, because, ifTransposed: null });
      const ofValue = slot.counts ? rowOf(count) : imageOf(layout.dims, model);
      if (slot.key === slot.value) shapes.set(slot.value, ofValue);
      values.set(slot.key, new SampleReader(source, { samples: layout.samples, shape: ofValue }));
    }
  }
  return { samples, values, shapes };
}

/** Of a layer that is not replayed: its channels are the layout's. */
function imageOf(dims: readonly number[], { layout }: Model): Shape {
  return { dims, channelAxis: channelAxisOf(dims, layout) };
}

/** What nodes of an ONNX graph compute: its runtime may keep it in another order of axes. */
function optimizedIn({ layers, producer }: Model): ReadonlySet<string> {
  const ofNodes = layers.filter(({ nodes }) => nodes && producer.framework === 'onnxruntime');
  return new Set(ofNodes.map(({ name }) => name));
}

/** Arrays of [samples, ...shape]; what the model does not know, the capture says, and layers have to agree. */
function readShaped(
  { model, sources, ...expected }: Expected,
  known: ReadonlyMap<string, Shape>,
  slots: readonly Slot[],
  checks: Checks,
): ReadValues {
  const dims = new Map([...known].map(([name, shape]) => [name, shape.dims] as const));
  const arranged = new Map<Slot, Arrangement>();
  let { samples } = expected;
  const aside: string[] = [];
  const turned: string[] = [];
  const optimized = optimizedIn(model);
  const isOfModel = model.producer.file === undefined && expected.samples?.fewer === undefined; // a capture of model.json
  for (const slot of [...slots.filter(({ loose }) => !loose), ...slots.filter(({ loose }) => loose)]) {
    const source = sources.get(slot.key)!;
    const of = dims.get(slot.value);
    const arrangement = arrangementOf(source, of, model.samplesPerCall !== undefined);
    if (!arrangement && optimized.has(slot.key) && isPermuted(source.shape, of!)) turned.push(slot.key);
    else if (!arrangement) {
      const transposed = transposeFix(of!, source.shape.slice(1));
      const fix = transposed && isOfModel ? `${transposed}, or say "layout" in the model` : transposed;
      const got = `got ${shapeText(source.shape)}${fix}`;
      checks.problem('shape', [source.key], `expected shape (samples, ${of!.join(', ')}), ${got}`);
    } else if (slot.counts && samples && arrangement.samples !== samples.count) {
      if (slot.loose) aside.push(slot.key);
      else checks.problem('samples', [source.key], unequal(samples, arrangement.samples, source.shape));
    } else {
      if (slot.counts) samples ??= { count: arrangement.samples, because: `as ${printable(slot.key)} has` };
      if (samples && arrangement.samples !== samples.count) continue;
      dims.set(slot.value, arrangement.dims);
      arranged.set(slot, arrangement);
    }
  }
  if (turned.length > 0) {
    const what = counted(turned.length, 'value');
    checks.warn(
      'layout',
      [],
      `${what} with axes in another order than in the graph, as the optimizer moves Transposes, not compared: ${listed(turned)}`,
    );
  }
  if (aside.length > 0) {
    const what = `${counted(aside.length, 'value')} whose first axis is not that of the ${samples!.count} samples`;
    checks.warn('samples', [], `${what} not compared: ${listed(aside)}`);
  }
  const before = checks.problems.length;
  const contradictions: [string, string][] = [];
  const shapes = new Shapes(model, ({ name }, _, problem) => contradictions.push([name, problem])).infer(dims);
  // of arrays that are wrong already nothing follows
  if (before === 0) for (const [name, problem] of contradictions) checks.problem('shape', [name], problem);
  const values = new Map<string, CapturedValue>();
  for (const [slot, { samples: count, dims: own }] of arranged) {
    const shape = shapes.get(slot.value) ?? imageOf(own, model);
    values.set(slot.key, new SampleReader(sources.get(slot.key)!, { samples: count, shape }));
  }
  return { samples, values, shapes };
}

/** The axes of `dims` and that of the samples, or of samples joined along the first, in any order: [8, 16, 3] of two of [4, 3, 16]. */
function isPermuted(shape: readonly number[], [first, ...others]: readonly number[]): boolean {
  const rest = [...shape];
  for (const length of others) {
    const at = rest.indexOf(length);
    if (at < 0) return false;
    rest.splice(at, 1);
  }
  return rest.length === 1 ? rest[0] % first === 0 : rest.length === 2 && rest.includes(first);
}

/**
 * An array without the samples' axis is one sample, or several joined along its first axis: [8 * 20, 6] of values [20, 6]. Null where
 * it does not have the shape.
 */
function arrangementOf(
  { shape }: ArraySource,
  dims: readonly number[] | undefined,
  ofCalls: boolean,
): Arrangement | null {
  if (dims && sameDims(shape, dims)) return { samples: 1, dims };
  if (dims && isJoined(shape, dims, ofCalls)) return { samples: shape[0] / dims[0], dims };
  const own = shape.length > 1 ? shape.slice(1) : shape;
  if (dims && !sameDims(own, dims)) return null;
  return { samples: shape.length > 1 ? shape[0] : 1, dims: own };
}

/** ofCalls: rows too, as the calls of a graph leave them one behind the other. */
function isJoined(shape: readonly number[], dims: readonly number[], ofCalls: boolean): boolean {
  const [first, ...rest] = dims;
  return (ofCalls || first === 1 || rest.length > 0) && shape[0] % first === 0 && sameDims(shape.slice(1), rest);
}

function channelsFix(claim: KnownFeatures, { shape }: ArraySource): string {
  if (shape.length === 1 && claim.count === 1) return '; a 1-d array is one sample: save it as (N, 1)';
  if (claim.ifTransposed === shape.at(-1)) return '; is that weight transposed? then save weight.T';
  return shape.length === 2 && shape[0] === claim.count ? '; samples come first: save its transpose (.T)' : '';
}

/** Floats of a value of codes: on the grid of its scale they are read, elsewhere the first that is not is named. */
async function readAsCodes(
  source: ArraySource,
  params: QuantParams,
  refuseDtype: Expected['refuseDtype'],
  checks: Checks,
): Promise<ArraySource | null> {
  const found = await collecting(checks.problems, () => codesOfFloats(source, params));
  if (!found) return null;
  if ('codes' in found) {
    const formula = `round(v / ${params.scale}) + ${params.zeroPoint}`;
    checks.warn('floats-as-codes', [source.key], `stored as ${source.dtype}, read as codes: ${formula}`);
    return found.codes;
  }
  const steps = Number((found.offGrid / params.scale).toPrecision(6));
  const value = Number(found.offGrid.toPrecision(6));
  const off = !Number.isFinite(value)
    ? `${value} is no code`
    : Number.isInteger(found.offGrid)
      ? `${value} looks like a code: as a real value it is ${steps} steps of its scale`
      : `${value} is ${steps} steps of its scale`;
  checks.problem('dtype', [source.key], `${refuseDtype(source.dtype, params.dtype)}; ${off}`);
  return null;
}

async function checkDtype(
  source: ArraySource,
  declared: ValueParams['dtype'],
  refuseDtype: Expected['refuseDtype'],
  checks: Checks,
): Promise<void> {
  const refused = refuseDtype(source.dtype, declared);
  if (refused !== null) return checks.problem('dtype', [source.key], refused);
  if (source.dtype !== 'float64') return;
  const beyond = await collecting(checks.problems, () => firstBeyondFloat32(source));
  if (beyond === undefined) return;
  if (beyond === null) {
    checks.warn('float64', [source.key], 'stored as float64, read as float32, which holds every value of it');
  } else {
    const got = `got float64 with ${beyond}, which float32 does not hold`;
    checks.problem('dtype', [source.key], `expected float32, ${got}; save .astype(np.float32)`);
  }
}
