import * as z from 'zod/mini';
import type { Report } from '../nouns/report.js';

/**
 * The JSON report: validates documents that are read back, and gives the JSON Schema that ships with the package.
 * Later versions may add fields: unknown ones are no error, and not read.
 */

export const count = z.int().check(z.nonnegative());

/** Differences and values may be infinite or NaN in float layers; JSON spells those. */
const SPELLED = { inf: Number.POSITIVE_INFINITY, '-inf': Number.NEGATIVE_INFINITY, nan: Number.NaN } as const;
export const real = z.pipe(
  z.union([z.number(), z.enum(['inf', '-inf', 'nan'])]),
  z.transform((value) => (typeof value === 'number' ? value : SPELLED[value])),
);

/** A copy of a schema, with words for the JSON Schema. */
export function described<S extends z.ZodMiniType>(schema: S, description: string): S {
  const copy = z.clone(schema, schema._zod.def as S['_zod']['def']);
  z.globalRegistry.add(copy, { description });
  return copy;
}

export const cause = described(z.string(), 'int16-saturation, bias-int32, ..., unexplained');

const channel = z.object({
  channel: count,
  mismatched: count,
  max_abs_diff: real,
  mean_diff: real,
  histogram: described(
    z.array(count).check(z.length(9)),
    'values by difference: <= -17, -16..-5, -4..-2, -1, 0, 1, 2..4, 5..16, >= 17',
  ),
  causes: z.array(cause),
});

const diagnosis = z.object({
  causes: z.array(cause),
  subject: z.enum(['capture', 'model', 'candidate']),
  kernel: z.nullable(z.string()),
  explained: count,
  of: count,
  lost: described(count, 'values that agreed under the reference and differ under the hypothesis'),
  explained_by: described(z.array(z.string()), 'every kernel that explains all'),
  indistinguishable: z.array(z.object({ causes: z.array(cause), kernel: z.nullable(z.string()) })),
  evidence: described(z.record(z.string(), z.unknown()), 'a record for each cause, by its code'),
  fix: z.nullable(z.string()),
  rehearsal: z.nullable(z.object({ mismatched_after_fix: count })),
});

export const layerSchema = z.object({
  name: z.string(),
  op: z.string(),
  kernel: z.nullable(z.string()),
  unit: z.nullable(z.enum(['lsb', 'ulp'])),
  status: z.enum(['match', 'mismatch', 'not-replayed', 'not-captured']),
  accepted: z.nullable(z.enum(['tolerance', 'baseline'])),
  aligned: z.nullable(z.enum(['relu'])),
  out_features: z.nullable(count),
  values: z.nullable(count),
  mismatched: z.nullable(count),
  beyond_tolerance: z.nullable(count),
  within_bound: z.nullable(count),
  max_abs_diff: z.nullable(real),
  mean_diff: z.nullable(real),
  sqnr_db: z.nullable(z.union([z.number(), z.literal('inf')])),
  channels: z.nullable(z.array(channel)),
  channels_omitted: z.nullable(count),
  first_mismatch: z.nullable(z.object({ sample: count, channel: count, expected: real, actual: real })),
  accumulator: z.optional(
    z.object({
      values: count,
      mismatched: count,
      max_abs_diff: real,
      first_mismatch: z.nullable(z.object({ sample: count, channel: count, expected: real, actual: real })),
    }),
  ),
  diagnosis: z.nullable(diagnosis),
});

const size = z.object({ mismatched: count, max_abs_diff: real });
const result = z.extend(size, { causes: z.array(cause) });

export const baselineSchema = z.object({
  file: z.string(),
  updated: described(z.boolean(), 'whether the file was written with what was found'),
  changes: z.array(
    z.object({
      layer: z.string(),
      change: z.enum(['new', 'larger', 'explained-differently', 'better']),
      recorded: result,
      found: result,
      channels: described(
        z.array(z.object({ channel: count, recorded: size, found: size })),
        'new or larger ones; where the layer is better, those that are smaller or gone',
      ),
      channels_omitted: count,
    }),
  ),
});

export const warningSchema = z.object({ code: z.string(), where: z.string(), message: z.string() });

export const reportSchema = z.object({
  format: z.literal('qdiff-report'),
  version: z.literal(1),
  tool: z.object({ name: z.literal('qdiff'), version: z.string() }),
  model: z.string(),
  capture: z.string(),
  candidate: z.nullable(z.string()),
  mode: z.enum(['isolated', 'propagated']),
  kernel: z.string(),
  samples: count,
  replayed: count,
  total: count,
  verdict: z.enum(['match', 'mismatch']),
  first_divergence: z.nullable(z.string()),
  layers: z.array(layerSchema),
  candidate_layers: z.nullable(z.array(layerSchema)),
  baseline: z.optional(baselineSchema),
  warnings: z.array(warningSchema),
});

// A field that types.ts has and the schema lacks, or the reverse, does not compile.
true satisfies Same<z.output<typeof reportSchema>, Report>;
type Same<A, B> = [A, B] extends [B, A] ? true : never;

/** Several models compared in one run. */
export const reportsSchema = z.object({
  format: z.literal('qdiff-reports'),
  version: z.literal(1),
  verdict: z.enum(['match', 'mismatch']),
  reports: z.array(z.object({ name: z.string(), report: reportSchema })),
});

/** JSON Schemas by file name. */
export function reportJsonSchemas(): Record<string, object> {
  return {
    'qdiff-report': titled('qdiff-report', reportSchema),
    'qdiff-reports': titled('qdiff-reports', reportsSchema),
  };
}

export function titled(name: string, schema: z.ZodMiniType): object {
  const { $schema, ...rest } = z.toJSONSchema(schema, { io: 'input' });
  return { $schema, $id: name, title: name.replace('-', ' '), ...rest };
}
