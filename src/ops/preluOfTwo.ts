/** TFLite's PRELU: x < 0 ? x * slope : x, the slopes a value of their own that is broadcast. */
import { ofTwo } from './fields/binary.js';

export const preluOfTwo = ofTwo('prelu_of_two');
