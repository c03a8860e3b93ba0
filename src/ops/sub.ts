/** torch.sub of two quantized values. */
import { ofTwo } from './fields/binary.js';

export const sub = ofTwo('sub');
