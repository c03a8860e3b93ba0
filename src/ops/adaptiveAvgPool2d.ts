/** torch.nn.functional.adaptive_avg_pool2d: means of as many windows as the output has places; they may overlap. */

import * as z from 'zod/mini';
import type { AdaptivePoolAttributes } from '../nouns/attributes.js';
import type { TensorForm } from '../nouns/model.js';
import { dimsText } from '../tensor/shape.js';
import { printable } from '../text.js';
import { ownOrKept } from './fields/elementwise.js';
import { wrongRank } from './fields/pool.js';
import { keptOutput, layerFields } from './fields/schema.js';
import { tensorForm } from './fields/tensor.js';
import type { Op, ShapedLayer } from './op.js';

const EXPECTED = 'expected a whole number from 1 on, or [height, width], null for as many as the input has';
const size = z.nullable(z.int(EXPECTED).check(z.positive(EXPECTED)));

export const adaptiveAvgPool2d: Op = {
  name: 'adaptive_avg_pool2d',
  schema: z.object({
    ...layerFields,
    output_size: z.union([size, z.tuple([size, size]), z.tuple([size])], EXPECTED),
    output: keptOutput,
  }),
  inputs: [1, 1],
  needs: ['output_size'],
  reads: 'codes',
  channels: 'layout',
  dims: adaptiveDims,
  read(layer) {
    const output = ownOrKept(layer);
    if (!layer.fields || !output) return null;
    const given = layer.fields.output_size as number | null | (number | null)[];
    const sizes = Array.isArray(given) ? given : [given];
    return { form: tensorForm({ size: [sizes[0], sizes.at(-1) ?? null] } satisfies AdaptivePoolAttributes), output };
  },
};

function adaptiveDims({ form, inputs: [{ name, shape }], layout }: ShapedLayer): readonly number[] | string {
  const wrong = wrongRank(shape.dims, 2, `${printable(name)} of shape ${dimsText(shape.dims)}`);
  if (wrong) return wrong;
  const { size } = (form as TensorForm).attributes as AdaptivePoolAttributes;
  const first = layout === 'NCHW' ? 1 : 0;
  return shape.dims.map((dim, axis) => size[axis - first] ?? dim);
}
