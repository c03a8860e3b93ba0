import * as z from 'zod/mini';
import { GOLDEN_FORMATS, type GoldenManifest } from '../report/golden.js';
import { count, described } from './report.js';

const params = { dtype: z.string(), scale: z.number(), zero_point: z.int() };

export const goldenSchema = z
  .object({
    format: z.literal('qdiff-golden'),
    version: z.literal(1),
    tool: z.object({ name: z.literal('qdiff'), version: z.string() }),
    model: z.string(),
    capture: z.string(),
    kernel: z.string(),
    equation: z.string(),
    data: z.enum(GOLDEN_FORMATS),
    samples: count,
    layers: z.array(
      z.object({
        name: z.string(),
        in_features: count,
        out_features: count,
        activation: z.enum(['none', 'relu']),
        input: z.object(params),
        output: z.object({ ...params, quant_min: z.int(), quant_max: z.int() }),
        accumulate: z.string(),
        operations: described(
          z.array(z.object({ kind: z.string(), formula: z.string(), factor: z.nullable(z.string()) })),
          'from the accumulator on, in order; each rounds to float32',
        ),
        rounding: z.string(),
        offset_and_clamp: z.string(),
      }),
    ),
    arrays: z.array(
      z.object({
        name: z.string(),
        value: described(z.nullable(z.string()), 'what a candidate compares it as; null: nothing'),
        file: z.string(),
        dtype: z.string(),
        shape: z.array(count),
        layout: z.literal('row-major'),
        bits: described(z.nullable(z.int()), "width of a hexadecimal word, two's complement"),
        sha256: described(z.string(), 'of the little-endian values'),
      }),
    ),
    files: z.array(z.object({ name: z.string(), sha256: z.string() })),
    skipped: z.array(z.object({ layer: z.string(), why: z.string() })),
  })
  .register(z.globalRegistry, { title: 'qdiff golden vectors (manifest.json)', $id: 'qdiff-golden' });

// A field that the manifest has and the schema lacks, or the reverse, does not compile.
true satisfies Same<z.output<typeof goldenSchema>, GoldenManifest>;
type Same<A, B> = [A, B] extends [B, A] ? true : never;
