/** How tensors lie in memory. */
import type { Memory } from '../nouns/model.js';
import type { Shape } from '../nouns/value.js';

/** A value as it lies in memory. */
export interface Iterated {
  readonly shape: Shape;
  readonly memory: Memory;
}

/** In elements, the samples' axis first. */
export function stridesOf({ shape, memory }: Iterated): number[] {
  if (memory.strides) return [...memory.strides];
  // PyTorch's channels_last is for images and volumes
  return packed(shape, shape.dims.length > 2 ? memory.format : 'contiguous');
}

/** As PyTorch's is_contiguous(memory_format): axes of one element lie anyhow. */
export function isChannelsLast(value: Iterated): boolean {
  return liesLike(value, 'channels_last');
}

export function isContiguous(value: Iterated): boolean {
  return liesLike(value, 'contiguous');
}

function liesLike(value: Iterated, format: Memory['format']): boolean {
  const own = stridesOf(value);
  const sizes = [0, ...value.shape.dims];
  return packed(value.shape, format).every((stride, axis) => sizes[axis] === 1 || own[axis] === stride);
}

/** Without gaps; the channels' axis is the fastest of channels_last, wherever it stands in the shape. */
function packed({ dims, channelAxis }: Shape, format: Memory['format']): number[] {
  const order = dims.map((_, axis) => axis + 1);
  if (format === 'channels_last') order.push(order.splice(channelAxis, 1)[0]);
  const strides = new Array<number>(dims.length + 1);
  let stride = 1;
  for (const axis of [...order].reverse()) {
    strides[axis] = stride;
    stride *= dims[axis - 1];
  }
  strides[0] = stride;
  return strides;
}
