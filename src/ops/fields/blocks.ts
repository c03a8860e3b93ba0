/** Ops that make images of blocks of places, and back: image [places ..., channels], images [block, places ..., channels]. */
import * as z from 'zod/mini';
import { indicesOf, sizeOf } from '../../tensor/shape.js';

export const blockShape = () => z.array(z.int().check(z.positive())).check(z.minLength(1));

export function ends() {
  const cells = z.int().check(z.nonnegative());
  return z.array(z.tuple([cells, cells]));
}

/** How an image becomes images: cells that are put on before and after each axis, and the blocks' sizes. */
export interface Blocks {
  readonly block: readonly number[];
  readonly ends: readonly (readonly [number, number])[];
}

/** As many pairs as sizes, and an axis for each. */
export function misfit({ block, ends: own }: Blocks, rank: number): string | null {
  if (own.length !== block.length)
    return `expected two numbers for each of ${block.length} block sizes, got ${own.length}`;
  return rank > block.length ? null : `expected more than ${rank} axes for ${block.length} block sizes`;
}

/** [y, x, channel] of an image with its padding taken off: where the image that has it keeps it. */
export function toImages({ block, ends: own }: Blocks, at: readonly number[]): number[] {
  const padded = block.map((_, axis) => at[axis] + own[axis][0]);
  const within = padded.map((place, axis) => place % block[axis]);
  const image = within.reduce((flat, place, axis) => flat * block[axis] + place, 0);
  return [image, ...padded.map((place, axis) => Math.floor(place / block[axis])), ...at.slice(block.length)];
}

/** The way back; places of the padding are -1. */
export function toPlace(
  { block, ends: own }: Blocks,
  [image, ...at]: readonly number[],
  dims: readonly number[],
): number[] {
  const within = indicesOf(image, block);
  return at.map((index, axis) => {
    if (axis >= block.length) return index;
    const place = index * block[axis] + within[axis] - own[axis][0];
    return place < 0 || place >= dims[axis] ? -1 : place;
  });
}

export const imagesOf = ({ block }: Blocks) => sizeOf(block);
