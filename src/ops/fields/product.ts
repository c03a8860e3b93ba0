import * as z from 'zod/mini';
import { activation } from '../../documents/activation.js';
import type { Checks } from '../../documents/checks.js';
import { shapeText } from '../../load/npy.js';
import type { NumericArray } from '../../nouns/array.js';
import type { Activation, Curve, ProductForm, ProductParams, WeightSource } from '../../nouns/model.js';
import type { ValueParams } from '../../nouns/value.js';
import { float32s, float64s, int32s } from '../../numeric/array.js';
import { sameScale } from '../../numeric/float.js';
import { dimsText, sizeOf } from '../../tensor/shape.js';
import { printable } from '../../text.js';
import type { RawLayer, ShapedLayer } from '../op.js';
import { activationOf } from './activation.js';
import {
  codesRule,
  FLOAT32,
  loadNumbers,
  type NumberField,
  type NumberRule,
  numberField,
  SCALES,
  type WeightDtype,
  weightField,
} from './numbers.js';
import { list, numbers, oneOrList } from './schema.js';

const INT32_BIASES: NumberRule = {
  expected: 'expected an integer that int32 holds',
  accepts: (value) => Number.isInteger(value) && value >= -(2 ** 31) && value < 2 ** 31,
};

const INT64_BIASES: NumberRule = {
  expected: 'expected an integer below 2^53',
  accepts: Number.isSafeInteger,
};
const BIASES = { float32: FLOAT32, int32: INT32_BIASES, int64: INT64_BIASES } as const;

const CURVES: readonly [Curve, ...Curve[]] = ['hardswish', 'silu'];
const EXPECTED_ACTIVATION =
  'expected "none", "relu", "relu6", {"clamp": [lo, hi]} in codes, or a curve of real values: "hardswish", "silu"';

/** Fields of a layer that multiplies by weights. */
export const productFields = {
  weight: numbers('int8 or uint8 [out_features, in_features]', { type: 'array', items: list('integer') }),
  weight_dtype: z.optional(z.enum(['int8', 'uint8'])),
  weight_scale: numbers('one number (per tensor) or [out_features] (per channel)', oneOrList('number')),
  weight_zero_point: z.optional(numbers('default 0; as weight_scale', oneOrList('integer'))),
  bias: z.optional(
    numbers('[out_features]: float32, or int32 at scale s_x * s_w; null without', {
      anyOf: [list('number'), { type: 'null' }],
    }),
  ),
  bias_dtype: z.optional(z.enum(['float32', 'int32', 'int64'])),
  bias_scale: z.optional(
    numbers('of an int32 bias, where it is not s_x * s_w: one number or [out_features]', oneOrList('number')),
  ),
  activation: z.optional(z.union([activation, z.enum(CURVES)], EXPECTED_ACTIVATION)),
};

/** Of products on rows: whether several axes of the input make one; `rows`: whatever its axes, its values are rows one after the other. */
export const flattenField = { flatten: z.optional(z.union([z.boolean(), z.literal('rows')])) };

export function flattenOf({ fields }: RawLayer): Pick<ProductForm, 'flatten'> {
  return fields?.flatten === true || fields?.flatten === 'rows' ? { flatten: fields.flatten } : {};
}

type RawProduct = z.infer<z.ZodMiniObject<typeof productFields>>;

/** What an op makes of its weight. */
export interface WeightReading {
  /** Null after a problem. */
  read(raw: unknown, dtype: WeightDtype): Promise<WeightSource | null>;
  /** Lists of one number a channel that have another length are problems, as is a weight that does not fit what feeds it. */
  check(weight: WeightSource, lists: readonly NumberField[]): void;
}

/**
 * The numbers of a product, checked each, against each other and against what feeds it; null after a problem.
 * Other fields of `raw` may be missing or wrong: that is known.
 */
