/** torch.nn.functional.batch_norm with the numbers that training has left: one multiply-add a channel. */

import * as z from 'zod/mini';
import { activation } from '../documents/activation.js';
import type { BatchNormAttributes } from '../nouns/attributes.js';
import type { TensorForm } from '../nouns/model.js';
import { channelsOf } from '../tensor/shape.js';
import { activationOf } from './fields/activation.js';
import { affineFields, affineOf, floatsOf, wrongLength } from './fields/affine.js';
import { layerFields, list, numbers, outputSchema } from './fields/schema.js';
import { tensorForm } from './fields/tensor.js';
import type { Op } from './op.js';

export const batchNorm: Op = {
  name: 'batch_norm',
  schema: () =>
    z.object({
      ...layerFields,
      ...affineFields,
      running_mean: numbers('float32, [channels]', list('number')),
      running_var: numbers('float32, [channels]', list('number')),
      activation: z.optional(activation),
      output: outputSchema,
    }),
  inputs: [1, 1],
  needs: ['running_mean', 'running_var', 'output'],
  reads: 'codes',
  channels: 'layout',
  dims({ form, inputs: [{ shape }], layout }) {
    const { weight, bias, mean, variance } = (form as TensorForm).attributes as BatchNormAttributes;
    const channels = channelsOf({ ...shape, channelAxis: layout === 'NCHW' ? 0 : shape.dims.length - 1 });
    return wrongLength({ weight, bias, running_mean: mean, running_var: variance }, channels) ?? shape.dims;
  },
  async read(layer) {
    const affine = await affineOf(layer);
    const [mean, variance] = [await floatsOf(layer, 'running_mean'), await floatsOf(layer, 'running_var')];
    if (!affine || !mean || !variance || !layer.output) return null;
    return { form: tensorForm({ ...affine, mean, variance }, activationOf(layer)), output: layer.output };
  },
};
