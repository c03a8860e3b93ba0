/** Arrays made from others when they are read: weights turned round, constants folded. */
import type { ArraySource, NumericArray, StoredDtype } from '../../nouns/array.js';
import { permuted } from '../../tensor/permute.js';

/** A whole array that `make` computes each time: nothing of it is kept. */
export function derived(
  key: string,
  dtype: StoredDtype,
  shape: readonly number[],
  make: () => Promise<NumericArray>,
): ArraySource {
  const rows = shape[0] ?? 1;
  return {
    key,
    dtype,
    shape,
    read: async (from = 0, to = rows) => {
      const all = await make();
      const rowLength = rows === 0 ? 0 : all.length / rows;
      return all.subarray(from * rowLength, to * rowLength);
    },
  };
}

export function reshaped(key: string, source: ArraySource, shape: readonly number[]): ArraySource {
  return derived(key, source.dtype, shape, () => source.read());
}

/** Axis i of the result is axis order[i] of the source. */
export function permutedArray(key: string, source: ArraySource, order: readonly number[]): ArraySource {
  const shape = order.map((axis) => source.shape[axis]);
  return derived(key, source.dtype, shape, async () => permuted(await source.read(), source.shape, order));
}
