/** Parts of the schemas of layers: types, messages for a wrong field, and the JSON Schema that ships with the package. */
import * as z from 'zod/mini';
import { name } from '../../documents/checks.js';

/*
 * Lists of numbers are `unknown` here: zod would walk 10^7 weights one by one; numbers.ts checks them in one loop.
 * zod/mini: it starts 8 ms faster than zod.
 */

const INTEGER_DTYPES = ['uint8', 'int8', 'int16', 'uint16', 'int32'] as const;
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

export { name };

const scale = z.number(EXPECTED_SCALE).check(z.positive(EXPECTED_SCALE), z.refine(isUsableScale, EXPECTED_SCALE));

const EXPECTED_FLOAT32 = 'expected a positive number that float32 holds';
const isFloat32 = (value: number) => Math.fround(value) > 0 && Number.isFinite(Math.fround(value));
/** Of what no kernel divides by alone. */
export const float32Scale = z.number(EXPECTED_FLOAT32).check(z.refine(isFloat32, EXPECTED_FLOAT32));
export const integer = z.int();

// each schema takes 3 kB and 14 microseconds of every start: what is equal is one
export const size = z.int().check(z.positive());
export const text = z.nullish(z.string());
export const texts = z.nullish(z.array(z.string()));
const maybeInteger = z.optional(integer);
export const maybeSize = z.optional(size);

/** Numbers as nested lists, or {"array": KEY}; checked by numbers.ts. */
export function numbers(description: string, inline: object) {
  const key = { type: 'object', properties: { array: { type: 'string' } }, required: ['array'] };
  return z.unknown().register(z.globalRegistry, { description, anyOf: [inline, key] });
}

export const list = (type: string) => ({ type: 'array', items: { type } });
export const oneOrList = (type: string) => ({ anyOf: [{ type }, list(type)] });

/** Shapes are without the samples' axis, channel_axis points into them; how a call's tensor lay in memory is the exporter's to say. */
export const shapeFields = {
  shape: z.nullish(z.array(size)),
  channel_axis: z.nullish(integer),
  strides: z.nullish(z.array(integer)),
  memory_format: z.nullish(z.enum(['contiguous', 'channels_last'])),
  blocks_before: maybeSize,
};

export const valueFields = {
  dtype: z.enum(VALUE_DTYPES),
  scale: z.optional(scale),
  zero_point: maybeInteger,
  quant_min: maybeInteger,
  quant_max: maybeInteger,
  ...shapeFields,
};

/** dtype, scale and zero_point: the `output` of a layer, and in an input. */
export const outputSchema = z.object(valueFields);
export type RawValueParams = z.infer<typeof outputSchema>;

/** One name, or a list of names. */
const EXPECTED_NAMES = 'expected a name or a list of names';
export const names = z.union([name, z.array(name).check(z.minLength(1))], EXPECTED_NAMES);

/** Of TFLite and LiteRT, as far as they compute differently. */
const RELEASES = ['litert-2.3', 'litert-1.4', 'litert-1.2', 'tensorflow-2.21', 'tflite-2.14'] as const;

const bytes = z.enum(['uint8', 'int8']);
const hazard = z.lazy(() =>
  z.object({ code: z.string(), message: z.string(), fix: z.string(), evidence: z.record(z.string(), z.unknown()) }),
);

/** What front ends say of a layer besides its numbers: the file's nodes, what they run in, and why it is not to be replayed. */
export const originFields = {
  nodes: texts,
  not_replayed: text,
  arithmetic: z.nullish(z.enum(['integers', 'float'])),
  because: text,
  remedy: text,
  hazards: z.nullish(z.array(hazard)),
  delegates: z.nullish(z.array(z.enum(RELEASES))),
  ran_as: z.nullish(z.object({ codes: bytes, weights: bytes })),
};
export type RawOrigin = z.infer<z.ZodMiniObject<typeof originFields>>;

export const layerFields = { name, op: z.string(), input: names, ...shapeFields, ...originFields };

/** The output repeats what the input has, or says nothing. */
export const keptOutput = () => z.nullish(outputSchema);
export const floatOutput = () => z.nullish(z.object({ ...valueFields, dtype: z.literal('float32') }));
export const realOrSums = () => z.nullish(z.object({ ...valueFields, dtype: z.enum(['float32', 'int32']) }));
export const codesOutput = () => z.object({ ...valueFields, dtype: z.enum(INTEGER_DTYPES) });
