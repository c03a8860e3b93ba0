/** Attention whose queries, keys and values are products of codes: ONNX Runtime's QAttention, of codes or of floats that it quantizes. */
import * as z from 'zod/mini';
import type { QAttentionAttributes } from '../nouns/attributes.js';
import type { TensorForm } from '../nouns/model.js';
import { dimsText } from '../tensor/shape.js';
import { printable } from '../text.js';
import { Constants } from './fields/constants.js';
import { expectInput } from './fields/inputs.js';
import { SCALES } from './fields/numbers.js';
import { floatOutput, layerFields, list, numbers, oneOrList, size } from './fields/schema.js';
import { tensorForm } from './fields/tensor.js';
import { FLOAT } from './fields/valueParams.js';
import type { Op, RawLayer, ReadLayer, ShapedLayer } from './op.js';

const fields = () => ({
  ...layerFields,
  weight: z.object({
    codes: numbers('int8 or uint8, [inputs, 3 * hidden]: queries, keys, values', list('integer')),
    dtype: z.enum(['int8', 'uint8']),
    scale: numbers('one, or one a column', oneOrList('number')),
    zero_point: numbers('one, or one a column', oneOrList('integer')),
  }),
  bias: numbers('float32, [3 * hidden]', list('number')),
  heads: size,
  is_causal: z.optional(z.boolean()),
  scale: z.number(),
  mask: z.optional(z.enum(['places', 'ones'])),
  mask_filter_value: z.number(),
  output: floatOutput(),
});
type Fields = z.infer<z.ZodMiniObject<ReturnType<typeof fields>>>;

export const qAttention: Op = {
  name: 'q_attention',
  called: 'attention of codes',
  schema: () => z.object(fields()),
  inputs: [1, 2],
  needs: ['weight', 'bias', 'heads', 'scale', 'mask_filter_value'],
  channels: 'last',
  dims: dimsOf,
  read,
};

/** [places, inputs], and a number a place. */
function dimsOf({ form, inputs: [x, mask] }: ShapedLayer): readonly number[] | string {
  const { inputs, heads, size } = (form as TensorForm).attributes as QAttentionAttributes;
  const [places, features] = x.shape.dims;
  if (x.shape.dims.length !== 2 || features !== inputs)
    return `expected an axis of places and one of ${inputs} values (its weights), got ${printable(x.name)} of shape ${dimsText(x.shape.dims)}`;
  if (mask && (mask.shape.dims.length !== 1 || mask.shape.dims[0] !== places))
    return `expected a number a place as a mask, ${places}, got ${printable(mask.name)} of shape ${dimsText(mask.shape.dims)}`;
  return [places, heads * size];
}

async function read(layer: RawLayer): Promise<ReadLayer | null> {
  expectInput(layer, ['float32', 'uint8'], 'it reads codes, or quantizes its input itself');
  if (!layer.fields) return null;
  const given = layer.fields as unknown as Fields;
  const constants = new Constants(layer);
  const { codes, dtype, scale, zero_point } = given.weight;
  const counts = [
    await constants.add('weight', codes, dtype, ['weight', 'codes']),
    await constants.add('bias', given.bias, 'float32', ['bias']),
    await constants.add('weight.scale', scale, 'float32', ['weight', 'scale'], SCALES),
    await constants.add('weight.zero_point', zero_point, dtype, ['weight', 'zero_point']),
  ];
  const [count, columns, scales, zeroPoints] = counts;
  if (!count || !columns || !scales || !zeroPoints) return null;
  const wrong = (field: string, message: string) => {
    layer.checks.problem(field, [...layer.place, ...field.split('.')], message);
    return null;
  };
  if (columns % (3 * given.heads) !== 0)
    return wrong(
      'bias',
      `expected a multiple of ${3 * given.heads} numbers (three of ${given.heads} heads), got ${columns}`,
    );
  if (count % columns !== 0)
    return wrong('weight.codes', `expected a multiple of ${columns} codes (the bias), got ${count}`);
  for (const [field, own] of [
    ['weight.scale', scales],
    ['weight.zero_point', zeroPoints],
  ] as const)
    if (own !== 1 && own !== columns) return wrong(field, `expected 1 or ${columns} numbers, one a column, got ${own}`);
  const attributes: QAttentionAttributes = {
    inputs: count / columns,
    heads: given.heads,
    size: columns / 3 / given.heads,
    isCausal: given.is_causal === true,
    scale: given.scale,
    mask: given.mask ?? 'places',
    filter: given.mask_filter_value,
  };
  const isDynamic = layer.inputs[0]?.params?.dtype === 'float32';
  const form = {
    ...tensorForm(attributes),
    arrays: () => constants.read(),
    ...(isDynamic ? { quantizesItself: true as const } : {}),
  };
  return { form, output: FLOAT };
}
