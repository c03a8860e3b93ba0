import * as z from 'zod/mini';
import { activation } from './activation.js';
import { count, end, originFields, warningSchema } from './fields.js';

/** What is in a file: the arrays of an npz, or the layers of a model with what a kernel makes of their numbers. */

const number = z.nullable(z.number());
const integer = z.nullable(z.int());
const rangeSchema = z.tuple([end, end]);

const paramsSchema = z.object({
  dtype: z.string(),
  scale: number,
  zero_point: integer,
  /** What its codes can stand for. */
  real_range: z.nullable(rangeSchema),
});

/** What one output channel adds, as kernels see it. */
const channelSchema = z.object({
  channel: count,
  weight_scale: z.number(),
  weight_zero_point: z.int(),
  /** null: so many weights are not read. */
  weight_range: z.nullable(rangeSchema),
  /** In real units; `bias_steps` in steps of the output. */
  bias: number,
  bias_int32: number.check(z.describe('accumulator units, s_x * s_w')),
  bias_steps: number,
  /** s_x * s_w / s_y; null for float outputs and dynamic layers. */
  multiplier: number,
  multiplier_int32: integer,
  shift: integer.check(z.describe('value = acc * multiplier_int32 * 2^(shift - 31)')),
});

const layerSchema = z.object({
  name: z.string(),
  op: z.string(),
  ...originFields,
  not_replayed: z.optional(z.nullable(z.string())).check(z.describe('why it is not replayed, whatever its op')),
  input: z.string(),
  other_inputs: z
    .optional(z.array(z.string()))
    .check(z.describe('of a layer that reads several, those after the first')),
  out_features: z.nullable(count),
  in_features: z.nullable(count),
  per_channel: z.nullable(z.boolean()),
  activation: z.nullable(activation),
  output: z.nullable(paramsSchema),
  channels: z.nullable(z.array(channelSchema)),
  channels_omitted: z.nullable(count),
});

const arraySchema = z.object({
  key: z.string(),
  dtype: z.string(),
  shape: z.array(count),
  order: z.enum(['C', 'F']),
  bytes: count,
  /** null where no value was read. NaN does not count. */
  range: z.nullable(rangeSchema),
  range_values: count.check(z.describe('the range is that of so many values from the start')),
});

export const inspectSchema = z.object({
  format: z.literal('qdiff-inspect'),
  version: z.literal(1),
  kind: z.enum(['model', 'arrays']),
  path: z.string(),
  /** What follows from flow and engine; null for arrays. */
  kernel: z.nullable(z.string()),
  producer: z.nullable(z.record(z.string(), z.string())),
  inputs: z.nullable(z.array(z.object({ name: z.string(), ...paramsSchema.shape }))),
  layers: z.nullable(z.array(layerSchema)),
  arrays: z.nullable(z.array(arraySchema)),
  warnings: z.array(warningSchema),
});

export type InspectDocument = z.output<typeof inspectSchema>;
export type InspectedArray = z.output<typeof arraySchema>;
export type InspectedLayer = z.output<typeof layerSchema>;
export type InspectedChannel = z.output<typeof channelSchema>;
export type InspectedParams = z.output<typeof paramsSchema>;
export type MinMax = z.output<typeof rangeSchema>;
