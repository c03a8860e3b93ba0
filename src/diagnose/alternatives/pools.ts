/** Pools: layers on whole values whose windows have a geometry of their own. */

import { realFormOf } from '../../kernels/reals.js';
import type { AveragePoolAttributes, PoolAttributes } from '../../nouns/attributes.js';
import type { CodeArray, TensorCall, TensorSteps } from '../../nouns/kernel.js';
import { isQuantized, type QuantParams } from '../../nouns/value.js';
import type { Window } from '../../nouns/window.js';
import { int32s } from '../../numeric/array.js';
import { larger } from '../../numeric/integer.js';
import { windowAxes } from '../../tensor/covers.js';
import { positionDims, sizeOf, strideOf } from '../../tensor/shape.js';
import type { Fact } from '../cause.js';
import type { TensorStudy } from '../study/study.js';
import { isTensorStudy } from '../study/study.js';

/** A mean in which padding counts: of raw codes it is one that is padded with code 0. */
export const countsPadding: Fact = (study) => {
  if (!isTensorStudy(study) || study.declared.steps.ofRawCodes) return false;
  const { window, countIncludePad } = (study.declared.params.attributes ?? {}) as Partial<AveragePoolAttributes>;
  return countIncludePad === true && window!.padding.some((ends) => ends.some((own) => own > 0));
};

/** A window, and the places before and after it. */
export interface Windowed {
  readonly window: Window;
  readonly input: readonly number[];
  readonly output: readonly number[];
}

export const isPool: Fact = (study) => isTensorStudy(study) && windowedOf(study) !== null;

/** It takes the largest code of each window. */
export const isMaximum: Fact = (study) =>
  isPool(study) && realFormOf(study.data.op)?.is === 'maximum' && isQuantized(study.declared.params.output);

/** Null: no pool; a transposed convolution of floats has windows over its output. */
export function windowedOf({ declared, data }: TensorStudy): Windowed | null {
  const { window } = (declared.params.attributes ?? {}) as Partial<PoolAttributes>;
  if (!window || window.transposed) return null;
  const { inputs, output } = data.whole!.ready.shapes;
  const { channelAxis } = output;
  return { window, input: positionDims({ dims: inputs[0].dims, channelAxis }), output: positionDims(output) };
}

/** Another window that makes as many places: what it lacks after the image is padded, what it does not reach is cut. */
export function overDeclaredOutput(window: Window, { input, output }: Windowed): Window {
  const padding = input.map((size, axis): [number, number] => {
    const reach = window.dilation[axis] * (window.kernel[axis] - 1) + 1;
    const [before] = window.padding[axis];
    return [before, (output[axis] - 1) * window.stride[axis] + reach - size - before];
  });
  return { ...window, padding, ceil: false };
}

/** A maximum over more than the codes of its window: one code for all windows, or for those that reach over the border. */
export function maximumBeside({ declared }: TensorStudy, code: number, of: 'all' | 'border'): TensorSteps {
  const own = declared.steps;
  const cellsOf = ({ attributes, inputs: [{ shape }], output }: TensorCall) => {
    const { window } = attributes as PoolAttributes;
    const { dims, channelAxis } = output.shape;
    const axes = windowAxes(window, positionDims({ dims: shape.dims, channelAxis }));
    const places = new Int32Array(Math.max(...axes.map(({ most }) => most)));
    // whether windows along an axis reach over the border
    const isBeside = axes.map((axis, i) =>
      Uint8Array.from({ length: axis.windows }, (_, o) => +(axis.cover(o, places, 0) < window.kernel[i])),
    );
    const cells = new Uint8Array(sizeOf(dims)).fill(+(of === 'all'));
    const spatial = dims.map((_, axis) => axis).filter((axis) => axis !== channelAxis);
    spatial.forEach((axis, i) => {
      const below = strideOf(dims, axis);
      for (let cell = 0; cell < cells.length; cell++) cells[cell] |= isBeside[i][Math.floor(cell / below) % dims[axis]];
    });
    return cells;
  };
  let known = { attributes: null as unknown, cells: new Uint8Array(0) };
  return {
    kind: 'tensor',
    equation: `${own.equation}, and ${code}`,
    run(call) {
      if (known.attributes !== call.attributes) known = { attributes: call.attributes, cells: cellsOf(call) };
      const { cells } = known;
      const codes = own.run(call) as CodeArray;
      return int32s(codes, (own, i) => (cells[i % cells.length] ? larger(own, code) : own));
    },
  };
}

/** What a maximum is taken over begins with the lowest code of its dtype. */
export function lowestOf({ declared }: TensorStudy): number {
  return (declared.params.inputs[0] as QuantParams).quantMin;
}

/** The codes that scripts take for none: 0, and that of real 0. */
export function zerosOf(study: TensorStudy): number[] {
  const { zeroPoint } = study.declared.params.inputs[0] as QuantParams;
  return [...new Set([0, zeroPoint])].filter((code) => code > lowestOf(study));
}
