import * as z from 'zod/mini';
import type { ReportsDiff } from '../analyze/diffReports.js';
import { cause, count, real, titled } from './report.js';

const extent = z.object({ mismatched: count, max_abs_diff: real });

const state = z.object({
  status: z.enum(['match', 'mismatch', 'not-replayed', 'not-captured']),
  accepted: z.nullable(z.enum(['tolerance', 'baseline'])),
  values: z.nullable(count),
  mismatched: z.nullable(count),
  max_abs_diff: z.nullable(real),
  causes: z.array(cause),
});

const change = z.enum(['same', 'better', 'worse', 'changed']);

const reportsDiffSchema = z.object({
  format: z.literal('qdiff-reports-diff'),
  version: z.literal(1),
  verdict: change,
  before: z.string(),
  after: z.string(),
  settings: z.array(
    z.object({ model: z.optional(z.string()), setting: z.string(), before: z.string(), after: z.string() }),
  ),
  layers: z.array(
    z.object({
      model: z.optional(z.string()),
      name: z.string(),
      change,
      before: z.nullable(state),
      after: z.nullable(state),
      channels: z.array(z.object({ channel: count, before: extent, after: extent })),
      channels_omitted: count,
    }),
  ),
});

// A field that the command writes and the schema lacks, or the reverse, does not compile.
true satisfies [z.output<typeof reportsDiffSchema>] extends [ReportsDiff] ? true : never;

export function reportsDiffJsonSchemas(): Record<string, object> {
  return { 'qdiff-reports-diff': titled('qdiff-reports-diff', reportsDiffSchema) };
}
