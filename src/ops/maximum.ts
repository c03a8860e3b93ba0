/** torch.maximum of two values. */
import { ofTwo } from './fields/binary.js';

export const maximum = ofTwo('maximum');
