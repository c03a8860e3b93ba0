/** What ops that move values have in common: codes and parameters stay. */
import * as z from 'zod/mini';
import type { Layout, Shape } from '../../nouns/value.js';
import { sizeOf } from '../../tensor/shape.js';
import type { Op, RawLayer } from '../op.js';
import { keptParams } from './elementwise.js';
import { keptOutput, layerFields } from './schema.js';
import { factor } from './window.js';

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
  fields: () => z.ZodMiniObject['shape'],
  moves: (fields: Fields, layer: RawLayer) => Moves | null,
  own: Partial<Op>,
): Op {
  return {
    name,
    schema: () => z.object({ ...layerFields, ...fields(), output: keptOutput() }),
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

/** Indices are counted on from one feature to the next: of a list for each of 8 million took 3 s. */
function sourcesOf(output: readonly number[], input: readonly number[], from: NonNullable<Moves['from']>): Int32Array {
  const sources = new Int32Array(sizeOf(output));
  const at = output.map(() => 0);
  for (let feature = 0; feature < sources.length; feature++) {
    sources[feature] = placeOf(from(at, input), input);
    for (let axis = at.length - 1; axis >= 0 && ++at[axis] === output[axis]; axis--) at[axis] = 0;
  }
  return sources;
}

/** -1: of padding. */
function placeOf(at: readonly number[], dims: readonly number[]): number {
  let place = 0;
  for (let axis = 0; axis < at.length; axis++) {
    if (at[axis] === -1) return -1;
    place = place * dims[axis] + at[axis];
  }
  return place;
}

type Image = readonly number[];

/** Of images, whose axes ops know as channels, height, width. */
export function ofImages(
  layout: Layout,
  { dims, from }: { dims(image: Image): Image | string; from(at: Image, image: Image): Image },
): Moves {
  const isLast = layout === 'NHWC';
  const order = isLast ? 'height, width, channels' : 'channels, height, width';
  const first = ([a, b, c]: Image): Image => (isLast ? [c, a, b] : [a, b, c]);
  const back = ([a, b, c]: Image): Image => (isLast ? [b, c, a] : [a, b, c]);
  return {
    dims({ dims: image }) {
      if (image.length !== 3) return `expected an input of 3 axes (${order}), got [${image.join(', ')}]`;
      const made = dims(first(image));
      return typeof made === 'string' ? made : back(made);
    },
    from: (at, image) => back(from(first(at), first(image))),
  };
}

/** Of ops that turn blocks of places into channels, and back. */
export interface Blocked {
  readonly block_size: number;
  readonly channels_last?: boolean;
}

export const layoutOf = ({ channels_last }: Blocked): Layout => (channels_last ? 'NHWC' : 'NCHW');

export const blockedFields = () => ({ block_size: factor, channels_last: z.optional(z.boolean()) });

/** What divides a size, or why it does not. */
export function divided(size: number, by: number, what: string): number | string {
  return size % by === 0 ? size / by : `expected ${what} that ${by} divides, got ${size}`;
}

/** What r * r channels of each place become: r times as many rows and columns. */
export const spreadDims =
  (r: number) =>
  ([channels, height, width]: Image): Image | string => {
    const each = divided(channels, r * r, 'channels');
    return typeof each === 'string' ? each : [each, height * r, width * r];
  };
