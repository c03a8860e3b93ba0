/** What pools have in common that make as many windows as their output has places. */

import * as z from 'zod/mini';
import type { AdaptivePoolAttributes } from '../../nouns/attributes.js';
import type { TensorForm } from '../../nouns/model.js';
import { dimsText } from '../../tensor/shape.js';
import { printable } from '../../text.js';
import type { Op, ShapedLayer } from '../op.js';
import { ownOrKept } from './elementwise.js';
import { wrongRank } from './pool.js';
import { keptOutput, layerFields } from './schema.js';
import { tensorForm } from './tensor.js';

const AXES = ['[length]', '[height, width]', '[depth, height, width]'];

/** spatial: how many axes have places. */
export function adaptivePool(name: string, spatial: number): Op {
  const expected = `expected a whole number from 1 on, or ${AXES[spatial - 1]}, null for as many as the input has`;
  return {
    name,
    schema() {
      const size = z.nullable(z.int(expected).check(z.positive(expected)));
      const sizes = z.array(size).check(z.refine(({ length }) => length === 1 || length === spatial, expected));
      return z.object({ ...layerFields, output_size: z.union([size, sizes], expected), output: keptOutput() });
    },
    inputs: [1, 1],
    needs: ['output_size'],
    reads: 'codes',
    channels: 'layout',
    dims: (layer) => adaptiveDims(layer, spatial),
    read(layer) {
      const output = ownOrKept(layer);
      if (!layer.fields || !output) return null;
      const given = [layer.fields.output_size as number | null | (number | null)[]].flat();
      const every = Array.from({ length: spatial }, (_, axis) => given[given.length === 1 ? 0 : axis]);
      return { form: tensorForm({ size: every } satisfies AdaptivePoolAttributes), output };
    },
  };
}

function adaptiveDims({ form, inputs: [{ name, shape }], layout }: ShapedLayer, spatial: number) {
  const wrong = wrongRank(shape.dims, spatial, `${printable(name)} of shape ${dimsText(shape.dims)}`);
  if (wrong) return wrong;
  const { size } = (form as TensorForm).attributes as AdaptivePoolAttributes;
  const first = layout === 'NCHW' ? 1 : 0;
  return shape.dims.map((dim, axis) => size[axis - first] ?? dim);
}
