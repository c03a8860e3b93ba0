/**
 * A range of an axis, or of several: x[:, start:end:step] of axis 1, backwards where step is negative. drop: those of them, one long now, that leave.
 */
import * as z from 'zod/mini';
import { axesOf, axisOf, checkedAxes } from '../tensor/axes.js';
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

interface Range {
  readonly axis: number;
  readonly from: number;
  readonly to: number;
  readonly step: number;
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
      const sizes = new Map(ranges.map(({ axis, from, to, step }) => [axis, Math.ceil((to - from) / step)]));
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

function rangesOf({ dim, start, end, step }: Fields, dims: readonly number[]): readonly Range[] | string {
  const own = <T>(given: T | readonly T[], i: number): T => (Array.isArray(given) ? given[i] : (given as T));
  const ranges = [dim].flat().map((one, i): Range | string => {
    const axis = axisOf(one, { dims });
    if (typeof axis === 'string') return axis;
    const size = dims[axis];
    const by = own(step ?? 1, i) ?? 1;
    const [first, last] = [own(start ?? null, i), own(end ?? null, i)];
    const [from, to] =
      by > 0
        ? [within(first ?? 0, size, 0), within(last ?? size, size, 0)]
        : [within(first ?? size, size, -1), last === null ? -1 : within(last, size, -1)];
    if ((to - from) * by > 0) return { axis, from, to, step: by };
    return `expected a range that is not empty of axis ${one}, which has ${size}, got ${from}..${to}`;
  });
  return ranges.find((range) => typeof range === 'string') ?? (ranges as Range[]);
}

/** Counted from the end where it is negative. before: -1 of ranges that walk backwards. */
function within(at: number, size: number, before: -1 | 0): number {
  return Math.min(Math.max(at < 0 ? at + size : at, before), size + before);
}
