import * as z from 'zod/mini';
import type { ModelNumber, Report } from '../nouns/report.js';
import { Checks } from './checks.js';
import { cause, count, originFields, real, warningSchema } from './fields.js';

/*
 * The JSON report. Its types are written out in nouns/report.ts, the one document where they are: the library publishes
 * them, and a package without dependencies cannot publish types of zod's. Later versions may add fields: unknown ones
 * are no error, and not read.
 */

const channel = z.object({
  channel: count,
  mismatched: count,
  max_abs_diff: real,
  mean_diff: real,
  max_abs_real: z.optional(real).check(z.describe("of floats: in the value's own unit")),
  mean_real: z.optional(real),
  histogram: z
    .array(count)
    .check(z.length(9), z.describe('values by difference: <= -17, -16..-5, -4..-2, -1, 0, 1, 2..4, 5..16, >= 17')),
  causes: z.array(cause),
});

const at = z.optional(z.array(count)).check(z.describe('[y, x] of an image; empty where a channel has one value'));
const mismatch = z.nullable(z.object({ sample: count, channel: count, at, expected: real, actual: real }));

const pattern = z.object({
  axis: z.enum(['sample', 'channel', 'position', 'plane', 'row', 'column', 'border']),
  from: count,
  to: count,
  step: count,
  of: count,
});

const subject = z.enum(['capture', 'model', 'candidate']);
const rehearsal = z.nullable(z.object({ mismatched_after_fix: count }));

const code = z
  .optional(
    z.array(
      z.object({
        where: z.string().check(z.describe('where the line goes: numpy, RTL, "model.json, layer fc1"')),
        language: z.enum(['python', 'json', 'c', 'verilog', 'shell']),
        text: z.string(),
      }),
    ),
  )
  .check(z.describe('lines to paste'));

const diagnosis = z.object({
  causes: z.array(cause),
  subject,
  kernel: z.nullable(z.string()),
  explained: count,
  of: count,
  lost: count.check(z.describe('values that agreed under the reference and differ under the hypothesis')),
  explained_by: z.array(z.string()).check(z.describe('every kernel that explains all')),
  indistinguishable: z.array(z.object({ causes: z.array(cause), kernel: z.nullable(z.string()) })),
  evidence: z.record(z.string(), z.unknown()).check(z.describe('a record for each cause, by its code')),
  fix: z.nullable(z.string()),
  rehearsal,
  fixes: z
    .array(z.object({ subject, text: z.string(), rehearsal, code }))
    .check(z.describe('who can do what; the first is fix and rehearsal, where this side has one')),
});

export const layerSchema = z.object({
  name: z.string(),
  op: z.string(),
  inputs: z.optional(z.array(z.string())).check(z.describe('names of the values that it reads')),
  ...originFields,
  kernel: z.nullable(z.string()),
  unit: z.nullable(z.enum(['lsb', 'ulp'])),
  status: z.enum(['match', 'mismatch', 'not-replayed', 'not-captured']),
  accepted: z.nullable(z.enum(['tolerance', 'baseline'])),
  aligned: z.nullable(z.enum(['relu'])),
  out_features: z.nullable(count),
  shape: z.optional(z.nullable(z.array(count))).check(z.describe('of one sample')),
  positions: z.optional(z.nullable(count)).check(z.describe('values of a channel in a sample')),
  values: z.nullable(count),
  mismatched: z.nullable(count),
  beyond_tolerance: z.nullable(count),
  within_bound: z.nullable(count),
  max_abs_diff: z.nullable(real),
  max_abs_real: z.nullable(real).check(z.describe("in the value's own unit; null where its scale is not known")),
  mean_diff: z.nullable(real),
  mean_real: z.optional(real).check(z.describe("of floats: in the value's own unit")),
  range: z.optional(z.tuple([real, real])).check(z.describe('of floats: the smallest and largest number expected')),
  sqnr_db: z.nullable(z.union([z.number(), z.literal('inf')])),
  samples: z
    .nullable(z.object({ mismatched: count, ranges: z.array(z.string()) }))
    .check(z.describe('samples that differ; the first 32 ranges of them, half open: 35:42')),
  where: z
    .optional(z.array(pattern))
    .check(z.describe('where all that differs is, if that is a pattern: each step-th of [from, to)')),
  channels: z.nullable(z.array(channel)),
  channels_omitted: z.nullable(count),
  first_mismatch: mismatch,
  accumulator: z.optional(
    z.object({
      values: count,
      mismatched: count,
      max_abs_diff: real,
      first_mismatch: mismatch,
    }),
  ),
  on_own_input: z
    .optional(
      z.object({
        read: z.enum(['own', 'captured']),
        mismatched: count,
        max_abs_diff: real,
        max_abs_real: z.nullable(real),
      }),
    )
    .check(z.describe('of a candidate: its values against the replay on what it read')),
  diagnosis: z.nullable(diagnosis),
});

