/** torch.add of two quantized values: quantized::add, add_relu. */
import { ofTwo } from './fields/binary.js';

export const add = ofTwo('add');
