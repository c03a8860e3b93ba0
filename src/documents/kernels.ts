import * as z from 'zod/mini';
import { count } from './fields.js';

/** The kernel models, and the runs of the real runtime that each was compared with. */
export const kernelsSchema = z.object({
  format: z.literal('qdiff-kernels'),
  version: z.literal(1),
  kernels: z.array(
    z.object({
      name: z.string(),
      runtime: z.string(),
      equation: z.string(),
      runs_on: z.string(),
      ops: z.array(z.string()),
      verified: z.array(
        z.object({
          runtime: z.string(),
          version: z.string(),
          cpu: z.string(),
          settings: z.string(),
          compared: z.enum(['numpy model', 'qdiff']),
          of: z.optional(z.literal('convolutions')),
          values: count,
          mismatched: count,
        }),
      ),
    }),
  ),
});

export type KernelsDocument = z.output<typeof kernelsSchema>;
