/** Functions that ONNX Runtime computes at the end of a float product's own kernel: none of them ever falls. */
import type { FusedFunction } from '../../nouns/attributes.js';
import { type Near, UNIT } from './bounded.js';

interface Known {
  apply(x: number): number;
  /** What its error is relative to. */
  magnitude(x: number, y: number): number;
}

/** 8 units in the last place of a float32. */
const RELATIVE = 8 * UNIT;

const rounded = (_: number, y: number) => Math.abs(y);

function known({ op, lower, upper, alpha, beta }: FusedFunction): Known {
  switch (op) {
    case 'sigmoid':
      return { apply: (x) => 1 / (1 + Math.exp(-x)), magnitude: () => 0.5 };
    case 'tanh':
      return { apply: Math.tanh, magnitude: rounded };
    case 'leaky_relu':
      return { apply: (x) => (x >= 0 ? x : alpha * x), magnitude: rounded };
    case 'hardsigmoid':
      return {
        apply: (x) => Math.min(Math.max(alpha * x + beta, 0), 1),
        magnitude: (x) => Math.abs(alpha * x) + Math.abs(beta),
      };
    case 'clamp':
      return { apply: (x) => Math.min(Math.max(x, lower), upper), magnitude: () => 0 };
  }
}

/** Of a sum within bounds: its own bounds through the function, wider by what float32 may be off. */
export function throughFused(fused: FusedFunction): (sum: Near) => Near {
  const { apply, magnitude } = known(fused);
  const error = (x: number) => magnitude(x, apply(x)) * RELATIVE;
  return ({ low, near, high }) => ({
    low: apply(low) - error(low),
    near: apply(near),
    high: apply(high) + error(high),
  });
}
