/** torch.nn.functional.pad: two numbers an axis, the last axis first. Constant padding is the code of `value`. */
import * as z from 'zod/mini';
import { quantizeTwoRoundings } from '../kernels/steps/quantize.js';
import { isQuantized } from '../nouns/value.js';
import { dimsText } from '../tensor/shape.js';
import { moving } from './fields/layout.js';
import { integer } from './fields/schema.js';

interface Fields {
  readonly pad: readonly number[];
  readonly mode?: 'constant' | 'reflect';
  readonly value?: number;
}

const EXPECTED = 'expected two integers an axis, the last axis first';

export const pad = moving<Fields>(
  'pad',
  {
    pad: z.array(integer).check(z.refine((pad) => pad.length % 2 === 0, EXPECTED)),
    mode: z.optional(z.enum(['constant', 'reflect', 'replicate', 'circular'])),
    value: z.optional(z.number()),
  },
  ({ pad: ends, mode = 'constant', value = 0 }, { inputs: [input] }) => {
    const params = input?.params;
    const before = (axis: number, rank: number) => ends[2 * (rank - 1 - axis)] ?? 0;
    const after = (axis: number, rank: number) => ends[2 * (rank - 1 - axis) + 1] ?? 0;
    const largest = (size: number) => (mode === 'reflect' ? size - 1 : Number.POSITIVE_INFINITY);
    return {
      dims({ dims }) {
        const rank = dims.length;
        const padded = dims.map((size, axis) => size + before(axis, rank) + after(axis, rank));
        const isTooMuch = dims.some((size, i) => Math.max(before(i, rank), after(i, rank)) > largest(size));
        if (ends.length <= 2 * rank && padded.every((size) => size > 0) && !isTooMuch) return padded;
        const rule = mode === 'reflect' ? ', each smaller than its axis' : '';
        return `expected pad to fit its input ${dimsText(dims)}${rule}, got ${dimsText(ends)}`;
      },
      from: (at, dims) =>
        at.map((index, axis) => {
          const own = index - before(axis, dims.length);
          const last = dims[axis] - 1;
          if (mode === 'reflect') return last - Math.abs(last - Math.abs(own));
          return own < 0 || own > last ? -1 : own;
        }),
      fill: params && isQuantized(params) ? quantizeTwoRoundings.prepare(params)(value) : value,
    };
  },
  {
    needs: ['pad'],
    channels: 'input',
    beyond: (field) =>
      ['replicate', 'circular'].includes(field('mode') as string) ? `in mode ${field('mode')}` : null,
  },
);
