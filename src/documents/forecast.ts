import { z } from 'zod';
import type { ForecastDocument } from '../analyze/forecast.js';

const count = z.int().nonnegative();
const SPELLED = { inf: Number.POSITIVE_INFINITY } as const;
const byKernel = z.record(z.string(), count.nullable());
const steps = z.union([z.number(), z.literal('inf')]).transform((value) => (value === 'inf' ? SPELLED.inf : value));

export const forecastSchema = z
  .object({
    format: z.literal('qdiff-forecast'),
    version: z.literal(1),
    samples: count,
    kernels: z.array(z.string()),
    layers: z.array(
      z.object({
        name: z.string(),
        op: z.string(),
        unit: z.enum(['lsb', 'ulp']),
        values: count,
        changed: byKernel.describe('values that differ from the capture; null: not replayed'),
        max_abs_diff: z.record(z.string(), steps.nullable()),
      }),
    ),
    output: z.string().nullable(),
    top1_flips: byKernel.nullable().describe('null: the output is no classification'),
    accuracy: z
      .object({ capture: z.number(), kernels: z.record(z.string(), z.number().nullable()) })
      .nullable()
      .describe('null without --labels'),
  })
  .meta({ title: 'qdiff forecast', $id: 'qdiff-forecast' });

// A field that the document has and the schema lacks, or the reverse, does not compile.
true satisfies Same<z.output<typeof forecastSchema>, ForecastDocument>;
type Same<A, B> = [A, B] extends [B, A] ? true : never;
