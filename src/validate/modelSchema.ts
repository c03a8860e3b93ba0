import * as z from 'zod/mini';

/*
 * model.json, version 1: the one source of its types, of the messages for a wrong field, and of the JSON Schema that
 * ships with the package. Lists of numbers are `unknown` here: zod would walk 10^7 weights one by one; numbers.ts
 * checks them in one loop. zod/mini: it starts 8 ms faster than zod.
 */

const INTEGER_DTYPES = ['uint8', 'int8', 'int32'] as const;
const VALUE_DTYPES = [...INTEGER_DTYPES, 'float32'] as const;

/** 1 / float32(scale) is a float32 from here on. */
export const SMALLEST_SCALE = 2.938737e-39;

/** Kernels round the scale to float32 and some divide by it: both must stay positive and finite. */
export function isUsableScale(scale: unknown): scale is number {
  if (typeof scale !== 'number' || !(scale > 0)) return false;
  const rounded = Math.fround(scale);
  return Number.isFinite(rounded) && rounded > 0 && Number.isFinite(Math.fround(1 / rounded));
}

export const EXPECTED_SCALE = `expected a positive number that float32 holds, as it does 1/scale (at least ${SMALLEST_SCALE})`;

const name = z.string().check(z.minLength(1));
const scale = z.number(EXPECTED_SCALE).check(z.positive(EXPECTED_SCALE), z.refine(isUsableScale, EXPECTED_SCALE));
const integer = z.int();

/** Numbers as nested lists, or {"array": KEY}; checked by numbers.ts. */
function numbers(description: string, inline: object) {
  const key = { type: 'object', properties: { array: { type: 'string' } }, required: ['array'] };
  return z.unknown().register(z.globalRegistry, { description, anyOf: [inline, key] });
}

const list = (type: string) => ({ type: 'array', items: { type } });
const oneOrList = (type: string) => ({ anyOf: [{ type }, list(type)] });

const valueParams = {
  dtype: z.enum(VALUE_DTYPES),
  scale: z.optional(scale),
  zero_point: z.optional(integer),
  quant_min: z.optional(integer),
  quant_max: z.optional(integer),
};
/** dtype, scale and zero_point: the `output` of a layer, and in an input. */
export const outputSchema = z.object(valueParams);
const layerBase = { name, op: z.string(), input: name };
const linearFields = {
  weight: numbers('int8 [out_features, in_features]', { type: 'array', items: list('integer') }),
  weight_dtype: z.optional(z.literal('int8')),
  weight_scale: numbers('one number (per tensor) or [out_features] (per channel)', oneOrList('number')),
  weight_zero_point: z.optional(numbers('default 0; as weight_scale', oneOrList('integer'))),
  bias: z.optional(
    numbers('[out_features]: float32, or int32 at scale s_x * s_w; null without', {
      anyOf: [list('number'), { type: 'null' }],
    }),
  ),
  bias_dtype: z.optional(z.enum(['float32', 'int32'])),
  activation: z.optional(z.enum(['none', 'relu'])),
};
const keepsParams = z.object({ ...layerBase, output: z.optional(z.nullable(outputSchema)) });
const floatOutput = z.optional(z.nullable(z.object({ ...valueParams, dtype: z.literal('float32') })));

/** One row an op that qdiff replays. */
export const layerSchemas = {
  linear: z.object({ ...layerBase, ...linearFields, output: outputSchema }),
  linear_dynamic: z.object({ ...layerBase, ...linearFields, reduce_range: z.boolean(), output: floatOutput }),
  relu: keepsParams,
  relu6: keepsParams,
  identity: keepsParams,
  quantize: z.object({ ...layerBase, output: z.object({ ...valueParams, dtype: z.enum(INTEGER_DTYPES) }) }),
  dequantize: z.object({ ...layerBase, output: floatOutput }),
};

/** Any other op: not replayed; only its captured output is used. */
export const opaqueSchema = z.object({
  name,
  op: name,
  input: z.optional(z.nullable(z.union([z.string(), z.array(z.string())]))),
  output: z.optional(z.nullable(outputSchema)),
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
  avx512_vnni: flag,
  avx_vnni: flag,
  environment: z.optional(z.nullable(z.record(z.string(), z.string()))),
});

export const inputSchema = z.object({ name, ...valueParams });

/** First of all: what other versions do not have to share. */
export const formatSchema = z.object({ format: z.literal('qdiff-model'), version: z.literal(1) });

export const modelFileSchema = z.object({
  ...formatSchema.shape,
  producer: z.optional(z.nullable(producerSchema)),
  arrays: z.optional(z.nullable(z.string().check(z.minLength(1)))),
  inputs: z.optional(z.array(z.unknown())),
  layers: z.array(z.unknown()).check(z.minLength(1)),
});

export type ReplayedOp = keyof typeof layerSchemas;
export type RawValueParams = z.infer<typeof outputSchema>;
export type RawLinear = z.infer<typeof layerSchemas.linear>;
export type RawProducer = z.infer<typeof producerSchema>;

/** The JSON Schema of model.json, for editors and other tools. */
export function modelJsonSchema(): object {
  const replayed = Object.entries(layerSchemas).map(([op, schema]) => z.extend(schema, { op: z.literal(op) }));
  const unknownOp = z.extend(opaqueSchema, {
    op: z.string().register(z.globalRegistry, { minLength: 1, not: { enum: Object.keys(layerSchemas) } }),
  });
  const whole = z.extend(modelFileSchema, {
    inputs: z.optional(z.array(inputSchema)),
    layers: z.array(z.union([...replayed, unknownOp])).check(z.minLength(1)),
  });
  return z.toJSONSchema(whole, { io: 'input' });
}
