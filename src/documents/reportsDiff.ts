import * as z from 'zod/mini';
import { cause, count, real } from './fields.js';

/** What changed between two reports. */

const extent = z.object({ mismatched: count, max_abs_diff: real });

/** One side of a layer; null fields as in the report. */
const stateSchema = z.object({
  status: z.enum(['match', 'mismatch', 'not-replayed', 'not-captured']),
  accepted: z.nullable(z.enum(['tolerance', 'baseline'])),
  values: z.nullable(count),
  mismatched: z.nullable(count),
  max_abs_diff: z.nullable(real),
  causes: z.array(cause),
});

const changeSchema = z.enum(['same', 'better', 'worse', 'changed']);
/** Of the reports that hold several models. */
const model = z.optional(z.string());

const settingSchema = z.object({ model, setting: z.string(), before: z.string(), after: z.string() });

const layerSchema = z.object({
  model,
  name: z.string(),
  change: changeSchema,
  /** null: the layer is only in the other report. */
  before: z.nullable(stateSchema),
  after: z.nullable(stateSchema),
  /** Those that are worse; where the layer is better, those that are. By channel. */
  channels: z.array(z.object({ channel: count, before: extent, after: extent })),
  channels_omitted: count,
});

export const reportsDiffSchema = z.object({
  format: z.literal('qdiff-reports-diff'),
  version: z.literal(1),
  verdict: changeSchema,
  before: z.string(),
  after: z.string(),
  /** What two reports must share for their numbers to be comparable, and do not. */
  settings: z.array(settingSchema),
  layers: z.array(layerSchema),
});

export type ReportsDiff = z.output<typeof reportsDiffSchema>;
export type Change = z.output<typeof changeSchema>;
export type LayerState = z.output<typeof stateSchema>;
export type LayerChange = z.output<typeof layerSchema>;
export type SettingChange = z.output<typeof settingSchema>;