export async function productParams(
  layer: RawLayer,
  reading: WeightReading = linearWeight(layer),
): Promise<(ProductParams & { weight: WeightSource }) | null> {
  const { place, checks, arrays } = layer;
  const before = checks.problems.length;
  if (typeof layer.raw !== 'object' || layer.raw === null) return null;
  const raw = layer.raw as RawProduct;
  const fieldOf = (key: 'weight_scale' | 'weight_zero_point' | 'bias' | 'bias_scale') => {
    const missing = raw[key] === undefined || (raw[key] === null && key !== 'weight_scale');
    return missing ? null : numberField(raw[key], [...place, key], checks, arrays);
  };
  const dtype = raw.weight_dtype === 'uint8' ? 'uint8' : 'int8';
  const weight = raw.weight === undefined ? null : await reading.read(raw.weight, dtype);
  const scale = fieldOf('weight_scale');
  const zeroPoint = fieldOf('weight_zero_point');
  const bias = fieldOf('bias');
  const biasScale = fieldOf('bias_scale');
  const lists = [scale, zeroPoint, bias, biasScale].filter((field) => field !== null);
  if (weight) {
    reading.check(
      weight,
      lists.filter((field) => field.name === 'bias' || field.shape.length > 0),
    );
  }
  const biasDtype = raw.bias_dtype && Object.hasOwn(BIASES, raw.bias_dtype) ? raw.bias_dtype : 'float32';
  const scales = scale && (await loadNumbers(scale, SCALES, checks));
  const zeroPoints = zeroPoint && (await loadNumbers(zeroPoint, codesRule(dtype), checks));
  const biases = bias && (await loadNumbers(bias, BIASES[biasDtype], checks));
  const biasScales = biasScale && (await loadNumbers(biasScale, SCALES, checks));
  if (biases && biasScale && biasDtype === 'float32') {
    const fix = 'say "bias_dtype": "int32", or leave it out';
    checks.problem('bias', [...place, 'bias_scale'], `expected no scale of a float32 bias, got one; ${fix}`);
  }
  const curve = CURVES.find((name) => name === raw.activation);
  const activation: Activation = curve ? 'none' : activationOf(layer);
  if (!weight || !scales || checks.problems.length > before) return null;
  const perChannel = [scale, zeroPoint].some((numbers) => numbers && numbers.shape.length > 0);
  const channels = Array.from({ length: perChannel ? weight.outFeatures : 1 }, (_, channel) => channel);
  const ofChannel = (numbers: ArrayLike<number>) => (channel: number) => numbers[numbers.length === 1 ? 0 : channel];
  const weightScale = float64s(channels, ofChannel(scales));
  return {
    weight,
    perChannel,
    weightScale,
    weightZeroPoint: int32s(channels, zeroPoints ? ofChannel(zeroPoints) : () => 0),
    ...biasOf(biases, biasDtype, biasScales, ofChannel(weightScale), layer.inputs[0]?.params),
    activation,
    ...(curve && { curve }),
    ...(dtype === 'uint8' ? { weightDtype: dtype } : {}),
  };
}

/** Products run along the last axis: the others are rows. */
export function rowsOfFeatures({ form, inputs: [{ name, shape }] }: ShapedLayer): readonly number[] | string {
  const { flatten, weight } = form as ProductForm;
  const { inFeatures, outFeatures } = weight;
  if (flatten === 'rows') return joinedRows(sizeOf(shape.dims) / inFeatures, outFeatures);
  const flattened = flatten ? shape.dims.findIndex((_, axis) => sizeOf(shape.dims.slice(axis)) === inFeatures) : -1;
  if (flattened >= 0) return [...shape.dims.slice(0, flattened), outFeatures];
  if (shape.dims.at(-1) === inFeatures) return [...shape.dims.slice(0, -1), outFeatures];
  const got = `got ${printable(name)} of shape ${dimsText(shape.dims)}`;
  return `expected an input whose last axis is ${inFeatures} (in_features), ${got}; put a flatten or reshape before it`;
}

function joinedRows(rows: number, outFeatures: number): readonly number[] | string {
  if (!Number.isInteger(rows)) return 'expected an input of whole rows (flatten: "rows")';
  return rows === 1 ? [outFeatures] : [rows, outFeatures];
}

/** [out_features, in_features]. */
function linearWeight(layer: RawLayer): WeightReading {
  const { place, checks, arrays } = layer;
  return {
    async read(raw, dtype) {
      const weight = await weightField(
        raw,
        dtype,
        ['out_features', 'in_features'],
        [...place, 'weight'],
        checks,
        arrays,
      );
      return weight && { ...weight, outFeatures: weight.shape[0], inFeatures: weight.shape[1] };
    },
    check: (weight, lists) => checkLinear(layer, weight, lists),
  };
}

