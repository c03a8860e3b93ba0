/** (a - b)^2. */
import { ofTwo } from './fields/binary.js';

export const squaredDifference = ofTwo('squared_difference');
