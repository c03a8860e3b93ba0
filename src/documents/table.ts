import * as z from 'zod/mini';
import { count, real } from './fields.js';

/** The constants that integer hardware and firmware need of each layer, from the model alone; names are those of golden vectors. */
const channelSchema = z.object({
  channel: count,
  weight_zero_point: z.int(),
  multiplier_int32: z.optional(z.int()),
  shift: z.optional(
    z.int().check(z.describe('the exponent: multiplier_int32 * 2^(shift - 31); negative shifts right')),
  ),
  multiplier_float32: z.optional(
    real.check(z.describe('in place of the two, where the kernel multiplies by floats: their product')),
  ),
  bias_int32: z.optional(
    z.int().check(z.describe('at scale s_x * s_w; where the kernel keeps the bias in float, the nearest')),
  ),
  bias_int64: z.optional(real.check(z.describe('in its place, where int32 does not hold it: 16 x 8'))),
  bias_float32: z.optional(real.check(z.describe('where the kernel keeps the bias in float'))),
});

export const tableSchema = z.object({
  format: z.literal('qdiff-table'),
  version: z.literal(1),
  kernel: z.string(),
  layers: z.array(
    z.object({
      name: z.string(),
      op: z.string(),
      kernel: z.string(),
      /** From the accumulator to steps of the output's scale. */
      equation: z.string(),
      input_zero_point: z.int(),
      addend_zero_point: z.optional(z.int()).check(z.describe('of a second input that is added')),
      addend_multiplier_float32: z
        .optional(real)
        .check(z.describe('takes its centred codes to steps of the output: the ratio of the scales')),
      output_zero_point: z.nullable(z.int()).check(z.describe('null for a float output')),
      clamp: z.nullable(z.tuple([z.int(), z.int()])).check(z.describe('codes, a fused ReLU included')),
      channels: z.array(channelSchema),
    }),
  ),
  /** Layers that multiply weights, or may, and are not in it. */
  skipped: z.array(z.object({ layer: z.string(), why: z.string() })),
});

export type TableDocument = z.output<typeof tableSchema>;
export type TableLayer = TableDocument['layers'][number];
export type TableChannel = TableLayer['channels'][number];
