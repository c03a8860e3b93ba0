import { z } from 'zod';
import type { InspectDocument } from '../analyze/inspect.js';

const count = z.int().nonnegative();
const real = z.union([z.number(), z.enum(['inf', '-inf'])]).transform((value) => Number(value));
const range = z.tuple([real, real]);
const params = {
  dtype: z.string(),
  scale: z.number().nullable(),
  zero_point: z.int().nullable(),
  real_range: range.nullable(),
};

const channel = z.object({
  channel: count,
  weight_scale: z.number(),
  weight_zero_point: z.int(),
  weight_range: range,
  bias: z.number().nullable(),
  bias_int32: z.number().nullable().describe('accumulator units, s_x * s_w'),
  bias_steps: z.number().nullable(),
  multiplier: z.number().nullable(),
  multiplier_int32: z.int().nullable(),
  shift: z.int().nullable().describe('value = acc * multiplier_int32 * 2^(shift - 31)'),
});

const layer = z.object({
  name: z.string(),
  op: z.string(),
  input: z.string(),
  out_features: count.nullable(),
  in_features: count.nullable(),
  per_channel: z.boolean().nullable(),
  activation: z.enum(['none', 'relu']).nullable(),
  output: z.object(params).nullable(),
  channels: z.array(channel).nullable(),
  channels_omitted: count.nullable(),
});

const array = z.object({
  key: z.string(),
  dtype: z.string(),
  shape: z.array(count),
  order: z.enum(['C', 'F']),
  bytes: count,
  range: range.nullable(),
  range_values: count.describe('the range is that of so many values from the start'),
});

export const inspectSchema = z
  .object({
    format: z.literal('qdiff-inspect'),
    version: z.literal(1),
    kind: z.enum(['model', 'arrays']),
    path: z.string(),
    kernel: z.string().nullable(),
    producer: z.record(z.string(), z.string()).nullable(),
    inputs: z.array(z.object({ name: z.string(), ...params })).nullable(),
    layers: z.array(layer).nullable(),
    arrays: z.array(array).nullable(),
    warnings: z.array(z.object({ code: z.string(), where: z.string(), message: z.string() })),
  })
  .meta({ title: 'qdiff inspect', $id: 'qdiff-inspect' });

// A field that the document has and the schema lacks, or the reverse, does not compile.
true satisfies Same<z.output<typeof inspectSchema>, InspectDocument>;
type Same<A, B> = [A] extends [B] ? true : never;
