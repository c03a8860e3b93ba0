import * as z from 'zod/mini';
import type { InspectDocument } from '../analyze/inspect.js';
import { count, described } from './report.js';

const real = z.pipe(
  z.union([z.number(), z.enum(['inf', '-inf'])]),
  z.transform((value) => Number(value)),
);
const range = z.tuple([real, real]);
const params = {
  dtype: z.string(),
  scale: z.nullable(z.number()),
  zero_point: z.nullable(z.int()),
  real_range: z.nullable(range),
};

const channel = z.object({
  channel: count,
  weight_scale: z.number(),
  weight_zero_point: z.int(),
  weight_range: range,
  bias: z.nullable(z.number()),
  bias_int32: described(z.nullable(z.number()), 'accumulator units, s_x * s_w'),
  bias_steps: z.nullable(z.number()),
  multiplier: z.nullable(z.number()),
  multiplier_int32: z.nullable(z.int()),
  shift: described(z.nullable(z.int()), 'value = acc * multiplier_int32 * 2^(shift - 31)'),
});

const layer = z.object({
  name: z.string(),
  op: z.string(),
  input: z.string(),
  out_features: z.nullable(count),
  in_features: z.nullable(count),
  per_channel: z.nullable(z.boolean()),
  activation: z.nullable(z.enum(['none', 'relu'])),
  output: z.nullable(z.object(params)),
  channels: z.nullable(z.array(channel)),
  channels_omitted: z.nullable(count),
});

const array = z.object({
  key: z.string(),
  dtype: z.string(),
  shape: z.array(count),
  order: z.enum(['C', 'F']),
  bytes: count,
  range: z.nullable(range),
  range_values: described(count, 'the range is that of so many values from the start'),
});

export const inspectSchema = z
  .object({
    format: z.literal('qdiff-inspect'),
    version: z.literal(1),
    kind: z.enum(['model', 'arrays']),
    path: z.string(),
    kernel: z.nullable(z.string()),
    producer: z.nullable(z.record(z.string(), z.string())),
    inputs: z.nullable(z.array(z.object({ name: z.string(), ...params }))),
    layers: z.nullable(z.array(layer)),
    arrays: z.nullable(z.array(array)),
    warnings: z.array(z.object({ code: z.string(), where: z.string(), message: z.string() })),
  })
  .register(z.globalRegistry, { title: 'qdiff inspect', $id: 'qdiff-inspect' });

// A field that the document has and the schema lacks, or the reverse, does not compile.
true satisfies Same<z.output<typeof inspectSchema>, InspectDocument>;
type Same<A, B> = [A] extends [B] ? true : never;
