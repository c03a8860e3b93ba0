/** A number is added: quantized::add with a number. */
import { withNumber } from './fields/scalar.js';

export const addScalar = withNumber('add_scalar');
