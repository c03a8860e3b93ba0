/** GREATER, EQUAL and the like: of floats as they are, of codes as reals in fixed point, which may take neighbours for equal. */
import type { CompareAttributes } from '../../../nouns/attributes.js';
import type { TensorSteps, TensorValue } from '../../../nouns/kernel.js';
import { isQuantized } from '../../../nouns/value.js';
import { fill, reader } from '../call.js';
import { tensorSteps } from '../tensor.js';
import { BYTES, byMultiplier, scaleOf } from './common.js';

const COMPARE: Readonly<Record<CompareAttributes['by'], (a: number, b: number) => boolean>> = {
  greater: (a, b) => a > b,
  greater_equal: (a, b) => a >= b,
  less: (a, b) => a < b,
  less_equal: (a, b) => a <= b,
  equal: (a, b) => a === b,
  not_equal: (a, b) => a !== b,
};

/** 256 times the real value, rounded. */
function realOf({ params }: TensorValue): (x: number) => number {
  if (!isQuantized(params)) return (x) => x;
  const steps = byMultiplier(scaleOf(params));
  return (q) => steps((q - params.zeroPoint) * 256);
}

export const compareTflite: TensorSteps = {
  ...tensorSteps('compares roundHalfAway(256 * d * s)', (call) => {
    const isTrue = COMPARE[(call.attributes as CompareAttributes).by];
    const [a, b] = call.inputs.map(realOf);
    const [readA, readB] = [reader(call, 0), reader(call, 1)];
    return fill(call, (i) => (isTrue(a(readA(i)), b(readB(i))) ? 1 : 0));
  }),
  codes: BYTES,
};
