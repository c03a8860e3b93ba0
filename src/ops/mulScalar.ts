/** A number multiplies: quantized::mul with a number. */
import { withNumber } from './fields/scalar.js';

export const mulScalar = withNumber('mul_scalar');
