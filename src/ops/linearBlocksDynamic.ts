/** y = x @ w.T + b of floats, by weights with a scale a block; each block of a row is quantized to int8 in the call (MatMulNBits). */
import * as z from 'zod/mini';
import type { BlocksAttributes } from '../nouns/attributes.js';
import type { TensorForm } from '../nouns/model.js';
import { dimsText } from '../tensor/shape.js';
import { printable } from '../text.js';
import { floatsOf } from './fields/affine.js';
import { expectInput } from './fields/inputs.js';
import { codesRule, FLOAT32 } from './fields/numbers.js';
import { layerFields, list, numbers, outputSchema } from './fields/schema.js';
import { type Table, tableOf } from './fields/table.js';
import { tensorForm } from './fields/tensor.js';
import type { Op, RawLayer, ReadLayer } from './op.js';

const whole = z.int().check(z.positive());

export const linearBlocksDynamic: Op = {
  name: 'linear_blocks_dynamic',
  called: 'linear of blocks, dynamic',
  schema: () =>
    z.object({
      ...layerFields,
      weight: numbers('uint8 [out, blocks * block_size]', list('integer')),
      weight_scale: numbers('float32 [out, blocks]', list('number')),
      weight_zero_point: numbers('uint8 [out, blocks]', list('integer')),
      bias: z.optional(z.nullable(numbers('float32 [out]', list('number')))),
      in_features: whole,
      out_features: whole,
      block_size: whole,
      output: outputSchema,
    }),
  inputs: [1, 1],
  needs: ['weight', 'weight_scale', 'weight_zero_point', 'in_features', 'out_features', 'block_size', 'output'],
  channels: 'last',
  dims({ form, inputs: [{ name, shape }] }) {
    const { inFeatures, outFeatures } = (form as TensorForm).attributes as BlocksAttributes;
    if (shape.dims.at(-1) === inFeatures) return [...shape.dims.slice(0, -1), outFeatures];
    return `expected an input whose last axis is ${inFeatures}, got ${printable(name)} of shape ${dimsText(shape.dims)}`;
  },
  read,
};

interface Sizes {
  readonly in_features: number;
  readonly out_features: number;
  readonly block_size: number;
}

async function read(layer: RawLayer): Promise<ReadLayer | null> {
  expectInput(layer, ['float32'], 'put a dequantize layer before it');
  const { fields, checks, place, output } = layer;
  const bias = await floatsOf(layer, 'bias');
  if (!fields || bias === undefined || !output) return null;
  const { in_features: inFeatures, out_features: outFeatures, block_size: blockSize } = fields as unknown as Sizes;
  const blocks = Math.ceil(inFeatures / blockSize);
  const tables: Table[] = [];
  for (const [name, dtype, rule, count] of [
    ['weight', 'uint8', codesRule('uint8'), outFeatures * blocks * blockSize],
    ['weight_scale', 'float32', FLOAT32, outFeatures * blocks],
    ['weight_zero_point', 'uint8', codesRule('uint8'), outFeatures * blocks],
  ] as const) {
    const table = await tableOf(layer, name, dtype, rule);
    if (!table) return null;
    if (table.count !== count)
      checks.problem('weight', [...place, name], `expected ${count} numbers, got ${table.count}`);
    tables.push(table);
  }
  if (bias && bias.length !== outFeatures) {
    checks.problem('bias', [...place, 'bias'], `expected ${outFeatures} numbers, got ${bias.length}`);
  }
  const attributes: BlocksAttributes = { inFeatures, outFeatures, blockSize, bias };
  /** One after the other. */
  const joined = async () => {
    const parts = await Promise.all(tables.map((table) => table.read()));
    const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const part of parts) {
      all.set(part, at);
      at += part.length;
    }
    return all;
  };
  return { form: { ...tensorForm(attributes), table: joined }, output };
}
