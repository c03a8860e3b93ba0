/** Where along an axis the smallest value is, the first of equal ones; an index, which has no scale. */
import { indexOfExtreme } from './fields/reduction.js';

export const argmin = indexOfExtreme('argmin');
