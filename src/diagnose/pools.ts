/** Pools: layers on whole values whose windows have a geometry of their own. */
import { realFormOf } from '../kernels/reals.js';
import { placesOf } from '../kernels/steps/pool.js';
import type { PoolAttributes } from '../nouns/attributes.js';
import type { CodeArray, TensorCall, TensorSteps } from '../nouns/kernel.js';
import { isQuantized, type QuantParams } from '../nouns/value.js';
import type { Window } from '../nouns/window.js';
import { larger } from '../numeric/integer.js';
import { windowCovers } from '../tensor/covers.js';
import { placeOf, sizeOf } from '../tensor/shape.js';
import type { Fact } from './cause.js';
import type { TensorStudy } from './study/study.js';
import { isTensorStudy } from './study/study.js';

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

/** Null: no pool. */
export function windowedOf({ declared, data }: TensorStudy): Windowed | null {
  const { window } = (declared.params.attributes ?? {}) as Partial<PoolAttributes>;
  if (!window) return null;
  const { inputs, output } = data.whole!.ready.shapes;
  const { channelAxis } = output;
  return { window, input: placesOf({ dims: inputs[0].dims, channelAxis }), output: placesOf(output) };
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
    const { channelAxis } = output.shape;
    const covers = windowCovers(window, placesOf({ dims: shape.dims, channelAxis }));
    const isBeside = covers.map(({ places }) => of === 'all' || places.length < sizeOf(window.kernel));
    return Uint8Array.from({ length: sizeOf(output.shape.dims) }, (_, i) =>
      isBeside[placeOf(output.shape, i).position] ? 1 : 0,
    );
  };
  return {
    kind: 'tensor',
    equation: `${own.equation}, and ${code}`,
    run(call) {
      const cells = cellsOf(call);
      const codes = own.run(call) as CodeArray;
      return Int32Array.from(codes, (own, i) => (cells[i % cells.length] ? larger(own, code) : own));
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
