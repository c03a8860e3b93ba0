import { erf } from './erf.js';

const TANH_SCALE = Math.sqrt(2 / Math.PI);

/** x / 2 * (1 + erf(x / sqrt(2))), or its approximation by tanh. */
export function gelu(x: number, approximate: 'none' | 'tanh'): number {
  const share = approximate === 'tanh' ? Math.tanh(TANH_SCALE * (x + 0.044715 * x ** 3)) : erf(x * Math.SQRT1_2);
  return (x / 2) * (1 + share);
}
