/** What ops on two values have in common: one result a pair, shapes broadcast. */

import * as z from 'zod/mini';
import { activation } from '../../documents/activation.js';
import type { AddAttributes } from '../../nouns/attributes.js';
import type { Op, ShapedLayer } from '../op.js';
import { computed } from './activation.js';
import { shapedText } from './inputs.js';
import { layerFields, outputSchema } from './schema.js';

export function ofTwo(name: string): Op {
  return {
    name,
    schema: () =>
      z.object({
        ...layerFields,
        activation: z.optional(activation),
        /** TFLite's: int16 operands of scales that are powers of two may be shifted only. */
        pot_scale_int16: z.optional(z.boolean()),
        output: outputSchema,
      }),
    inputs: [2, 2],
    needs: ['output'],
    reads: 'codes',
    channels: 'input',
    dims: broadcastDims,
    read: (layer) => computed(layer, ({ pot_scale_int16: pot }): AddAttributes => ({ potScaleInt16: pot === true })),
  };
}

/** As PyTorch's: from the last axis on, sizes are equal or one of them is 1. */
export function broadcastDims({ inputs }: ShapedLayer): readonly number[] | string {
  const rank = Math.max(...inputs.map(({ shape }) => shape.dims.length));
  const sizes = Array.from({ length: rank }, (_, i) => inputs.map(({ shape }) => shape.dims.at(i - rank) ?? 1));
  const dims = sizes.map((all) => Math.max(...all));
  if (sizes.every((all, i) => all.every((size) => size === 1 || size === dims[i]))) return dims;
  const given = inputs.map(shapedText).join(' and ');
  return `expected inputs of one shape, or sizes of 1 that are broadcast, got ${given}`;
}
