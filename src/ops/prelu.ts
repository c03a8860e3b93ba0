/** x > 0 ? x : weight * x; weight: codes of the input's dtype, one or one a channel; without a scale reals, of what runs in float. */

import * as z from 'zod/mini';
import type { PreluAttributes } from '../nouns/attributes.js';
import type { TensorForm } from '../nouns/model.js';
import { loadNumbers, numberField } from './fields/numbers.js';
import { layerFields, list, numbers, outputSchema, valueFields } from './fields/schema.js';
import { tensorForm } from './fields/tensor.js';
import type { Op, RawLayer } from './op.js';

export const prelu: Op = {
  name: 'prelu',
  schema: () =>
    z.object({
      ...layerFields,
      weight: numbers('codes, or float32 without weight_scale, one or [channels]', list('number')),
      weight_scale: z.optional(valueFields.scale),
      weight_zero_point: z.optional(z.int()),
      output: outputSchema,
    }),
  inputs: [1, 1],
  needs: ['weight', 'output'],
  beyond: (field) =>
    field('weight_scale') === undefined && field('arithmetic') !== 'float' && !isFloat(field('output'))
      ? 'without weight_scale'
      : null,
  reads: 'codes',
  channels: 'input',
  dims({ form, inputs: [{ shape }] }) {
    const { weight } = (form as TensorForm).attributes as PreluAttributes;
    const [channels] = shape.dims;
    if (weight.length === 1 || weight.length === channels) return shape.dims;
    return `expected one weight or ${channels} (its input's first axis), got ${weight.length}`;
  },
  async read(layer) {
    const attributes = await preluAttributes(layer);
    return attributes && layer.output ? { form: tensorForm(attributes), output: layer.output } : null;
  },
};

function isFloat(output: unknown): boolean {
  return (output as { dtype?: unknown } | null | undefined)?.dtype === 'float32';
}

async function preluAttributes({
  fields,
  place,
  checks,
  arrays,
  inputs: [input],
}: RawLayer): Promise<PreluAttributes | null> {
  const field = fields && numberField(fields.weight, [...place, 'weight'], checks, arrays);
  if (!field) return null;
  const { weight_scale: scale, weight_zero_point: zeroPoint = 0 } = fields as {
    weight_scale?: number;
    weight_zero_point?: number;
  };
  if (scale === undefined) {
    const reals = await loadNumbers(field, { expected: 'expected a finite number', accepts: Number.isFinite }, checks);
    return reals && { weight: Float32Array.from(reals), scale: 1, zeroPoint: 0 };
  }
  const [lo, hi] = input?.params?.dtype === 'int8' ? [-128, 127] : [0, 255];
  const accepts = (value: number) => Number.isInteger(value) && value >= lo && value <= hi;
  const codes = await loadNumbers(field, { expected: `expected a code in ${lo}..${hi}`, accepts }, checks);
  return codes && { weight: Int32Array.from(codes), scale, zeroPoint };
}
