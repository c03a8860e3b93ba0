import * as z from 'zod/mini';
import { count } from './fields.js';

/** What every kernel would compute, end to end from the captured input. */

const byKernel = z.record(z.string(), z.nullable(count));
/** Float layers may differ by infinitely many ULPs. */
const steps = z.pipe(
  z.union([z.number(), z.literal('inf')]),
  z.transform((value) => (value === 'inf' ? Number.POSITIVE_INFINITY : value)),
);

const layerSchema = z.object({
  name: z.string(),
  op: z.string(),
  unit: z.enum(['lsb', 'ulp']),
  values: count,
  changed: byKernel.check(z.describe('values that differ from the capture; null: not replayed')),
  max_abs_diff: z.record(z.string(), z.nullable(steps)),
});

export const forecastSchema = z.object({
  format: z.literal('qdiff-forecast'),
  version: z.literal(1),
  samples: count,
  expected: z
    .string()
    .check(
      z.describe('what the kernels are held against: capture, or the declared kernel where no layer was captured'),
    ),
  kernels: z.array(z.string()),
  /** Captured layers, in the model's order. */
  layers: z.array(layerSchema),
  not_replayed: z
    .optional(z.array(z.object({ name: z.string(), op: z.string(), why: z.string() })))
    .check(z.describe('under no kernel: what follows reads their captured values; absent: none')),
  /** The layer whose largest value decides; null where no layer has several channels. */
  output: z.nullable(z.string()),
  /** Samples whose largest output is another channel than in the capture (the first of equals). */
  top1_flips: z.nullable(byKernel).check(z.describe('null: the output is no classification')),
  /** Share of samples whose largest output is the label's. */
  accuracy: z
    .nullable(z.object({ capture: z.number(), kernels: z.record(z.string(), z.nullable(z.number())) }))
    .check(z.describe('null without --labels')),
});

export type ForecastDocument = z.output<typeof forecastSchema>;
export type ForecastLayer = z.output<typeof layerSchema>;
