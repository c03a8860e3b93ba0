import { z } from 'zod';
import type { ExplainDocument } from '../analyze/explain/explain.js';

const count = z.int().nonnegative();
const pair = z.tuple([z.number(), z.number()]);

export const explainSchema = z
  .object({
    format: z.literal('qdiff-explain'),
    version: z.literal(1),
    layer: z.string(),
    op: z.string(),
    channel: count,
    sample: count,
    captured: z.number().nullable(),
    candidate: z.number().nullable(),
    candidate_input_codes_differ: count.nullable(),
    input: z.object({
      name: z.string(),
      dtype: z.string(),
      scale: z.number().nullable(),
      zero_point: z.int().nullable(),
      features: count,
    }),
    weight: z.object({ scale: z.number(), zero_point: z.int() }).nullable().describe('null: a pointwise layer'),
    output: z.object({ dtype: z.string(), scale: z.number().nullable(), zero_point: z.int().nullable() }),
    activation: z.enum(['none', 'relu']),
    products: z
      .array(z.object({ k: count, x: z.int(), w: z.int(), product: z.int() }))
      .describe('the largest by magnitude, (x - zx) * (w - zw)'),
    columns: z.array(
      z.object({
        kernel: z.string(),
        accumulator: z.int().nullable().describe('zero points corrected, before bias'),
        saturating_pairs: z
          .array(z.object({ k: pair, x: pair, w: pair, sum: z.int(), saturated: z.int() }))
          .describe('raw codes; k is -1 where a product stands alone'),
        bias: z.number().nullable().describe('real units'),
        bias_accumulator_units: z.number().nullable(),
        bias_is_int32: z.boolean(),
        multiplier: z.number().nullable().describe('float32'),
        multiplier_bits: z.string().nullable(),
        multiplier_fixed: z.object({ multiplier: z.int(), shift: z.int() }).nullable(),
        fixed_point: z.boolean(),
        steps: z.array(z.object({ name: z.string(), value: z.number() })),
        before_rounding: z.number().nullable().describe('steps of the output, without the zero point'),
        distance_to_tie: z.number().nullable(),
        rounded: z.number().nullable(),
        zero_point: z.int().nullable(),
        clamp: pair.nullable(),
        clamped: z.boolean(),
        value: z.number(),
        explains: z.boolean().nullable(),
      }),
    ),
    first_difference: z.string().nullable(),
    causes: z.array(z.string()),
    numpy: z.array(z.string()).describe('Python that prints the value of the last column'),
  })
  .meta({ title: 'qdiff explain', $id: 'qdiff-explain' });

// A field that the document has and the schema lacks, or the reverse, does not compile.
true satisfies Same<z.output<typeof explainSchema>, ExplainDocument>;
type Same<A, B> = [A] extends [B] ? true : never;
