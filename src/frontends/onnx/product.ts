/** The fields of a layer that multiplies weights, from where QDQ and QLinear operators keep them. */
import { sizeOf } from '../../tensor/shape.js';
import { printable } from '../../text.js';
import type { Constant } from './constants.js';
import { permutedArray, reshaped } from './derived.js';
import type { Context } from './draft.js';
import { oneOrList, type Quantization } from './quantization.js';

/** How a weight lies in the file, and where its output channels are. */
export type WeightLayout = 'conv' | 'transposed' | 'rows' | 'columns';

export interface Weight {
  readonly tensor: string;
  readonly constant: Constant;
  readonly q: Quantization;
  readonly layout: WeightLayout;
  /** Of a transposed convolution, whose weight has the output channels of one group. */
  readonly groups?: number;
}

function channelAxis({ layout, constant }: Weight): number {
  if (layout === 'columns') return constant.shape.length - 1;
  return layout === 'transposed' ? 1 : 0;
}

export interface Bias {
  readonly tensor: string;
  readonly constant: Constant;
  /** Of int32 codes; null for floats, and where the codes are of s_x * s_w. */
  readonly q: Quantization | null;
}

export interface ProductFields {
  readonly fields: Readonly<Record<string, unknown>>;
  /** Why the product cannot be replayed; null where it can. */
  readonly notReplayed: string | null;
}

/** weight, weight_scale, weight_zero_point, bias and their dtypes. Scales that run along another axis are no fields. */
export async function productFields(weight: Weight, bias: Bias | null, context: Context): Promise<ProductFields> {
  const { q, constant } = weight;
  const channels = constant.shape[channelAxis(weight)] * (weight.groups ?? 1);
  const why = whyNot(weight, channels);
  const array = why === null || constant.source ? weightArray(weight, context) : null;
  const biasFields = bias ? biasOf(bias, channels, context) : { fields: { bias: null }, notReplayed: null };
  const count = Math.max(q.scale.length, q.zeroPoint.length);
  const perTensor = count === 1;
  const fields = {
    ...(array ? { weight: array } : {}),
    weight_dtype: isNarrow(constant) ? constant.dtype.stored : constant.dtype.name,
    weight_scale: perTensor ? q.scale[0] : spread(q.scale, count),
    weight_zero_point: perTensor ? q.zeroPoint[0] : spread(q.zeroPoint, count),
    ...biasFields.fields,
  };
  return { fields, notReplayed: why ?? biasFields.notReplayed };
}

/** Codes that are read as those of 8 bits. */
function isNarrow({ dtype }: Constant): boolean {
  return ['int8', 'uint8'].includes(dtype.stored ?? '');
}

function spread(values: readonly number[], length: number): readonly number[] {
  return values.length === length ? [...values] : new Array(length).fill(values[0]);
}

function whyNot(weight: Weight, channels: number): string | null {
  const { q, constant, tensor } = weight;
  const name = printable(tensor);
  if (!isNarrow(constant))
    return `weight ${name} is ${constant.dtype.name}, and only those of 8 bits and fewer are replayed`;
  const rank = constant.shape.length;
  const axis = q.axis < 0 ? q.axis + rank : q.axis;
  const own = channelAxis(weight);
  if (q.scale.length > 1 && (q.scale.length !== channels || axis !== own)) {
    return `the scales of weight ${name} do not run along its output channels (axis ${axis}, ${q.scale.length} of ${channels})`;
  }
  if (q.zeroPoint.length > 1 && q.zeroPoint.length !== channels)
    return `the zero points of weight ${name} are ${q.zeroPoint.length} for ${channels} channels`;
  return null;
}

function weightArray({ tensor, constant, layout }: Weight, { arrays }: Context): { array: string } | null {
  const { source, shape } = constant;
  if (!source) return null;
  if (layout !== 'columns') return arrays.add(tensor, source);
  const order = shape.map((_, axis) => axis);
  order.splice(-2, 2, shape.length - 1, shape.length - 2);
  const key = `${tensor}.T`;
  return arrays.byKey.has(key) ? { array: key } : arrays.add(key, permutedArray(key, source, order));
}

/** [out], also where the file has [1, out], or one number for all. */
function biasOf({ tensor, constant, q }: Bias, channels: number, { arrays }: Context): ProductFields {
  const { source, shape, dtype } = constant;
  const count = sizeOf(shape);
  const name = printable(tensor);
  if (!source || !['float32', 'int32'].includes(dtype.name))
    return { fields: {}, notReplayed: `bias ${name} is ${dtype.name}` };
  if (count !== channels || shape.at(-1) !== channels) {
    return { fields: {}, notReplayed: `bias ${name} has ${count} numbers for ${channels} channels` };
  }
  const key = shape.length === 1 ? tensor : `${tensor}.flat`;
  const array = shape.length === 1 || arrays.byKey.has(key) ? source : reshaped(key, source, [channels]);
  const bias = arrays.byKey.has(key) ? { array: key } : arrays.add(key, array);
  const scale = q ? { bias_scale: oneOrList(q.scale) } : {};
  return { fields: { bias, bias_dtype: dtype.name, ...scale }, notReplayed: null };
}
