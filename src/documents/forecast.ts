import * as z from 'zod/mini';
import type { ForecastDocument } from '../analyze/forecast.js';
import { count, described } from './report.js';

const SPELLED = { inf: Number.POSITIVE_INFINITY } as const;
const byKernel = z.record(z.string(), z.nullable(count));
const steps = z.pipe(
  z.union([z.number(), z.literal('inf')]),
  z.transform((value) => (value === 'inf' ? SPELLED.inf : value)),
);

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
        changed: described(byKernel, 'values that differ from the capture; null: not replayed'),
        max_abs_diff: z.record(z.string(), z.nullable(steps)),
      }),
    ),
    output: z.nullable(z.string()),
    top1_flips: described(z.nullable(byKernel), 'null: the output is no classification'),
    accuracy: described(
      z.nullable(z.object({ capture: z.number(), kernels: z.record(z.string(), z.nullable(z.number())) })),
      'null without --labels',
    ),
  })
  .register(z.globalRegistry, { title: 'qdiff forecast', $id: 'qdiff-forecast' });

// A field that the document has and the schema lacks, or the reverse, does not compile.
true satisfies Same<z.output<typeof forecastSchema>, ForecastDocument>;
type Same<A, B> = [A, B] extends [B, A] ? true : never;
