import * as z from 'zod/mini';
import type { LintDocument } from '../analyze/lint/lint.js';
import { count, described } from './report.js';

const range = z.tuple([z.number(), z.number()]);

export const lintSchema = z
  .object({
    format: z.literal('qdiff-lint'),
    version: z.literal(1),
    findings: z.array(
      z.object({
        code: z.string(),
        severity: z.enum(['info', 'warning', 'error']),
        layer: z.string(),
        channel: described(z.nullable(count), 'null: the whole layer'),
        kernels: z.array(z.string()),
        message: z.string(),
        fix: z.string(),
        evidence: z.record(z.string(), z.unknown()),
      }),
    ),
    layers: z.array(
      z.object({
        name: z.string(),
        op: z.string(),
        accumulator_bits: described(
          z.object({ worst: z.int(), observed: z.nullable(z.int()) }),
          "two's complement, zero points corrected, bias included",
        ),
        input_range: z.object({ worst: range, observed: z.nullable(range) }),
      }),
    ),
    not_checked: described(
      z.array(z.object({ name: z.string(), op: z.string(), why: z.string() })),
      'layers without rules that could lose something all the same',
    ),
  })
  .register(z.globalRegistry, { title: 'qdiff lint', $id: 'qdiff-lint' });

// A field that the document has and the schema lacks, or the reverse, does not compile.
true satisfies Same<z.output<typeof lintSchema>, LintDocument>;
type Same<A, B> = [A, B] extends [B, A] ? true : never;
