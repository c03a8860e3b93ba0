/** torch.div of two values. */
import { ofTwo } from './fields/binary.js';

export const div = ofTwo('div');
