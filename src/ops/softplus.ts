/** log(1 + exp(beta * x)) / beta, x itself where beta * x is above the threshold: floats between codes. */
import { intoOwn, realFields } from './fields/unary.js';

const numbers = realFields({ beta: 1, threshold: 20 });

export const softplus = intoOwn('softplus', numbers.fields, numbers.of);
