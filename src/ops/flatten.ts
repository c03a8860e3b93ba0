/** torch.flatten: axes become one; values and parameters stay. Axes count the samples' as 0. */
import * as z from 'zod/mini';
import { sizeOf } from '../tensor/shape.js';
import { keptParams } from './fields/elementwise.js';
import { integer, keptOutput, layerFields } from './fields/schema.js';
import type { Op } from './op.js';

export const flatten: Op = {
  name: 'flatten',
  schema: () =>
    z.object({
      ...layerFields,
      start_dim: z.optional(integer),
      end_dim: z.optional(integer),
      output: keptOutput(),
    }),
  inputs: [1, 1],
  movesValues: true,
  channels: 'last',
  dims: ({ form, inputs: [{ shape }] }) => (form.kind === 'layout' ? form.dims(shape) : shape.dims),
  read(layer) {
    const { start_dim: start = 0, end_dim: end = -1 } = (layer.fields ?? {}) as {
      start_dim?: number;
      end_dim?: number;
    };
    const output = keptParams(layer);
    if (!layer.fields || !output) return null;
    return {
      form: { kind: 'layout', moves: () => null, fill: 0, dims: ({ dims }) => joined(dims, start, end) },
      output,
    };
  },
};

/** The samples' axis stays: flattening it too joins it with the next, which only one sample has. */
function joined(dims: readonly number[], start: number, end: number): readonly number[] {
  const rank = dims.length + 1;
  const first = Math.max(1, start < 0 ? start + rank : start);
  const last = end < 0 ? end + rank : end;
  return [...dims.slice(0, first - 1), sizeOf(dims.slice(first - 1, last)), ...dims.slice(last)];
}
