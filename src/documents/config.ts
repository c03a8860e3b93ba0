import * as z from 'zod/mini';
import { printable } from '../text.js';
import { Checks, type Place, name as text } from './checks.js';

/*
 * qdiff.config.json, version 1: the pairs that plain `qdiff` compares, and how. Fields are the options of the command
 * line, with `_` for `-`; their texts are parsed by the same functions. A field that does not exist is a problem: a
 * misspelt tolerance must not pass for a strict one, nor the other way round.
 */

const textOrNumber = z.union([text, z.number()]);
const oneOrMore = <T extends z.ZodMiniType>(one: T) => z.union([one, z.array(one)]);

/** For one model, or at the top for all. */
const settings = {
  kernel: z.optional(text),
  mode: z.optional(z.enum(['isolated', 'propagated'])),
  against: z.optional(z.enum(['capture', 'replay'])),
  layer: z.optional(oneOrMore(text)),
  samples: z.optional(textOrNumber),
  tol_lsb: z.optional(oneOrMore(textOrNumber)),
  tol_ulp: z.optional(oneOrMore(textOrNumber)),
  max_mismatched: z.optional(oneOrMore(textOrNumber)),
  require_replayed: z.optional(z.boolean()),
  diagnose: z.optional(z.boolean()),
  fail_fast: z.optional(z.boolean()),
};

/** Files belong to one model. */
const pair = {
  name: text,
  model: text,
  capture: z.optional(text),
  candidate: z.optional(text),
  candidate_model: z.optional(text),
  map: z.optional(oneOrMore(text)),
  baseline: z.optional(text),
  ...settings,
};

const top = {
  $schema: z.optional(z.string()),
  format: z.literal('qdiff-config'),
  version: z.literal(1),
  reporter: z.optional(oneOrMore(text)),
  channels: z.optional(textOrNumber),
  sort: z.optional(z.enum(['graph', 'worst'])),
  ...settings,
};

const formatSchema = z.object({ format: top.format, version: top.version });
const pairSchema = z.object(pair);
const topSchema = z.object({ ...top, models: z.array(z.unknown()).check(z.minLength(1)) });

export type ConfigPair = z.infer<typeof pairSchema>;
export type Config = Omit<z.infer<typeof topSchema>, 'models'> & { readonly models: readonly ConfigPair[] };

/** The configuration that a JSON value holds. Throws InputError with every problem. */
export function validateConfig(raw: unknown, path: string): Config {
  const checks = new Checks(path);
  const config = checks.parse(formatSchema, raw, []) && checks.parseFile(topSchema, raw);
  refuseUnknown(checks, topSchema, raw, []);
  const models = (config?.models ?? []).flatMap((model, i) => {
    if (checks.isFull(['models', i])) return checks.finish() as never;
    refuseUnknown(checks, pairSchema, model, ['models', i]);
    return checks.parse(pairSchema, model, ['models', i]) ?? [];
  });
  refuseTwice(checks, models, 'name', 'names tell reports apart');
  refuseTwice(checks, models, 'baseline', 'each model has its own');
  checks.finish();
  return { ...config!, models };
}

function refuseUnknown(checks: Checks, schema: z.ZodMiniObject, value: unknown, place: Place): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return;
  const known = Object.keys(schema.shape);
  for (const field of Object.keys(value)) {
    if (known.includes(field)) continue;
    const message = `expected one of ${known.filter((name) => name !== '$schema').join(', ')}, got another field`;
    checks.problem('field', [...place, field], message);
  }
}

function refuseTwice(checks: Checks, models: readonly ConfigPair[], field: 'name' | 'baseline', why: string): void {
  const seen = new Set<string>();
  for (const [i, { [field]: value }] of models.entries()) {
    if (value !== undefined && seen.has(value)) {
      checks.problem(
        'config',
        ['models', i, field],
        `expected another than "${printable(value)}", which is used; ${why}`,
      );
    }
    if (value !== undefined) seen.add(value);
  }
}

export function configJsonSchema(): object {
  const models = z.array(z.strictObject(pair)).check(z.minLength(1));
  return z.toJSONSchema(z.strictObject({ ...top, models }), { io: 'input' });
}
