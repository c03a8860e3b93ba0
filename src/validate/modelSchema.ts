import * as z from 'zod/mini';
import {
  list,
  name,
  names,
  numbers,
  originFields,
  outputSchema,
  shapeFields,
  valueFields,
} from '../ops/fields/schema.js';
import { ops } from '../ops/registry.js';

/*
 * model.json, version 1: the one source of its types, of the messages for a wrong field, and of the JSON Schema that
 * ships with the package. What an op's layer holds stands in the op's file.
 */

/** A layer of an op that qdiff has no file for: not replayed; only its captured output is used. */
export const opaqueSchema = z.object({
  name,
  op: name,
  input: z.optional(z.nullable(names)),
  inputs: z.optional(z.nullable(names)),
  output: z.optional(z.nullable(outputSchema)),
  ...shapeFields,
  ...originFields,
});

const text = z.optional(z.nullable(z.string()));
const flag = z.optional(z.nullable(z.boolean()));

export const producerSchema = z.object({
  framework: text,
  framework_version: text,
  flow: text,
  engine: text,
  kernel: text,
  arch: text,
  cpu_capability: text,
  avx512: flag,
  avx512_vnni: flag,
  avx_vnni: flag,
  threads: z.optional(z.nullable(z.int().check(z.positive()))),
  amx_int8: flag,
  outputs_changed_by_capturing: z.optional(z.nullable(z.int())),
  delegated: z.optional(z.nullable(z.array(z.string()))),
  environment: z.optional(z.nullable(z.record(z.string(), z.string()))),
  settings: z.optional(z.nullable(z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])))),
});

export const inputSchema = z.object({ name, ...valueFields, of_graph: z.optional(z.boolean()) });

/** A value that layers read and no capture has; `value` repeats with the samples. */
export const constantSchema = z.object({
  name,
  ...valueFields,
  value: numbers('[...shape], or several samples of it one after the other', list('number')),
});

/** First of all: what other versions do not have to share. */
export const formatSchema = z.object({ format: z.literal('qdiff-model'), version: z.literal(1) });

export const modelFileSchema = z.object({
  ...formatSchema.shape,
  producer: z.optional(z.nullable(producerSchema)),
  arrays: z.optional(z.nullable(z.string().check(z.minLength(1)))),
  layout: z.optional(z.nullable(z.enum(['NCHW', 'NHWC']))),
  inputs: z.optional(z.array(z.unknown())),
  constants: z.optional(z.array(z.unknown())),
  samples_per_call: z.optional(z.int().check(z.positive())),
  folded: z.optional(z.array(z.string())),
  layers: z.array(z.unknown()).check(z.minLength(1)),
});

export type RawProducer = z.infer<typeof producerSchema>;

/** The JSON Schema of model.json, for editors and other tools. */
export function modelJsonSchema(): object {
  const replayed = ops.map((op) => z.extend(op.schema(), { op: z.literal(op.name) }));
  const unknownOp = z.extend(opaqueSchema, {
    op: z.string().register(z.globalRegistry, {
      minLength: 1,
      not: { enum: ops.filter(({ needs }) => !needs).map(({ name }) => name) },
    }),
  });
  const whole = z.extend(modelFileSchema, {
    inputs: z.optional(z.array(inputSchema)),
    constants: z.optional(z.array(constantSchema)),
    layers: z.array(z.union([...replayed, unknownOp])).check(z.minLength(1)),
  });
  return z.toJSONSchema(whole, { io: 'input' });
}
