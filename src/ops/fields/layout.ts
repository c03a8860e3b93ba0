/** What ops that move values have in common: codes and parameters stay. */
import * as z from 'zod/mini';
import type { Shape } from '../../nouns/value.js';
import { indicesOf, sizeOf } from '../../tensor/shape.js';
import type { Op, RawLayer } from '../op.js';
import { keptParams } from './elementwise.js';
import { keptOutput, layerFields } from './schema.js';

export interface Moves {
  /** Of the output; a string where the input does not fit. */
  dims(input: Shape): readonly number[] | string;
  /** Index of the input by index of the output; -1 in it: padding. Absent: all stay in their order. */
  readonly from?: (at: readonly number[], input: readonly number[]) => readonly number[];
  readonly fill?: number;
}

/** moves: null after a problem. */
export function moving<Fields>(
  name: string,
  fields: z.ZodMiniObject['shape'],
  moves: (fields: Fields, layer: RawLayer) => Moves | null,
  own: Partial<Op> = {},
): Op {
  return {
    name,
    schema: () => z.object({ ...layerFields, ...fields, output: keptOutput }),
    inputs: [1, 1],
    movesValues: true,
    channels: 'layout',
    dims: ({ form, inputs: [{ shape }] }) => (form.kind === 'layout' ? form.dims(shape) : shape.dims),
    read(layer) {
      const output = keptParams(layer);
      const moved = layer.fields && output ? moves(layer.fields as Fields, layer) : null;
      if (!moved) return null;
      const { dims, from, fill = 0 } = moved;
      const sources = (input: Shape) => (from ? sourcesOf(dims(input) as readonly number[], input.dims, from) : null);
      return { form: { kind: 'layout', dims, moves: sources, fill }, output: output! };
    },
    ...own,
  };
}

function sourcesOf(output: readonly number[], input: readonly number[], from: NonNullable<Moves['from']>): Int32Array {
  return Int32Array.from({ length: sizeOf(output) }, (_, feature) => {
    const at = from(indicesOf(feature, output), input);
    return at.includes(-1) ? -1 : at.reduce((flat, index, axis) => flat * input[axis] + index, 0);
  });
}

/** Of images [channels, height, width]. */
export function ofImages(dims: (image: readonly number[]) => readonly number[] | string): Moves['dims'] {
  return ({ dims: input }) =>
    input.length === 3
      ? dims(input)
      : `expected an input of 3 axes (channels, height, width), got [${input.join(', ')}]`;
}

/** What divides a size, or why it does not. */
export function divided(size: number, by: number, what: string): number | string {
  return size % by === 0 ? size / by : `expected ${what} that ${by} divides, got ${size}`;
}
