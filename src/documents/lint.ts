import * as z from 'zod/mini';
import { count } from './fields.js';

/** What a layer's numbers can do on which kernel; with a capture, what they did. */

export const SEVERITIES = ['info', 'warning', 'error'] as const;
export type Severity = (typeof SEVERITIES)[number];

const range = z.tuple([z.number(), z.number()]);

const findingSchema = z.object({
  code: z.string(),
  severity: z.enum(SEVERITIES),
  layer: z.string(),
  channel: z.nullable(count).check(z.describe('null: the whole layer')),
  /** Kernels that it concerns. */
  kernels: z.array(z.string()),
  message: z.string(),
  fix: z.string(),
  evidence: z.record(z.string(), z.unknown()),
});

const layerSchema = z.object({
  name: z.string(),
  op: z.string(),
  /** Over the input's range, and over the capture. */
  accumulator_bits: z
    .object({ worst: z.int(), observed: z.nullable(z.int()) })
    .check(z.describe("two's complement, zero points corrected, bias included")),
  /** Of a graph whose runtime has a kernel that adds products in pairs at int16. */
  int16_saturation: z.optional(z.object({ possible: z.boolean(), because: z.string() })),
  /** Input codes: what can come, and what came. */
  input_range: z.object({ worst: range, observed: z.nullable(range) }),
});

/** `op`: as the file names it. */
const notCheckedSchema = z.object({ name: z.string(), op: z.string(), why: z.string() });

export const lintSchema = z.object({
  format: z.literal('qdiff-lint'),
  version: z.literal(1),
  findings: z.array(findingSchema),
  /** Linear layers. */
  layers: z.array(layerSchema),
  not_checked: z
    .array(notCheckedSchema)
    .check(z.describe('layers without rules that could lose something all the same')),
});

export type LintDocument = z.output<typeof lintSchema>;
export type LintFinding = z.output<typeof findingSchema>;
export type LintLayer = z.output<typeof layerSchema>;
export type LintNotChecked = z.output<typeof notCheckedSchema>;
