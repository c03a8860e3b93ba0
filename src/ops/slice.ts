/** A range of an axis, or of several: x[:, start:end:step] of axis 1. drop: those of them, one long now, that leave. */
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

const bound = z.optional(z.nullable(z.union([integer, z.array(z.nullable(integer))])));
const positive = z.int().check(z.positive());

export const slice = moving<Fields>(
  'slice',
  {
    dim: oneOrMoreAxes,
    start: bound,
    end: bound,
    step: z.optional(z.union([positive, z.array(positive)])),
    drop: z.optional(z.array(integer)),
  },
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
    const [from, to] = [within(own(start ?? null, i) ?? 0, size), within(own(end ?? null, i) ?? size, size)];
    if (from < to) return { axis, from, to, step: own(step ?? 1, i) ?? 1 };
    return `expected a range that is not empty of axis ${one}, which has ${size}, got ${from}..${to}`;
  });
  return ranges.find((range) => typeof range === 'string') ?? (ranges as Range[]);
}

/** Counted from the end where it is negative. */
function within(at: number, size: number): number {
  return Math.min(Math.max(at < 0 ? at + size : at, 0), size);
}
