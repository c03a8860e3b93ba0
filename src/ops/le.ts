/** torch.le of two values, of floats: 1 where it holds, 0 elsewhere. */
import { ofTwo } from './fields/binary.js';

export const lessOrEqual = ofTwo('le');
