/**
 * A range of an axis, or of several: x[:, start:end:step] of axis 1, backwards where step is negative. drop: those of them, one long now, that leave.
 */
import * as z from 'zod/mini';
import { axesOf, axisOf, checkedAxes } from '../tensor/axes.js';
import { type Range, rangeOf } from '../tensor/range.js';
import { isOverSamples, oneOrMoreAxes } from './fields/axes.js';
import { moving } from './fields/layout.js';
import { integer } from './fields/schema.js';

interface Fields {
  readonly dim: number | readonly number[];
  readonly start?: number | null | readonly (number | null)[];
  readonly end?: number | null | readonly (number | null)[];
  readonly step?: number | readonly number[];
  readonly drop?: readonly number[];
}

interface AxisRange extends Range {
  readonly axis: number;
}

function sliceFields() {
  const bound = z.optional(z.nullable(z.union([integer, z.array(z.nullable(integer))])));
  const step = z.int().check(z.refine((own) => own !== 0, 'expected a whole number other than 0'));
  return {
    dim: oneOrMoreAxes,
    start: bound,
    end: bound,
    step: z.optional(z.union([step, z.array(step)])),
    drop: z.optional(z.array(integer)),
  };
}

export const slice = moving<Fields>(
  'slice',
  sliceFields,
  (fields) => ({
    dims(input) {
      const ranges = rangesOf(fields, input.dims);
      if (typeof ranges === 'string') return ranges;
      const dropped = axesOf(fields.drop ?? [], input);
      if (typeof dropped === 'string') return dropped;
      const sizes = new Map(ranges.map(({ axis, length }) => [axis, length]));
      const kept = input.dims.map((size, axis) => sizes.get(axis) ?? size).filter((_, axis) => !dropped.includes(axis));
      return kept.length > 0 ? kept : [1];
    },
    from(at, dims) {
      const ranges = checkedAxes(rangesOf(fields, dims));
      const dropped = checkedAxes(axesOf(fields.drop ?? [], { dims }));
      let next = 0;
      const own = dims.map((_, axis) => (dropped.includes(axis) ? 0 : at[next++]));
      for (const { axis, from, step } of ranges) own[axis] = from + own[axis] * step;
      return own;
    },
  }),
  { needs: ['dim'], beyond: isOverSamples, channels: 'input' },
);

function rangesOf({ dim, start, end, step }: Fields, dims: readonly number[]): readonly AxisRange[] | string {
  const own = <T>(given: T | readonly T[], i: number): T => (Array.isArray(given) ? given[i] : (given as T));
  const ranges = [dim].flat().map((one, i): AxisRange | string => {
    const axis = axisOf(one, { dims });
    if (typeof axis === 'string') return axis;
    const size = dims[axis];
    const range = rangeOf(size, own(start ?? null, i), own(end ?? null, i), own(step ?? 1, i) ?? 1);
    if (range.length > 0) return { axis, ...range };
    return `expected a range that is not empty of axis ${one}, which has ${size}, got ${range.from}..${range.to}`;
  });
  return ranges.find((range) => typeof range === 'string') ?? (ranges as AxisRange[]);
}
