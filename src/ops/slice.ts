/** A range of an axis: x[:, start:end:step] of axis 1. */
import * as z from 'zod/mini';
import { axisOf, checkedAxes } from '../tensor/axes.js';
import { isOverSamples } from './fields/axes.js';
import { moving } from './fields/layout.js';
import { integer } from './fields/schema.js';

interface Fields {
  readonly dim: number;
  readonly start?: number | null;
  readonly end?: number | null;
  readonly step?: number;
}

export const slice = moving<Fields>(
  'slice',
  {
    dim: integer,
    start: z.optional(z.nullable(integer)),
    end: z.optional(z.nullable(integer)),
    step: z.optional(z.int().check(z.positive())),
  },
  ({ dim, start, end, step = 1 }) => {
    const bound = (given: number | null | undefined, missing: number, size: number) =>
      Math.min(Math.max((given ?? missing) < 0 ? given! + size : (given ?? missing), 0), size);
    return {
      dims(input) {
        const axis = axisOf(dim, input);
        if (typeof axis === 'string') return axis;
        const size = input.dims[axis];
        const [from, to] = [bound(start, 0, size), bound(end, size, size)];
        if (from < to) return input.dims.map((own, i) => (i === axis ? Math.ceil((to - from) / step) : own));
        return `expected a range that is not empty of axis ${dim}, which has ${size}, got ${from}..${to}`;
      },
      from(at, dims) {
        const axis = checkedAxes(axisOf(dim, { dims }));
        const from = bound(start, 0, dims[axis]);
        return at.map((index, i) => (i === axis ? from + index * step : index));
      },
    };
  },
  { needs: ['dim'], beyond: isOverSamples, channels: 'input' },
);
