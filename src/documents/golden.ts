import * as z from 'zod/mini';
import { activation } from './activation.js';
import { count } from './fields.js';

/** manifest.json in a folder of golden vectors. */

export const GOLDEN_FORMATS = ['npz', 'memh', 'c', 'json'] as const;
export type GoldenFormat = (typeof GOLDEN_FORMATS)[number];

const params = { dtype: z.string(), scale: z.number(), zero_point: z.int() };
const axes = z.array(count);
const convolution = z.object({
  layout: z.enum(['NCHW', 'NHWC']),
  kernel_size: axes,
  stride: axes,
  padding: z.array(z.tuple([z.int(), z.int()])).check(z.describe('before and after, an axis each')),
  dilation: axes,
  groups: count,
  transposed: z.boolean(),
});
const format = z.literal('qdiff-golden');

export const goldenSchema = z.object({
  format,
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
      op: z.string(),
      convolution: z.optional(convolution).check(z.describe('padding holds the zero point of the input')),
      in_features: count.check(z.describe('of one output value: of a convolution taps * in_channels / groups')),
      out_features: count,
      activation,
      input: z.object(params),
      output: z.object({ ...params, quant_min: z.int(), quant_max: z.int() }),
      /** What is added in int16 before the int32 sum. */
      accumulate: z.string(),
      /** Empty where multiplier_int32 and shift are used. */
      operations: z
        .array(z.object({ kind: z.string(), formula: z.string(), factor: z.nullable(z.string()) }))
        .check(z.describe('from the accumulator on, in order; each rounds to float32')),
      rounding: z.string(),
      offset_and_clamp: z.string(),
      clamp: z.array(z.int()).check(z.describe('of codes, a fused activation included')),
    }),
  ),
  values: z
    .optional(
      z.array(
        z.object({
          name: z.string(),
          op: z.string(),
          inputs: z.array(z.object(params)),
          output: z.object(params),
          equation: z.string(),
          in_c: z
            .optional(z.boolean())
            .check(z.describe('whether the C format has a function of it, beside the arrays')),
        }),
      ),
    )
    .check(z.describe('layers on whole values: sums, pools, tables')),
  arrays: z.array(
    z.object({
      name: z.string(),
      /** null for constants too. */
      value: z.nullable(z.string()).check(z.describe('what a candidate compares it as; null: nothing')),
      file: z.string(),
      dtype: z.string(),
      shape: z.array(count),
      layout: z.literal('row-major'),
      /** null where the file has a dtype. */
      bits: z.nullable(z.int()).check(z.describe("width of a hexadecimal word, two's complement")),
      sha256: z.string().check(z.describe('of the little-endian values')),
    }),
  ),
  /** Files of the folder beside this one. */
  files: z.array(z.object({ name: z.string(), sha256: z.string() })),
  /** Layers whose output the capture has, beside the vectors. */
  captured: z.array(z.object({ layer: z.string(), values: count, mismatched: count })),
  skipped: z.array(z.object({ layer: z.string(), why: z.string() })),
});

export type GoldenManifest = z.output<typeof goldenSchema>;

/** Whether a folder with this manifest.json holds golden vectors, of whatever version. */
export function isGoldenManifest(raw: unknown): boolean {
  return z.safeParse(z.object({ format }), raw).success;
}
