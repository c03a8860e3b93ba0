/** Of what two files say differently of a layer, what its values need: each taken back in turn, and the other file's layer replayed. */
import { referenceFor } from '../../kernels/reference.js';
import type { FloatProductAttributes } from '../../nouns/attributes.js';
import { isProduct, isTensor, type Layer, type Model } from '../../nouns/model.js';
import { isQuantized, type ValueParams } from '../../nouns/value.js';
import { ReplaySession } from '../../replay/session.js';
import { diffReplay } from '../candidate/readings.js';
import type { OwnComparison } from '../comparison.js';
import type { CandidateModel } from './beside.js';
import { isOfFloats, type LayerPair } from './match.js';
import { realWeights } from './weights.js';

export type Part = 'arithmetic' | 'clamp' | 'input' | 'output' | 'bias' | 'weights';

/** In the order in which they are taken back: what is least likely to be seen first. */
const PARTS: readonly Part[] = ['arithmetic', 'clamp', 'input', 'output', 'bias', 'weights'];

/** Those without which the layer does not give the other side's values; null: it does not with all of them either. */
export async function partsNeeded(
  comparison: OwnComparison,
  beside: CandidateModel,
  pair: LayerPair,
  said: ReadonlySet<Part>,
): Promise<ReadonlySet<Part> | null> {
  const value = beside.values.values.get(pair.other.name);
  if (!value) return null;
  const gives = async (declared: ReadonlySet<Part>) => {
    const { model, layer } = await withDeclared(comparison.model, beside.model, pair, declared);
    const reference = declared.has('arithmetic') ? comparison.reference : referenceFor(beside.model.producer);
    const session = new ReplaySession(model, beside.values, reference, 'isolated', comparison.fast);
    if (session.whyNotReplayed(layer)) return false;
    const { mismatched } = await diffReplay(comparison, await session.open(layer), value, null);
    return mismatched === 0;
  };
  if (!(await gives(new Set()))) return null;
  const declared = new Set<Part>();
  for (const part of PARTS.filter((one) => said.has(one))) {
    if (await gives(new Set([...declared, part]))) declared.add(part);
  }
  return new Set([...said].filter((part) => !declared.has(part)));
}

/** The other file's model, with the declared numbers in some parts of one layer. */
async function withDeclared(own: Model, other: Model, { layer, other: theirs }: LayerPair, parts: ReadonlySet<Part>) {
  const mixed = await withOwn(layer, theirs, parts);
  const sources = new Map(theirs.inputs.map((name, i) => [name, layer.inputs[i]]));
  const declared = new Map<string, ValueParams | null>([
    ...own.inputs.map(({ name, params }) => [name, params] as const),
    ...own.layers.map(({ name, output }) => [name, output] as const),
  ]);
  const read = <P extends ValueParams | null>(name: string, params: P): P => {
    const source = parts.has('input') ? sources.get(name) : undefined;
    return source === undefined ? params : (scaledAs(params, declared.get(source) ?? null) as P);
  };
  const model: Model = {
    ...other,
    inputs: other.inputs.map((input) => ({ ...input, params: read(input.name, input.params) })),
    layers: other.layers.map((one) => (one === theirs ? mixed : { ...one, output: read(one.name, one.output) })),
  };
  return { model, layer: mixed };
}

async function withOwn(own: Layer, other: Layer, parts: ReadonlySet<Part>): Promise<Layer> {
  const output = parts.has('output') ? scaledAs(other.output, own.output) : other.output;
  const clamped = parts.has('clamp') ? clampedAs(output, own.output) : output;
  const arithmetic = parts.has('arithmetic') ? own.arithmetic : other.arithmetic;
  const mixed = { ...other, output: clamped, arithmetic };
  if (isProduct(own) && isTensor(mixed) && isOfFloats(own, mixed)) {
    const attributes = mixed.form.attributes as FloatProductAttributes;
    const weight = () => realWeights(own, attributes.window?.kernel ?? []);
    const bias = parts.has('bias') ? own.form.bias : attributes.bias;
    const table = parts.has('weights') ? weight : mixed.form.table;
    return { ...mixed, form: { ...mixed.form, table, attributes: { ...attributes, bias } } };
  }
  if (isTensor(own) && isTensor(mixed) && own.op.endsWith('_float') && own.op === mixed.op) {
    const attributes = mixed.form.attributes as FloatProductAttributes;
    const { bias } = parts.has('bias') ? (own.form.attributes as FloatProductAttributes) : attributes;
    const { table } = (parts.has('weights') ? own : mixed).form;
    return { ...mixed, form: { ...mixed.form, table, attributes: { ...attributes, bias } } };
  }
  if (!isProduct(own) || !isProduct(mixed)) return mixed;
  const { weight, weightScale, weightZeroPoint, weightDtype, perChannel, bias, biasInt32, activation } = own.form;
  return {
    ...mixed,
    form: {
      ...mixed.form,
      ...(parts.has('weights') ? { weight, weightScale, weightZeroPoint, weightDtype, perChannel } : {}),
      ...(parts.has('bias') ? { bias, biasInt32 } : {}),
      ...(parts.has('clamp') ? { activation } : {}),
    },
  };
}

function scaledAs<P extends ValueParams | null>(params: P, own: ValueParams | null): P {
  if (!params || !own || !isQuantized(params) || !isQuantized(own) || params.dtype !== own.dtype) return params;
  return { ...params, scale: own.scale, zeroPoint: own.zeroPoint };
}

function clampedAs<P extends ValueParams | null>(params: P, own: ValueParams | null): P {
  if (!params || !own || !isQuantized(params) || !isQuantized(own) || params.dtype !== own.dtype) return params;
  return { ...params, quantMin: own.quantMin, quantMax: own.quantMax };
}
