/** torch.minimum of two values. */
import { ofTwo } from './fields/binary.js';

export const minimum = ofTwo('minimum');
