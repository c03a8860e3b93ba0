/** 1 / (1 + exp(-x)). */
import { intoOwn } from './fields/unary.js';

export const sigmoid = intoOwn('sigmoid');
