import * as z from 'zod/mini';
import {
  integer,
  list,
  name,
  names,
  numbers,
  originFields,
  outputSchema,
  shapeFields,
  size,
  text,
  texts,
  valueFields,
} from '../ops/fields/schema.js';
import { ops } from '../ops/registry.js';

/*
 * model.json, version 1: the one source of its types, of the messages for a wrong field, and of the JSON Schema that
 * ships with the package. What an op's layer holds stands in the op's file.
 */

/** A layer of an op that qdiff has no file for: not replayed; only its captured output is used. */
const opaqueLayer = () => {
  const input = z.nullish(names);
  const output = z.nullish(outputSchema);
  return z.object({ name, op: name, input, inputs: input, output, ...shapeFields, ...originFields });
};
export const opaqueSchema = z.lazy(opaqueLayer);

const word = z.string();
const flag = z.nullish(z.boolean());

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
  threads: z.nullish(size),
  amx_int8: flag,
  outputs_changed_by_capturing: z.nullish(integer),
  delegated: texts,
  environment: z.nullish(z.record(word, word)),
  settings: z.nullish(
    z.record(word, z.union([word, z.number(), z.boolean()])).check(
      z.refine(({ reset_variables: value = false }) => [true, false, 0, 1, '0', '1'].includes(value), {
        error: 'expected true or false',
        path: ['reset_variables'],
      }),
    ),
  ),
});

export const inputSchema = z.object({ name, ...valueFields, of_graph: z.optional(z.boolean()) });

/** A value that layers read and no capture has; `value` repeats with the samples. */
export const constantSchema = z.lazy(() =>
  z.object({
    name,
    ...valueFields,
    value: numbers('[...shape], or several samples of it one after the other', list('number')),
  }),
);

/** First of all: what other versions do not have to share. */
export const formatSchema = z.object({ format: z.literal('qdiff-model'), version: z.literal(1) });

const anyList = z.optional(z.array(z.unknown()));

export const modelFileSchema = z.object({
  ...formatSchema.shape,
  producer: z.optional(z.nullable(producerSchema)),
  arrays: z.nullish(name),
  layout: z.nullish(z.enum(['NCHW', 'NHWC'])),
  inputs: anyList,
  constants: anyList,
  samples_per_call: z.optional(size),
  folded: z.optional(z.array(z.string())),
  layers: z.array(z.unknown()).check(z.minLength(1)),
});

export type RawProducer = z.infer<typeof producerSchema>;

/** The JSON Schema of model.json, for editors and other tools. */
export function modelJsonSchema(): object {
  const replayed = ops.map((op) => z.extend(op.schema(), { op: z.literal(op.name) }));
  const unknownOp = z.extend(opaqueLayer(), {
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
