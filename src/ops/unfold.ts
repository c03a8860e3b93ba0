/** torch.nn.functional.unfold: a column a patch, [channels * taps, positions]; padding holds real 0. */
import { isQuantized } from '../nouns/value.js';
import type { Window } from '../nouns/window.js';
import { windowDims } from '../tensor/patches.js';
import { dimsText, indicesOf, sizeOf } from '../tensor/shape.js';
import { keptParams } from './fields/elementwise.js';
import { moving } from './fields/layout.js';
import { perPlace, readWindow, windowFields } from './fields/window.js';

interface Fields {
  readonly kernel_size: number | readonly number[];
}

export const unfold = moving<Fields>(
  'unfold',
  () => ({ kernel_size: perPlace, ...windowFields }),
  ({ kernel_size: size }, layer) => {
    const kernel = typeof size === 'number' ? [size, size] : size;
    const window = readWindow(layer, kernel, false);
    const params = keptParams(layer);
    if (!window) return null;
    return {
      fill: params && isQuantized(params) ? params.zeroPoint : 0,
      dims({ dims }) {
        const places = dims.length === 3 ? windowDims(window, dims.slice(1)) : [];
        if (places.length !== 2 || places.some((size) => size < 1))
          return `expected an image of at least one patch, got ${dimsText(dims)}`;
        return [dims[0] * sizeOf(kernel), sizeOf(places)];
      },
      from: ([row, position], dims) => placeOf(window, row, position, dims),
    };
  },
  { needs: ['kernel_size'], channels: 'layout' },
);

/** Of the image: channel, row and column; -1 where the patch lies on padding. */
function placeOf(window: Window, row: number, position: number, dims: readonly number[]): number[] {
  const { kernel, stride, padding, dilation } = window;
  const taps = indicesOf(row % sizeOf(kernel), kernel);
  const at = indicesOf(position, windowDims(window, dims.slice(1)));
  const places = at.map((o, axis) => {
    const place = o * stride[axis] - padding[axis][0] + taps[axis] * dilation[axis];
    return place < dims[axis + 1] ? place : -1;
  });
  return [Math.floor(row / sizeOf(kernel)), ...places];
}
