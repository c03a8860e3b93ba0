import * as z from 'zod/mini';
import type { KernelsDocument } from '../analyze/kernels.js';
import { count } from './report.js';

export const kernelsSchema = z
  .object({
    format: z.literal('qdiff-kernels'),
    version: z.literal(1),
    kernels: z.array(
      z.object({
        name: z.string(),
        runtime: z.string(),
        equation: z.string(),
        runs_on: z.string(),
        verified: z.array(
          z.object({
            runtime: z.string(),
            version: z.string(),
            cpu: z.string(),
            settings: z.string(),
            compared: z.enum(['numpy model', 'qdiff']),
            values: count,
            mismatched: count,
          }),
        ),
      }),
    ),
  })
  .register(z.globalRegistry, { title: 'qdiff kernels', $id: 'qdiff-kernels' });

// A field that the document has and the schema lacks, or the reverse, does not compile.
true satisfies Same<z.output<typeof kernelsSchema>, KernelsDocument>;
type Same<A, B> = [A] extends [B] ? true : never;
