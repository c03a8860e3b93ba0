/**
 * torch.nn.functional.pad: two numbers an axis, the last axis first. Constant padding is the code of `value`.
 * symmetric, TFLite's: reflected with its edge.
 */
import * as z from 'zod/mini';
import { quantizeTwoRoundings } from '../kernels/steps/quantize.js';
import { isQuantized } from '../nouns/value.js';
import { BESIDE, type Mode } from '../tensor/beside.js';
import { dimsText } from '../tensor/shape.js';
import { moving } from './fields/layout.js';
import { integer } from './fields/schema.js';

interface Fields {
  readonly pad: readonly number[];
  readonly mode?: Mode;
  readonly value?: number;
}

/** The most that an axis can be padded with, and how that is said. */
function mostOf(mode: Mode): readonly [most: (size: number) => number, rule: string] {
  if (mode === 'reflect') return [(size) => size - 1, ', each smaller than its axis'];
  if (mode === 'circular' || mode === 'symmetric') return [(size) => size, ', each at most its axis'];
  return [() => Number.POSITIVE_INFINITY, ''];
}

const EXPECTED = 'expected two integers an axis, the last axis first';

export const pad = moving<Fields>(
  'pad',
  () => ({
    pad: z.array(integer).check(z.refine((pad) => pad.length % 2 === 0, EXPECTED)),
    mode: z.optional(z.enum(['constant', 'reflect', 'replicate', 'circular', 'symmetric'])),
    value: z.optional(z.number()),
  }),
  ({ pad: ends, mode = 'constant', value = 0 }, { inputs: [input] }) => {
    const params = input?.params;
    const before = (axis: number, rank: number) => ends[2 * (rank - 1 - axis)] ?? 0;
    const after = (axis: number, rank: number) => ends[2 * (rank - 1 - axis) + 1] ?? 0;
    const [largest, rule] = mostOf(mode);
    return {
      dims({ dims }) {
        const rank = dims.length;
        const padded = dims.map((size, axis) => size + before(axis, rank) + after(axis, rank));
        const isTooMuch = dims.some((size, i) => Math.max(before(i, rank), after(i, rank)) > largest(size));
        if (ends.length <= 2 * rank && padded.every((size) => size > 0) && !isTooMuch) return padded;
        return `expected pad to fit its input ${dimsText(dims)}${rule}, got ${dimsText(ends)}`;
      },
      from: (at, dims) =>
        at.map((index, axis) => {
          const own = index - before(axis, dims.length);
          return own >= 0 && own < dims[axis] ? own : BESIDE[mode](own, dims[axis] - 1);
        }),
      fill: params && isQuantized(params) ? quantizeTwoRoundings.prepare(params)(value) : value,
    };
  },
  {
    needs: ['pad'],
    channels: 'input',
  },
);
