/** What lookups of rows have in common: indices in, floats out. */

import * as z from 'zod/mini';
import type { NumericArray } from '../../nouns/array.js';
import type { EmbeddingAttributes } from '../../nouns/attributes.js';
import type { TensorForm } from '../../nouns/model.js';
import { CODE_RANGES } from '../../nouns/value.js';
import type { RawLayer } from '../op.js';
import { FLOAT32, loadNumbers, type NumberRule, numberField } from './numbers.js';
import { layerFields, list, numbers, oneOrList, outputSchema } from './schema.js';
import { tableOf } from './table.js';
import { tensorForm } from './tensor.js';

const RANGES = { ...CODE_RANGES, uint4: [0, 15], float32: [0, 0] } as const;
const DTYPES = ['uint8', 'int8', 'uint16', 'int16', 'uint4', 'float32'] as const;
type TableDtype = (typeof DTYPES)[number];

export const embeddingFields = {
  ...layerFields,
  weight: numbers('[rows, embedding_dim], one after the other', list('number')),
  weight_dtype: z.optional(z.enum(DTYPES)),
  weight_scale: z.optional(numbers('one number, or [rows]', oneOrList('number'))),
  weight_zero_point: z.optional(numbers('one number, or [rows]; floats', oneOrList('number'))),
  embedding_dim: z.int().check(z.positive()),
  output: outputSchema,
};

function codesWithin(dtype: TableDtype): NumberRule {
  const [lo, hi] = RANGES[dtype];
  const accepts = (value: number) => Number.isInteger(value) && value >= lo && value <= hi;
  return dtype === 'float32' ? FLOAT32 : { expected: `expected a code in ${lo}..${hi} (${dtype})`, accepts };
}

/** Null after a problem. */
export async function embeddingForm(layer: RawLayer, own: Partial<EmbeddingAttributes>): Promise<TensorForm | null> {
  const { fields, place, checks } = layer;
  if (!fields) return null;
  const { weight_dtype: dtype = 'uint8', embedding_dim: size } = fields as {
    weight_dtype?: TableDtype;
    embedding_dim: number;
  };
  const weight = await tableOf(layer, 'weight', dtype, codesWithin(dtype));
  const scale = await numbersOf(layer, 'weight_scale', FLOAT32);
  const zeroPoint = await numbersOf(layer, 'weight_zero_point', FLOAT32);
  if (!weight || scale === undefined || zeroPoint === undefined) return null;
  const rows = weight.count / size;
  const wrong = [scale, zeroPoint].find((given) => given && given.length !== 1 && given.length !== rows);
  if (!Number.isInteger(rows) || wrong) {
    const got = wrong ? `${wrong.length} of its scale or zero point` : `${weight.count} values`;
    checks.problem(
      'weight',
      [...place, 'weight'],
      `expected rows of ${size} (embedding_dim), a scale each, got ${got}`,
    );
    return null;
  }
  if (dtype !== 'float32' && !scale) {
    checks.problem('field', [...place, 'weight_scale'], 'expected numbers (its weight is codes), got nothing');
    return null;
  }
  const attributes: EmbeddingAttributes = {
    ...own,
    dtype,
    size,
    scale: dtype === 'float32' ? null : perRow(scale!),
    zeroPoint: perRow(zeroPoint ?? [0]),
  };
  return { ...tensorForm(attributes), table: weight.read };
}

function perRow(values: ArrayLike<number>): (row: number) => number {
  return (row) => values[values.length === 1 ? 0 : row];
}

/** Null without, undefined after a problem. */
async function numbersOf(layer: RawLayer, name: string, rule: NumberRule): Promise<NumericArray | null | undefined> {
  const raw = layer.fields![name];
  if (raw === undefined || raw === null) return null;
  const field = numberField(raw, [...layer.place, name], layer.checks, layer.arrays);
  return (field && (await loadNumbers(field, rule, layer.checks))) ?? undefined;
}
