/** ONNX Runtime's BiasGelu, and FastGelu beside a bias: gelu of the sum of two values. */
import { summedFirst } from './fields/summedFirst.js';
import { gelu } from './gelu.js';

export const biasGelu = summedFirst('bias_gelu', gelu, 2);