/** An int32 bias whose own scale is s_x * s_w is one of the accumulator; at any other scale it is what its numbers stand for. */
function biasOf(
  biases: NumericArray | null,
  dtype: keyof typeof BIASES,
  scales: NumericArray | null,
  weightScale: (channel: number) => number,
  input: ValueParams | null | undefined,
): Pick<ProductParams, 'bias' | 'biasInt32' | 'biasInt64' | 'ownBias' | 'absentBias'> {
  if (!biases) return { bias: null, biasInt32: null, ...(dtype === 'float32' ? {} : { absentBias: dtype }) };
  if (dtype === 'float32') return { bias: Float32Array.from(biases), biasInt32: null };
  const real = (channel: number) => Number(biases[channel]) * scales![scales!.length === 1 ? 0 : channel];
  const reals = scales ? float32s(biases, (_, channel) => real(channel)) : null;
  const biasInt64 = dtype === 'int64' && { biasInt64: Float64Array.from(biases) };
  if (biasInt64) return { bias: reals, biasInt32: null, ownBias: 'int64', ...biasInt64 };
  const xScale = input && input.dtype !== 'float32' ? input.scale : Number.NaN;
  const isOwn =
    scales && biases.some((_, n) => !sameScale(scales[scales.length === 1 ? 0 : n], xScale * weightScale(n)));
  return isOwn
    ? { bias: reals, biasInt32: null, ownBias: 'scale' }
    : { bias: null, biasInt32: Int32Array.from(biases) };
}

/** Lengths of the lists, chaining with the layer before, and a weight that is transposed. */
function checkLinear(layer: RawLayer, { outFeatures, inFeatures }: WeightSource, lists: readonly NumberField[]): void {
  const { name, place, checks, features } = layer;
  const input = layer.fields?.flatten ? null : (layer.inputs[0]?.name ?? '');
  const shape = `[${outFeatures}, ${inFeatures}]`;
  const weightPlace = [...place, 'weight'];
  const wrong = lists.filter((list) => lengthOf(list) !== outFeatures);
  const fed = input === null ? null : features.get(input);
  const couldBeTransposed = outFeatures !== inFeatures && fed?.count !== inFeatures;
  const byLists = wrong.length > 0 && lists.every((list) => lengthOf(list) === inFeatures);
  const byInput = lists.length === 0 && fed?.count === outFeatures;
  if (couldBeTransposed && (byLists || byInput)) {
    const because = byLists ? `${wrong[0].name} has ${inFeatures} values` : `${fed!.because}: ${fed!.count}`;
    const expected = `expected [out_features, in_features] = [${inFeatures}, ${outFeatures}] (${because})`;
    checks.problem('transposed', weightPlace, `${expected}, got ${shape}; it is transposed: save weight.T`);
    features.linear({ name, input, outFeatures: inFeatures, inFeatures: outFeatures, confirmed: true });
    return;
  }
  checkLengths(lists, outFeatures, `out_features of ${printable(name)}`, checks);
  if (fed && fed.count !== inFeatures) {
    const fix =
      fed.ifTransposed === inFeatures
        ? 'is the other weight transposed? then save weight.T'
        : fed.ifTransposed === outFeatures
          ? 'are both weights transposed? then save weight.T'
          : 'layers have to chain';
    const got = `got ${inFeatures} (weight ${shape})`;
    checks.problem('chain', weightPlace, `expected ${fed.count} in_features (${fed.because}), ${got}; ${fix}`);
  }
  features.linear({ name, input, outFeatures, inFeatures, confirmed: lists.length > wrong.length });
}

/** One number a channel; because: who says how many there are. */
export function checkLengths(lists: readonly NumberField[], channels: number, because: string, checks: Checks): void {
  for (const list of lists) {
    if (lengthOf(list) === channels) continue;
    const [one, zeroD] = ['write one number for a per-tensor scale', 'save a 0-d array for a per-tensor scale'];
    const fix = lengthOf(list) === 1 && list.name !== 'bias' ? `; ${list.dtype === null ? one : zeroD}` : '';
    const got =
      list.shape.length === 0 ? 'one number' : list.shape.length === 1 ? list.shape[0] : shapeText(list.shape);
    checks.problem('length', list.place, `expected ${channels} values (${because}), got ${got}${list.from}${fix}`);
  }
}

function lengthOf(list: NumberField): number {
  return list.shape.length === 1 ? list.shape[0] : Number.NaN;
}
