/** torch.Tensor.expand: axes of one element are repeated to `size`, which has the samples' axis first; -1 and 1 leave an axis as it is. */
import * as z from 'zod/mini';
import { dimsText } from '../tensor/shape.js';
import { moving } from './fields/layout.js';
import { integer } from './fields/schema.js';

export const expand = moving<{ size: readonly number[] }>(
  'expand',
  () => ({ size: z.array(integer) }),
  ({ size: [, ...size] }) => ({
    dims({ dims }) {
      const fits = size.length === dims.length && dims.every((own, i) => own === 1 || [own, 1, -1].includes(size[i]));
      if (!fits || size.some((own) => own === 0 || own < -1))
        return `expected sizes that its input ${dimsText(dims)} is expanded to, got ${dimsText(size)}`;
      return dims.map((own, i) => (own === 1 ? Math.max(1, size[i]) : own));
    },
    from: (at, dims) => at.map((index, i) => (dims[i] === 1 ? 0 : index)),
  }),
  { needs: ['size'], channels: 'input' },
);
