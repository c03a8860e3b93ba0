/** torch.stack of values of one shape and parameters, TFLite's PACK: beside each other along an axis of its own. */

import * as z from 'zod/mini';
import type { AxisAttributes } from '../nouns/attributes.js';
import type { TensorForm } from '../nouns/model.js';
import { dimsText, sameDims, sizeOf } from '../tensor/shape.js';
import { printable } from '../text.js';
import { integer, layerFields, outputSchema } from './fields/schema.js';
import { tensorForm } from './fields/tensor.js';
import type { Op, ShapedLayer } from './op.js';

/** More than anything stacks. */
const MOST = 1024;

interface Attributes extends AxisAttributes {
  /** Another shape of as many values: [4, 1, 8] of four [1, 8], whose first axis was the samples'. */
  readonly shape: readonly number[] | null;
}

export const stack: Op = {
  name: 'stack',
  schema: () => z.object({ ...layerFields, dim: integer, output: outputSchema }),
  inputs: [1, MOST],
  needs: ['dim', 'output'],
  reads: 'codes',
  beyond: (field) => (field('dim') === 0 ? "over the samples' axis" : null),
  channels: 'last',
  dims: stackedDims,
  read({ fields, output }) {
    if (!fields || !output) return null;
    const { dim, shape } = fields as { dim: number; shape?: readonly number[] };
    return { form: tensorForm({ dim, shape: shape ?? null } satisfies Attributes), output };
  },
};

function stackedDims({ form, inputs }: ShapedLayer): readonly number[] | string {
  const [first, ...others] = inputs;
  const { dim, shape } = (form as TensorForm).attributes as Attributes;
  const { dims } = first.shape;
  const wrong = others.find((input) => !sameDims(input.shape.dims, dims));
  if (wrong) {
    const given = [first, wrong].map((input) => `${printable(input.name)} ${dimsText(input.shape.dims)}`).join(' and ');
    return `expected inputs of one shape, got ${given}`;
  }
  const axis = dim < 0 ? dim + dims.length + 1 : dim - 1;
  if (!(axis >= 0 && axis <= dims.length)) return `expected an axis of 1..${dims.length + 1}, got ${dim}`;
  const stacked = [...dims.slice(0, axis), inputs.length, ...dims.slice(axis)];
  return shape && sizeOf(shape) === sizeOf(stacked) ? shape : stacked;
}
