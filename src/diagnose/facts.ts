/** What a layer may have to be for a cause to be possible. */
import { isQuantized } from '../nouns/value.js';
import type { Fact } from './cause.js';
import { inputOf, type Setup } from './setup.js';

/** It reads codes whose scale and zero point are the file's; a dynamic layer chooses its own. */
export const readsCodes: Fact = ({ declared, data }) => !data.dynamic && isQuantized(inputOf(declared));

/** A dynamic layer: it chooses scale and zero point of what it reads. */
export const quantizesItsInput: Fact = ({ data }) => data.dynamic !== null;

/** Without a zero point nothing can depend on when it is added. */
export const hasOutputZeroPoint: Fact = ({ declared }) => addsZeroPoint(declared);

export function addsZeroPoint({ params: { output } }: Setup): boolean {
  return isQuantized(output) && output.zeroPoint !== 0;
}

/** A script quantizes what it reads, and may forget or mistake what it chose. */
export const choosesByScript: Fact = (study) => quantizesItsInput(study) && study.data.side === 'candidate';

export const writesCodes: Fact = ({ declared }) => isQuantized(declared.params.output);

/** Steps of every runtime are possible, and a script's. */
export const anyRuntime: Fact = ({ free }) => free;

/** It makes values of other parameters, and so rounds or scales; a clamp leaves them as they are. */
export const converts: Fact = ({ declared }) => convertsIn(declared);

/** Whether kernels may differ in it: it converts, or makes codes of bounds. */
export function isKernelsOwn(setup: Setup): boolean {
  return convertsIn(setup) || hasRoundedBound(setup);
}

/** A clamp of codes at a real other than 0, which is the zero point in every kernel. */
export function hasRoundedBound(setup: Setup): boolean {
  if (setup.kind !== 'elementwise' || !setup.params.clamp || !isQuantized(setup.params.output)) return false;
  const { lower, upper } = setup.params.clamp;
  return [lower, upper].some((bound) => bound !== 0 && Number.isFinite(bound));
}

export function convertsIn(setup: Setup): boolean {
  if (setup.kind !== 'elementwise') return true;
  const { quantize, dequantize, rescale } = setup.steps;
  return quantize !== null || dequantize !== null || rescale !== null;
}

/** Its kernel scales sums to codes, step by step: on a base that may be another. */
export const hasBase: Fact = (study) => {
  const { declared } = study;
  return scalesSums(study) && declared.kind === 'product' && !declared.steps.float;
};

/** What nearly explains it may do so on another base: where its runtime computes integers in float, that is the question instead. */
export const standsOnBases: Fact = (study) =>
  hasBase(study) || (scalesSums(study) && study.data.otherArithmetic === null);

/** Sums to codes of another scale, in integers or on a float path. */
export const scalesSums: Fact = ({ declared, data }) => {
  if (declared.kind !== 'product' || data.dynamic) return false;
  const { dtype } = declared.params.output;
  return dtype !== 'float32' && dtype !== 'int32';
};
