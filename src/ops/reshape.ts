/** torch.reshape, view: another shape of as many values, in the same order. The layer's own shape says which, or `size`. */
import * as z from 'zod/mini';
import { dimsText, sizeOf } from '../tensor/shape.js';
import { moving } from './fields/layout.js';
import { integer } from './fields/schema.js';

interface Fields {
  readonly shape?: readonly number[];
  /** As torch has it, the samples' axis first: -1 is what is left. ONNX's 0: as in the input. */
  readonly size?: readonly number[];
}

export const reshape = moving<Fields>(
  'reshape',
  () => ({ size: z.optional(z.array(integer)) }),
  ({ shape, size = [] }) => ({
    dims({ dims }) {
      const wanted = shape ?? sized(size.slice(1), dims);
      if (sizeOf(dims) === sizeOf(wanted) && wanted.every((dim) => dim > 0)) return wanted;
      const given = `${sizeOf(dims)} values (its input's ${dimsText(dims)})`;
      return `expected a shape of ${given}, got ${dimsText(shape ?? size.slice(1))}`;
    },
  }),
  {
    channels: 'last',
    beyond: (field) => (field('shape') === undefined && field('size') === undefined ? 'without shape' : null),
  },
);

function sized(size: readonly number[], dims: readonly number[]): readonly number[] {
  const copied = size.map((own, i) => (own === 0 ? (dims[i] ?? 0) : own));
  const known = sizeOf(copied.filter((own) => own !== -1));
  const wanted = copied.map((own) => (own === -1 && known > 0 ? sizeOf(dims) / known : own));
  return wanted.length > 0 ? wanted : [1];
}
