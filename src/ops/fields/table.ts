/** Numbers that stay in their file until their layer's turn comes. */
import type { NumericArray, StoredDtype } from '../../nouns/array.js';
import { sizeOf } from '../../tensor/shape.js';
import type { RawLayer } from '../op.js';
import { loadNumbers, type NumberRule, numberField } from './numbers.js';

export interface Table {
  readonly count: number;
  read(): Promise<NumericArray>;
}

/** An array whose type says what its numbers are stays in its file: a language model's is 90 MB. Null after a problem. */
export async function tableOf(
  { fields, place, checks, arrays }: RawLayer,
  name: string,
  dtype: StoredDtype | 'uint4',
  rule: NumberRule,
): Promise<Table | null> {
  const field = numberField(fields![name], [...place, name], checks, arrays);
  if (!field) return null;
  if (field.dtype === dtype) return { count: sizeOf(field.shape), read: () => field.load() };
  const numbers = await loadNumbers(field, rule, checks);
  if (!numbers) return null;
  const table = Float32Array.from(numbers);
  return { count: table.length, read: async () => table };
}
