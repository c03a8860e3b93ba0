/** Arrays made from others when they are read: weights turned round, constants folded. */
import type { ArraySource, NumericArray, StoredDtype } from '../../nouns/array.js';

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
export function permuted(key: string, source: ArraySource, order: readonly number[]): ArraySource {
  const shape = order.map((axis) => source.shape[axis]);
  return derived(key, source.dtype, shape, async () => {
    const from = await source.read();
    const to = from.slice();
    const strides = source.shape.map((_, axis) => source.shape.slice(axis + 1).reduce((n, dim) => n * dim, 1));
    const steps = order.map((axis) => strides[axis]);
    const index = order.map(() => 0);
    for (let at = 0, place = 0; at < to.length; at++) {
      to[at] = from[place];
      for (let axis = shape.length - 1; axis >= 0; axis--) {
        place += steps[axis];
        if (++index[axis] < shape[axis]) break;
        place -= steps[axis] * shape[axis];
        index[axis] = 0;
      }
    }
    return to;
  });
}
