import * as z from 'zod/mini';
import type { ExplainDocument } from '../analyze/explain/explain.js';
import { count, described } from './report.js';

const pair = z.tuple([z.number(), z.number()]);

export const explainSchema = z
  .object({
    format: z.literal('qdiff-explain'),
    version: z.literal(1),
    layer: z.string(),
    op: z.string(),
    channel: count,
    sample: count,
    captured: z.nullable(z.number()),
    candidate: z.nullable(z.number()),
    candidate_input_codes_differ: z.nullable(count),
    input: z.object({
      name: z.string(),
      dtype: z.string(),
      scale: z.nullable(z.number()),
      zero_point: z.nullable(z.int()),
      features: count,
    }),
    weight: described(z.nullable(z.object({ scale: z.number(), zero_point: z.int() })), 'null: a pointwise layer'),
    output: z.object({ dtype: z.string(), scale: z.nullable(z.number()), zero_point: z.nullable(z.int()) }),
    activation: z.enum(['none', 'relu']),
    products: described(
      z.array(z.object({ k: count, x: z.int(), w: z.int(), product: z.int() })),
      'the largest by magnitude, (x - zx) * (w - zw)',
    ),
    columns: z.array(
      z.object({
        kernel: z.string(),
        accumulator: described(z.nullable(z.int()), 'zero points corrected, before bias'),
        saturating_pairs: described(
          z.array(z.object({ k: pair, x: pair, w: pair, sum: z.int(), saturated: z.int() })),
          'raw codes; k is -1 where a product stands alone',
        ),
        bias: described(z.nullable(z.number()), 'real units'),
        bias_accumulator_units: z.nullable(z.number()),
        bias_is_int32: z.boolean(),
        multiplier: described(z.nullable(z.number()), 'float32'),
        multiplier_bits: z.nullable(z.string()),
        multiplier_fixed: z.nullable(z.object({ multiplier: z.int(), shift: z.int() })),
        fixed_point: z.boolean(),
        steps: z.array(z.object({ name: z.string(), value: z.number() })),
        before_rounding: described(z.nullable(z.number()), 'steps of the output, without the zero point'),
        distance_to_tie: z.nullable(z.number()),
        rounded: z.nullable(z.number()),
        zero_point: z.nullable(z.int()),
        clamp: z.nullable(pair),
        clamped: z.boolean(),
        value: z.number(),
        explains: z.nullable(z.boolean()),
      }),
    ),
    first_difference: z.nullable(z.string()),
    causes: z.array(z.string()),
    numpy: described(z.array(z.string()), 'Python that prints the value of the last column'),
  })
  .register(z.globalRegistry, { title: 'qdiff explain', $id: 'qdiff-explain' });

// A field that the document has and the schema lacks, or the reverse, does not compile.
true satisfies Same<z.output<typeof explainSchema>, ExplainDocument>;
type Same<A, B> = [A] extends [B] ? true : never;
