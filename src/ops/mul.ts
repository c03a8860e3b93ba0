/** torch.mul of two quantized values: quantized::mul, mul_relu. */
import { ofTwo } from './fields/binary.js';

export const mul = ofTwo('mul');
