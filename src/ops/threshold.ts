/** x > threshold ? x : value. */
import type { ThresholdAttributes } from '../nouns/attributes.js';
import { realFields, unary } from './fields/unary.js';

const { fields, of } = realFields({ threshold: 0, value: 0 });

export const threshold = {
  ...unary('threshold', fields, (given): ThresholdAttributes => of(given)),
  needs: ['threshold', 'value'],
};
