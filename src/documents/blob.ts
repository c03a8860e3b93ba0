import { crc32 } from 'node:zlib';
import * as z from 'zod/mini';
import { printable } from '../text.js';
import { Checks } from './checks.js';
import { count, real, warningSchema } from './fields.js';
import { spelled, withMarks, withoutMarks } from './marks.js';
import { baselineReportSchema, layerSchema } from './report.js';

/** One process's share of a run, for `qdiff merge`: everything of the report, and what tells shards that belong together. */

const formatSchema = z.object({ format: z.literal('qdiff-blob'), version: z.literal(1) });

/** nouns/part.ts */
const partSchema = z.object({
  run: z.object({
    model: z.string(),
    capture: z.string(),
    candidate: z.nullable(z.string()),
    against: z.enum(['capture', 'replay']),
    mode: z.enum(['isolated', 'propagated']),
    kernel: z.string(),
    samples: z.object({ from: count, to: count }),
    selected: z.array(z.string()),
    requireReplayed: z.boolean(),
    failFast: z.boolean(),
    classifies: z.boolean(),
    whole: z.boolean(),
  }),
  own: count,
  layers: z.array(layerSchema),
  candidateLayers: z.nullable(z.array(layerSchema)),
  answers: z.nullable(z.object({ all: count, byCause: z.record(z.string(), z.nullable(count)) })),
  warnings: z.object({
    files: z.array(warningSchema),
    candidate: z.array(warningSchema),
    layers: z.array(warningSchema),
  }),
});

const numbers = z.array(z.number());
const integers = z.array(z.int());

/** A channel's worst value, step by step. */
const explainedSchema = z.object({
  sample: count,
  at: z.array(count),
  captured: z.nullable(real),
  kernels: z.array(z.string()),
  rows: z.array(z.object({ label: z.string(), cells: z.array(z.string()), departs: z.boolean() })),
  /** k, x, w, product: the largest. */
  /** Of a convolution: what it reads and multiplies with, row by row of the kernel. */
  patch: z.optional(z.object({ head: z.string(), x: z.array(z.array(z.string())), w: z.array(z.array(z.string())) })),
  products: z.array(numbers),
  pairs: z.array(
    z.object({ kernel: z.string(), k: integers, x: integers, w: integers, sum: z.int(), saturated: z.int() }),
  ),
  pairsInAll: count,
});

/** One sample of a channel with positions: cells row by row, each the worst of a square of places. */
const mapSchema = z.object({
  sample: count,
  dims: z.array(count),
  rows: count,
  columns: count,
  /** Places of the cells, counted through the channel's positions. */
  places: z.array(count),
  expected: numbers,
  actual: numbers,
});

const channelSchema = z.object({
  channel: count,
  samples: z.array(count),
  /** Of each of them, where a channel has positions and no map. */
  at: z.optional(z.array(z.array(count))),
  expected: numbers,
  actual: numbers,
  map: z.nullable(mapSchema),
  explained: z.nullable(explainedSchema),
});

/** Single values of a layer, by the name it has in the report. */
const detailsSchema = z.object({ name: z.string(), channels: z.array(channelSchema) });

/** What a shard holds of one model's comparison. */
const runSchema = z.object({
  name: z.string(),
  /** Of model, capture and candidate: the same numbers for the same layers, shapes and parameters. */
  inputs: z.string(),
  /** What was asked for, option by option. */
  settings: z.record(z.string(), z.string()),
  part: partSchema,
  baseline: z.nullable(z.object({ report: baselineReportSchema, warnings: z.array(warningSchema) })),
  /** For the html report: of this shard's first layers that differ. */
  details: z.array(detailsSchema),
});

const blobSchema = z.object({
  ...formatSchema.shape,
  tool: z.object({ name: z.literal('qdiff'), version: z.string() }),
  shard: z.object({ index: count.check(z.gte(1)), count: count.check(z.gte(1)) }),
  runs: z.array(runSchema).check(z.minLength(1)),
});

export type Blob = z.output<typeof blobSchema>;
export type BlobRun = z.output<typeof runSchema>;
export type PageLayerDetails = z.output<typeof detailsSchema>;
export type PageDetails = z.output<typeof channelSchema>;
export type PageMap = z.output<typeof mapSchema>;
export type PageExplained = z.output<typeof explainedSchema>;

/** The JSON value of a blob. Evidence has no schema: that it is what was written, its checksum tells. */
export function jsonOfBlob(blob: Blob): unknown {
  return sealed(withMarks(blob) as { readonly runs: unknown });
}

/** With the CRC-32 of its runs, as JSON without spaces. */
export function sealed<B extends { readonly runs: unknown }>(json: B): B & { readonly runs_crc32: number } {
  return { ...json, runs_crc32: crc32(JSON.stringify(json.runs)) };
}

/** The blob that a JSON value holds, with fields that this version does not know. Throws InputError with every problem. */
export function validateBlob(raw: unknown, path: string): Blob {
  const checks = new Checks(path);
  const isFormat = checks.parse(formatSchema, raw, []) !== null;
  if (isFormat) checks.parseFile(blobSchema, spelled(raw));
  checks.finish();
  const blob = withoutMarks(raw) as Blob;
  for (const [i, { part, details }] of blob.runs.entries()) {
    const selected = new Set(part.run.selected);
    const named = [...part.layers, ...(part.candidateLayers ?? []), ...details].map(({ name }) => name);
    const where = [...named, ...part.warnings.layers.map((warning) => warning.where)];
    const stray = where.find((name) => !selected.has(name));
    const wrong = [...part.layers, ...(part.candidateLayers ?? [])].find((layer) => !addsUp(layer));
    if (wrong) {
      const message = `expected numbers of ${printable(wrong.name)} that add up, got others; run the shard again`;
      checks.problem('blob', ['runs', i, 'part'], message);
    }
    if (stray === undefined) continue;
    checks.problem(
      'blob',
      ['runs', i, 'part'],
      `expected layers of the run, got ${printable(stray)}; run the shard again`,
    );
  }
  checks.finish();
  if ((raw as { runs_crc32?: unknown }).runs_crc32 !== sealed(raw as Blob).runs_crc32) {
    checks.problem(
      'blob',
      ['runs_crc32'],
      'expected the blob as it was written, got a changed one; run the shard again',
    );
  }
  checks.finish();
  return blob;
}

/** A merge adds what the shards counted. */
function addsUp({
  values,
  mismatched,
  channels,
  channels_omitted: omitted,
}: BlobRun['part']['layers'][number]): boolean {
  if (values === null || mismatched === null) return true;
  const inChannels = (channels ?? []).reduce((sum, channel) => sum + channel.mismatched, 0);
  return mismatched <= values && (inChannels === mismatched || omitted !== 0);
}
