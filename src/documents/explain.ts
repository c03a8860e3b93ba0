import * as z from 'zod/mini';
import { activation } from './activation.js';
import { count, real as number } from './fields.js';

/** One value of a layer, worked out step by step under each kernel of interest. */

const pair = z.tuple([z.number(), z.number()]);
const real = z.nullable(number);
const integer = z.nullable(z.int());

/** Of a pointwise layer only `steps`, `value` and `explains`; the rest is null or empty. */
const columnSchema = z.object({
  kernel: z.string(),
  input: z
    .optional(z.object({ scale: number, zero_point: z.int() }))
    .check(z.describe('of a layer that quantizes its own input: what this kernel chose')),
  accumulator: integer.check(z.describe('zero points corrected, before bias')),
  saturating_pairs: z
    .array(z.object({ k: pair, x: pair, w: pair, sum: z.int(), saturated: z.int() }))
    .check(z.describe('raw codes; k is -1 where a product stands alone')),
  bias: real.check(z.describe('real units')),
  /** As int32 where the kernel rounds it, else the float that is added. */
  bias_accumulator_units: real,
  bias_is_int32: z.boolean(),
  /** s_x * s_w / s_y (s_x * s_w for float outputs), and its bits. */
  multiplier: real.check(z.describe('float32')),
  multiplier_bits: z.nullable(z.string()),
  /** value = acc * multiplier * 2^(shift - 31). */
  multiplier_fixed: z.nullable(z.object({ multiplier: z.int(), shift: z.int() })),
  fixed_point: z.boolean(),
  /** After each operation, in the kernel's order. */
  steps: z.array(z.object({ name: z.string(), value: number })),
  /** null for float outputs. */
  before_rounding: real.check(z.describe('steps of the output, without the zero point')),
  /** Of `before_rounding` to the nearest half. */
  distance_to_tie: real,
  rounded: real,
  zero_point: integer,
  clamp: z.nullable(pair),
  clamped: z.boolean(),
  value: number,
  explains: z.nullable(z.boolean()),
});

/** Of one input channel, that of the largest product (or of the first pair that saturates). */
const patchSchema = z.object({
  kernel_size: z.array(count),
  channels: count.check(z.describe('of the group')),
  channel: count.check(z.describe('whose cells these are, in the group')),
  cells: z
    .array(z.object({ x: z.number(), w: z.int(), pixel: z.nullable(z.array(count)) }))
    .check(z.describe('tap by tap in C order; pixel: [y, x] of the input, null: padding')),
});

export const explainSchema = z.object({
  format: z.literal('qdiff-explain'),
  version: z.literal(1),
  layer: z.string(),
  op: z.string(),
  channel: count,
  sample: count,
  at: z.optional(z.array(count)).check(z.describe('[y, x] of an image; absent where a channel has one value')),
  captured: real,
  candidate: real,
  /** Of the input codes in this sample; null where the candidate has none of its own. */
  candidate_input_codes_differ: z.nullable(count),
  /** Where some differ. */
  candidate_products: z
    .optional(z.array(z.object({ k: count, x: z.int(), candidate_x: z.int(), w: z.int(), moves: z.int() })))
    .check(z.describe('input codes that differ most: by how much each moves the sum')),
  candidate_column: z
    .optional(columnSchema)
    .check(
      z.describe("the declared kernel on what the candidate read; explains: whether it gives the candidate's value"),
    ),
  input: z.object({ name: z.string(), dtype: z.string(), scale: real, zero_point: integer, features: count }),
  weight: z
    .nullable(z.object({ dtype: z.optional(z.enum(['int8', 'uint8'])), scale: z.number(), zero_point: z.int() }))
    .check(z.describe('null: a pointwise layer')),
  output: z.object({ dtype: z.string(), scale: real, zero_point: integer }),
  activation,
  /** Of a convolution that adds a second value, or bends what it has, before it makes codes. */
  addend: z
    .optional(z.object({ name: z.string(), dtype: z.string(), scale: real, zero_point: integer, value: number }))
    .check(z.describe('of the second input: the code that is added, or the float')),
  operands: z
    .optional(
      z.array(z.object({ name: z.string(), dtype: z.string(), scale: real, zero_point: integer, value: number })),
    )
    .check(z.describe('of a layer computed from whole values: inputs of its own shape, each at the same place')),
  curve: z.optional(z.enum(['hardswish', 'silu'])),
  products: z
    .array(z.object({ k: count, x: z.int(), w: z.int(), product: z.int() }))
    .check(z.describe('the largest by magnitude, (x - zx) * (w - zw)')),
  /** Of a convolution. */
  patch: z.optional(patchSchema),
  columns: z.array(columnSchema),
  /** Where the second column first departs from the first: a name of a step, or accumulator, bias, rounding. */
  first_difference: z.nullable(z.string()),
  causes: z.array(z.string()),
  candidate_causes: z
    .optional(z.array(z.string()))
    .check(z.describe("of the candidate's difference from the capture, in the whole layer")),
  candidate_order: z
    .optional(z.string())
    .check(
      z.describe("the order in which the candidate's values stand; `candidate` is the one of this place, put back"),
    ),
  numpy: z.array(z.string()).check(z.describe('Python that prints the value of the last column')),
});

export type ExplainDocument = z.output<typeof explainSchema>;
export type ExplainPatch = z.output<typeof patchSchema>;
export type ExplainColumn = z.output<typeof columnSchema>;
