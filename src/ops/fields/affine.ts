/** Numbers of normalizations: float32, one a channel, or one a value that is normalized with others. */

import * as z from 'zod/mini';
import type { AffineAttributes } from '../../nouns/attributes.js';
import type { RawLayer } from '../op.js';
import { FLOAT32, loadNumbers, numberField } from './numbers.js';
import { list, numbers } from './schema.js';

const EXPECTED_EPS = 'expected a number from 0 on';
const field = (description: string) => z.optional(z.nullable(numbers(description, list('number'))));

export const affineFields = {
  weight: field('float32, [channels]; 1 where there is none'),
  bias: field('float32, [channels]; 0 where there is none'),
  eps: z.optional(z.number(EXPECTED_EPS).check(z.nonnegative(EXPECTED_EPS))),
};

const size = z.int().check(z.positive());

/** The last axes of a sample, normalized together. */
export const normalizedShape = z.union(
  [size, z.array(size).check(z.minLength(1))],
  'expected a size, or a list of sizes',
);

/** A field's numbers as float32; null without, undefined after a problem. */
export async function floatsOf(layer: RawLayer, name: string): Promise<Float32Array | null | undefined> {
  const { fields, place, checks, arrays } = layer;
  const raw = fields?.[name];
  if (raw === undefined || raw === null) return null;
  const given = numberField(raw, [...place, name], checks, arrays);
  const values = given && (await loadNumbers(given, FLOAT32, checks));
  return values ? Float32Array.from(values) : undefined;
}

/** Weight, bias and eps; null after a problem. */
export async function affineOf(layer: RawLayer): Promise<AffineAttributes | null> {
  const [weight, bias] = [await floatsOf(layer, 'weight'), await floatsOf(layer, 'bias')];
  if (!layer.fields || weight === undefined || bias === undefined) return null;
  return { weight, bias, eps: (layer.fields.eps as number | undefined) ?? 1e-5 };
}

/** Which of the lists has another length than what is normalized has values; null: none. */
export function wrongLength(lists: Readonly<Record<string, Float32Array | null>>, count: number): string | null {
  const wrong = Object.entries(lists).find(([, values]) => values !== null && values.length !== count);
  return wrong ? `expected ${count} values of ${wrong[0]} (its input's), got ${wrong[1]!.length}` : null;
}
