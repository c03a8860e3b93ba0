import * as z from 'zod/mini';
import { printable } from '../text.js';
import { Checks, name } from './checks.js';

/*
 * baseline.json, version 1: what a run may differ by. The one source of its types, of the messages for a wrong field,
 * and of the JSON Schema that ships with the package.
 */

const count = z.int().check(z.nonnegative());
/** A float layer may be infinitely many ULPs off; JSON spells that. */
const size = z.union([z.number().check(z.nonnegative()), z.literal('inf')]);

const channelSchema = z.object({ channel: count, mismatched: count, max_abs_diff: size });

const layerSchema = z.object({
  name,
  mismatched: count,
  max_abs_diff: size,
  causes: z.array(z.string()),
  channels: z.array(channelSchema),
  /** Where the outputs are equal and the accumulators are not. */
  accumulator: z.optional(z.object({ mismatched: count, max_abs_diff: size })),
});

const formatSchema = z.object({ format: z.literal('qdiff-baseline'), version: z.literal(1) });

export const baselineSchema = z.object({
  ...formatSchema.shape,
  kernel: z.string(),
  mode: z.enum(['isolated', 'propagated']),
  layers: z.array(layerSchema),
});

export type Baseline = z.infer<typeof baselineSchema>;
export type RecordedLayer = Baseline['layers'][number];

/** The baseline that a JSON value holds. Throws InputError with every problem. */
export function validateBaseline(raw: unknown, path: string): Baseline {
  const checks = new Checks(path);
  const isFormat = checks.parse(formatSchema, raw, []) !== null;
  const baseline = isFormat ? checks.parseFile(baselineSchema, raw) : null;
  const seen = new Set<string>();
  for (const [i, { name }] of (baseline?.layers ?? []).entries()) {
    if (seen.has(name)) {
      const message = `expected a layer once, got "${printable(name)}" again; keep one of them`;
      checks.problem('baseline', ['layers', i, 'name'], message);
    }
    seen.add(name);
  }
  checks.finish();
  return baseline!;
}
