/** Features of a sample to places and back. */
import type { Layout, Shape } from '../nouns/value.js';

/** numpy has no array of more axes, and no runtime a tensor. */
export const MOST_AXES = 64;

/** A row of channels. */
export function rowOf(channels: number): Shape {
  return { dims: [channels], channelAxis: 0 };
}

export function sizeOf(dims: readonly number[]): number {
  return dims.reduce((size, dim) => size * dim, 1);
}

export function channelsOf({ dims, channelAxis }: Shape): number {
  return dims[channelAxis] ?? 1;
}

/** How many values a channel has. */
export function positionsOf(shape: Shape): number {
  return sizeOf(positionDims(shape));
}

/** How many values lie between a channel and the next. */
export function channelStride({ dims, channelAxis }: Shape): number {
  return strideOf(dims, channelAxis);
}

/** The axes of a position: all but the channels'. */
export function positionDims({ dims, channelAxis }: Shape): readonly number[] {
  return dims.filter((_, axis) => axis !== channelAxis);
}

export interface PlaceInSample {
  readonly channel: number;
  /** Counts the places of a channel in C order. */
  readonly position: number;
}

export function placeOf(shape: Shape, feature: number): PlaceInSample {
  const [channels, stride] = [channelsOf(shape), channelStride(shape)];
  const outer = Math.floor(feature / (stride * channels));
  return { channel: Math.floor(feature / stride) % channels, position: outer * stride + (feature % stride) };
}

export function featureAt(shape: Shape, { channel, position }: PlaceInSample): number {
  const [channels, stride] = [channelsOf(shape), channelStride(shape)];
  return (Math.floor(position / stride) * channels + channel) * stride + (position % stride);
}

/** A position as one index an axis, without the channels': [y, x] of an image, empty for a row. */
export function coordinatesOf(shape: Shape, position: number): number[] {
  return indicesOf(position, positionDims(shape));
}

/** The position of such indices; null where they leave the shape or are too few or many. */
export function positionAt(shape: Shape, at: readonly number[]): number | null {
  const dims = positionDims(shape);
  if (at.length !== dims.length || at.some((index, axis) => !(index >= 0 && index < dims[axis]))) return null;
  return at.reduce((position, index, axis) => position * dims[axis] + index, 0);
}

/** How far neighbours along an axis of a value in C order lie apart. */
export function strideOf(dims: readonly number[], axis: number): number {
  return sizeOf(dims.slice(axis + 1));
}

/** Of a value in C order: its index along each axis. */
export function indicesOf(flat: number, dims: readonly number[]): number[] {
  const at = new Array<number>(dims.length);
  let rest = flat;
  for (let axis = dims.length - 1; axis >= 0; axis--) {
    at[axis] = rest % dims[axis];
    rest = Math.floor(rest / dims[axis]);
  }
  return at;
}

export function sameDims(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((dim, axis) => dim === b[axis]);
}

/** Where the channels of an image or a sequence of that layout are, and of a row of features: last. */
export function channelAxisOf(dims: readonly number[], layout: Layout): number {
  return dims.length >= 3 && layout === 'NCHW' ? 0 : Math.max(0, dims.length - 1);
}

/** Whether shapes are the same image, its channels in front of one and behind in the other. */
export function fitsOtherLayout(a: readonly number[], b: readonly number[]): boolean {
  const moved = (dims: readonly number[]) => [...dims.slice(1), dims[0]];
  return a.length > 1 && (sameDims(moved(a), b) || sameDims(moved(b), a));
}

export function dimsText(dims: readonly number[]): string {
  return `[${dims.join(', ')}]`;
}

/** Of a value in C order, samples in front: its channel. */
export function channelsIn(shape: Shape): (index: number) => number {
  const [stride, channels] = [channelStride(shape), channelsOf(shape)];
  return (index) => Math.floor(index / stride) % channels;
}
