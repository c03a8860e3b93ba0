/** What pools have in common: windows over places, channel by channel; scale and zero point stay. */

import * as z from 'zod/mini';
import { activation } from '../../documents/activation.js';
import type { PoolAttributes } from '../../nouns/attributes.js';
import type { TensorForm } from '../../nouns/model.js';
import type { Window } from '../../nouns/window.js';
import { windowDims } from '../../tensor/patches.js';
import { dimsText, sizeOf } from '../../tensor/shape.js';
import { printable } from '../../text.js';
import type { Op, RawLayer, ShapedLayer } from '../op.js';
import { activationOf } from './activation.js';
import { ownOrKept } from './elementwise.js';
import { keptOutput, layerFields } from './schema.js';
import { tensorForm } from './tensor.js';
import { doesNotFit, perPlace, readWindow, windowFields } from './window.js';

/** Products of a matrix that take as long as a value of a window: 3 ns each, and 90 with its place. */
const OF_PLACE = 30;

const { stride, padding, dilation } = windowFields;
const poolFields = {
  kernel_size: perPlace,
  stride,
  padding,
  ceil_mode: z.optional(z.boolean()),
  activation: z.optional(activation),
};
export const dilated = { dilation };

/** spatial: how many axes its windows have; attributes: what an op reads besides its window. */
export function pool(
  name: string,
  spatial: number,
  fields: z.ZodMiniObject['shape'],
  attributes: (window: Window, layer: RawLayer) => PoolAttributes,
): Op {
  return {
    name,
    schema: () => z.object({ ...layerFields, ...poolFields, ...fields, output: keptOutput() }),
    inputs: [1, 1],
    needs: ['kernel_size'],
    reads: 'codes',
    channels: 'layout',
    dims: (layer) => poolDims(layer, spatial),
    terms: (_, form) => OF_PLACE * sizeOf(((form as TensorForm).attributes as PoolAttributes).window.kernel),
    read(layer) {
      const window = poolWindow(layer, spatial);
      const output = ownOrKept(layer);
      return window && output
        ? { form: tensorForm(attributes(window, layer), activationOf({ ...layer, output })), output }
        : null;
    },
  };
}

/** The stride is the kernel's size where none is given. */
function poolWindow(layer: RawLayer, spatial: number): Window | null {
  if (!layer.fields) return null;
  const { kernel_size: size, ceil_mode: ceil } = layer.fields as {
    kernel_size: number | number[];
    ceil_mode?: boolean;
  };
  const sizes = Array.isArray(size) ? size : [size];
  if (sizes.length !== 1 && sizes.length !== spatial) {
    const expected = `expected one number, or ${spatial} (${layer.op})`;
    layer.checks.problem('kernel_size', [...layer.place, 'kernel_size'], `${expected}, got ${sizes.length}`);
    return null;
  }
  const kernel = Array.from({ length: spatial }, (_, axis) => sizes[axis] ?? sizes[0]);
  const fields = { ...layer.fields, stride: layer.fields.stride ?? kernel };
  const window = readWindow({ ...layer, fields }, kernel, false);
  return window && padsBelowKernel(layer, window) ? { ...window, ceil: ceil ?? false } : null;
}

/** As ONNX Runtime takes them: no window lies outside. PyTorch's are at most half. */
function padsBelowKernel({ place, checks }: RawLayer, { kernel, padding: ends }: Window): boolean {
  const wrong = ends.findIndex((end, axis) => Math.max(...end) >= kernel[axis]);
  if (wrong < 0) return true;
  const expected = `expected less than kernel_size ${kernel[wrong]}`;
  checks.problem('padding', [...place, 'padding'], `${expected}, got ${Math.max(...ends[wrong])}`);
  return false;
}

function poolDims({ form, inputs: [{ name, shape }], layout }: ShapedLayer, spatial: number): number[] | string {
  const { window } = (form as TensorForm).attributes as PoolAttributes;
  const given = `${printable(name)} of shape ${dimsText(shape.dims)}`;
  const wrong = wrongRank(shape.dims, spatial, given);
  if (wrong) return wrong;
  const axis = layout === 'NCHW' ? 0 : spatial;
  const places = shape.dims.filter((_, i) => i !== axis);
  const output = windowDims(window, places);
  if (output.some((size) => size < 1)) return doesNotFit(window, places, given);
  output.splice(axis, 0, shape.dims[axis]);
  return output;
}

export function wrongRank(dims: readonly number[], spatial: number, given: string): string | null {
  if (dims.length === spatial + 1) return null;
  return `expected an input of ${spatial + 1} axes (channels and ${spatial} of places), got ${given}`;
}
