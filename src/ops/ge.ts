/** torch.ge of two values, of floats: 1 where it holds, 0 elsewhere. */
import { ofTwo } from './fields/binary.js';

export const greaterOrEqual = ofTwo('ge');
