/** x / (1 + exp(-alpha * x)), which has no quantized kernel: floats between codes. */
import type { SiluAttributes } from '../nouns/attributes.js';
import { intoOwn, realFields } from './fields/unary.js';

const numbers = realFields({ alpha: 1 });

export const silu = intoOwn('silu', numbers.fields, (fields) => numbers.of(fields) satisfies SiluAttributes);