const size = z.object({ mismatched: count, max_abs_diff: real });
const result = z.extend(size, { causes: z.array(cause) });

export const baselineReportSchema = z.object({
  file: z.string(),
  updated: z.boolean().check(z.describe('whether the file was written with what was found')),
  changes: z.array(
    z.object({
      layer: z.string(),
      change: z.enum(['new', 'larger', 'explained-differently', 'better']),
      recorded: result,
      found: result,
      channels: z
        .array(z.object({ channel: count, recorded: size, found: size }))
        .check(z.describe('new or larger ones; where the layer is better, those that are smaller or gone')),
      channels_omitted: count,
    }),
  ),
});

const modelDifference = z.object({
  layer: z.string(),
  candidate_layer: z.string(),
  field: z.string().check(z.describe("as model.json names it: 'scale', 'zero_point', 'weight', 'bias', 'stride' ...")),
  channel: z.nullable(count).check(z.describe('null: the whole field')),
  k: z.optional(count).check(z.describe('of a weight: the first that differs in the channel')),
  expected: z.json() as unknown as z.ZodMiniType<ModelNumber>,
  actual: z.json() as unknown as z.ZodMiniType<ModelNumber>,
  rounded: z
    .optional(z.enum(['to nearest', 'toward zero']))
    .check(z.describe('of a float bias: the other file has it as int32 codes at s_x * s_w')),
  rounded_here: z
    .optional(z.literal(true))
    .check(z.describe('with rounded: it is the other file that has the bias as float')),
});

export const reportSchema = z.object({
  format: z.literal('qdiff-report'),
  version: z.literal(1),
  tool: z.object({ name: z.literal('qdiff'), version: z.string() }),
  model: z.string(),
  capture: z.string(),
  candidate: z.nullable(z.string()),
  candidate_model: z.optional(z.string()).check(z.describe('the model file that the candidate comes from')),
  model_differences: z.optional(z.array(modelDifference)),
  against: z.enum(['capture', 'replay']).check(z.describe('what the candidate is judged by')),
  mode: z.enum(['isolated', 'propagated']),
  kernel: z.string(),
  framework: z.optional(z.nullable(z.string())).check(z.describe('who computed the capture, as its producer says')),
  candidate_framework: z
    .optional(z.nullable(z.string()))
    .check(z.describe('who computed the candidate, where it says so')),
  samples: count,
  replayed: count,
  total: count,
  coverage: z
    .object({ compared: count, layers: count, not_compared: z.array(z.string()) })
    .check(z.describe('of the layers that the verdict is about: the candidate’s where there is one')),
  verdict: z.enum(['match', 'mismatch']),
  first_divergence: z.nullable(z.string()),
  divergences: z
    .optional(
      z.array(
        z.object({
          layer: z.string(),
          equal_again: z.nullable(z.array(z.string())),
          reaches: z.nullable(z.array(z.string())),
        }),
      ),
    )
    .check(z.describe('the first of each branch: where it is equal again, and which outputs it reaches')),
  top1_flips: z
    .optional(z.nullable(z.record(z.string(), count)))
    .check(z.describe('answers that differ ("all"), and those that come back when a cause alone is taken away')),
  layers: z.array(layerSchema),
  candidate_layers: z.nullable(z.array(layerSchema)),
  baseline: z.optional(baselineReportSchema),
  warnings: z.array(warningSchema),
});

/** Several models compared in one run. */
export const reportsSchema = z.object({
  format: z.literal('qdiff-reports'),
  version: z.literal(1),
  verdict: z.enum(['match', 'mismatch']),
  reports: z.array(z.object({ name: z.string(), report: reportSchema })),
});

// A field that nouns/report.ts has and the schema lacks, or the reverse, does not compile.
true satisfies Same<z.output<typeof reportSchema>, Report>;
type Same<A, B> = [A, B] extends [B, A] ? true : never;

export interface NamedReport {
  /** null where the document is one report. */
  readonly name: string | null;
  readonly report: Report;
}

const formatSchema = z.object({ format: z.enum(['qdiff-report', 'qdiff-reports']), version: z.literal(1) });

/** The one report that a JSON value holds, or those of several models. Throws InputError with every problem. */
export function validateReports(raw: unknown, path: string): readonly NamedReport[] {
  const checks = new Checks(path);
  const head = checks.parse(formatSchema, raw, []);
  const several = head?.format === 'qdiff-reports' ? checks.parseFile(reportsSchema, raw) : null;
  const one = head?.format === 'qdiff-report' ? checks.parseFile(reportSchema, raw) : null;
  checks.finish();
  return several?.reports ?? [{ name: null, report: one! }];
}
