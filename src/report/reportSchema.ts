import { z } from 'zod';
import type { Report } from '../types.js';

/**
 * The JSON report: validates documents that are read back, and gives the JSON Schema that ships with the package.
 * Later versions may add fields: unknown ones are no error, and not read.
 */

const count = z.int().nonnegative();

/** Differences and values may be infinite or NaN in float layers; JSON spells those. */
const SPELLED = { inf: Number.POSITIVE_INFINITY, '-inf': Number.NEGATIVE_INFINITY, nan: Number.NaN } as const;
const real = z
  .union([z.number(), z.enum(['inf', '-inf', 'nan'])])
  .transform((value) => (typeof value === 'number' ? value : SPELLED[value]));

const cause = z.string().describe('a code of `qdiff-report`: int16-saturation, bias-int32, ..., unexplained');

const channel = z.object({
  channel: count,
  mismatched: count,
  max_abs_diff: real,
  mean_diff: real,
  histogram: z
    .array(count)
    .length(9)
    .describe('values by difference: <= -17, -16..-5, -4..-2, -1, 0, 1, 2..4, 5..16, >= 17'),
  causes: z.array(cause),
});

const diagnosis = z.object({
  causes: z.array(cause),
  subject: z.enum(['capture', 'model', 'candidate']),
  kernel: z.string().nullable(),
  explained: count,
  of: count,
  lost: count.describe('values that agreed under the reference and differ under the hypothesis'),
  explained_by: z.array(z.string()).describe('every kernel that explains all'),
  indistinguishable: z.array(z.object({ causes: z.array(cause), kernel: z.string().nullable() })),
  evidence: z.record(z.string(), z.unknown()).describe('a record for each cause, by its code'),
  fix: z.string().nullable(),
  rehearsal: z.object({ mismatched_after_fix: count }).nullable(),
});

const layer = z.object({
  name: z.string(),
  op: z.string(),
  kernel: z.string().nullable(),
  unit: z.enum(['lsb', 'ulp']).nullable(),
  status: z.enum(['match', 'mismatch', 'not-replayed', 'not-captured']),
  accepted: z.enum(['tolerance', 'baseline']).nullable(),
  aligned: z.enum(['relu']).nullable(),
  out_features: count.nullable(),
  values: count.nullable(),
  mismatched: count.nullable(),
  beyond_tolerance: count.nullable(),
  within_bound: count.nullable(),
  max_abs_diff: real.nullable(),
  mean_diff: real.nullable(),
  sqnr_db: z.union([z.number(), z.literal('inf')]).nullable(),
  channels: z.array(channel).nullable(),
  channels_omitted: count.nullable(),
  first_mismatch: z.object({ sample: count, channel: count, expected: real, actual: real }).nullable(),
  diagnosis: diagnosis.nullable(),
});

const size = z.object({ mismatched: count, max_abs_diff: real });
const result = size.extend({ causes: z.array(cause) });

const baseline = z.object({
  file: z.string(),
  updated: z.boolean().describe('whether the file was written with what was found'),
  changes: z.array(
    z.object({
      layer: z.string(),
      change: z.enum(['new', 'larger', 'explained-differently', 'better']),
      recorded: result,
      found: result,
      channels: z
        .array(z.object({ channel: count, recorded: size, found: size }))
        .describe('new or larger ones; where the layer is better, those that are smaller or gone'),
      channels_omitted: count,
    }),
  ),
});

export const reportSchema = z
  .object({
    format: z.literal('qdiff-report'),
    version: z.literal(1),
    tool: z.object({ name: z.literal('qdiff'), version: z.string() }),
    model: z.string(),
    capture: z.string(),
    candidate: z.string().nullable(),
    mode: z.enum(['isolated', 'propagated']),
    kernel: z.string(),
    samples: count,
    replayed: count,
    total: count,
    verdict: z.enum(['match', 'mismatch']),
    first_divergence: z.string().nullable(),
    layers: z.array(layer),
    candidate_layers: z.array(layer).nullable(),
    baseline: baseline.optional(),
    warnings: z.array(z.object({ code: z.string(), where: z.string(), message: z.string() })),
  })
  .meta({ title: 'qdiff report', $id: 'qdiff-report' });

// A field that types.ts has and the schema lacks, or the reverse, does not compile.
true satisfies Same<z.output<typeof reportSchema>, Report>;
type Same<A, B> = [A, B] extends [B, A] ? true : never;

/** Several models compared in one run. */
const reportsSchema = z
  .object({
    format: z.literal('qdiff-reports'),
    version: z.literal(1),
    verdict: z.enum(['match', 'mismatch']),
    reports: z.array(z.object({ name: z.string(), report: reportSchema })),
  })
  .meta({ title: 'qdiff reports', $id: 'qdiff-reports' });

/** JSON Schemas by file name. */
export const schemas = {
  'qdiff-report': z.toJSONSchema(reportSchema, { io: 'input' }),
  'qdiff-reports': z.toJSONSchema(reportsSchema, { io: 'input' }),
};
