/** What normalizations of groups of channels have in common, over all places of a sample. */

import * as z from 'zod/mini';
import type { GroupNormAttributes } from '../../nouns/attributes.js';
import type { TensorForm } from '../../nouns/model.js';
import type { Op, RawLayer } from '../op.js';
import { affineFields, affineOf, wrongLength } from './affine.js';
import { layerFields, outputSchema } from './schema.js';
import { tensorForm } from './tensor.js';

/** groups: null: each channel by itself. */
export function groupNormalized(
  name: string,
  fields: z.ZodMiniObject['shape'],
  groups: (layer: RawLayer) => number | null,
): Op {
  return {
    name,
    schema: () => z.object({ ...layerFields, ...affineFields, ...fields, output: outputSchema }),
    inputs: [1, 1],
    needs: [...Object.keys(fields), 'output'],
    reads: 'codes',
    channels: 'layout',
    dims({ form, inputs: [{ shape }], layout }) {
      const { weight, bias, groups: count } = (form as TensorForm).attributes as GroupNormAttributes;
      const channels = shape.dims[layout === 'NCHW' ? 0 : shape.dims.length - 1];
      const uneven = count !== null && channels % count > 0;
      if (uneven) return `expected a number of groups that divides its input's ${channels} channels, got ${count}`;
      return wrongLength({ weight, bias }, channels) ?? shape.dims;
    },
    async read(layer) {
      const affine = await affineOf(layer);
      if (!affine || !layer.fields || !layer.output) return null;
      return {
        form: tensorForm({ ...affine, groups: groups(layer) } satisfies GroupNormAttributes),
        output: layer.output,
      };
    },
  };
}
