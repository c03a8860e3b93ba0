/** torch.permute: axes in another order; the samples' stays first. */
import * as z from 'zod/mini';
import { dimsText } from '../tensor/shape.js';
import { moving } from './fields/layout.js';
import { integer } from './fields/schema.js';

export const permute = moving<{ dims: readonly number[] }>(
  'permute',
  () => ({ dims: z.array(integer) }),
  ({ dims: order }) => {
    const axes = (rank: number) => order.slice(1).map((dim) => (dim < 0 ? dim + rank : dim) - 1);
    const backOf = (own: readonly number[]) => own.map((_, axis) => own.indexOf(axis));
    let back: readonly number[] = [];
    return {
      dims({ dims }) {
        const own = axes(dims.length + 1);
        if (own.length === dims.length && [...own].sort((a, b) => a - b).every((axis, i) => axis === i)) {
          return own.map((axis) => dims[axis]);
        }
        return `expected each axis of its input ${dimsText(dims)} once, the samples' (0) first, got ${dimsText(order)}`;
      },
      from: (at, input) => {
        if (back.length !== input.length) back = backOf(axes(input.length + 1));
        return back.map((axis) => at[axis]);
      },
    };
  },
  {
    needs: ['dims'],
    beyond: (field) => ((field('dims') as unknown[] | null)?.[0] === 0 ? null : "over the samples' axis"),
  },
);
