/** x / 2 * (1 + erf(x / sqrt(2))), or its approximation by tanh. */
import * as z from 'zod/mini';
import type { GeluAttributes } from '../nouns/attributes.js';
import { unary } from './fields/unary.js';

export const gelu = unary(
  'gelu',
  { approximate: z.optional(z.enum(['none', 'tanh'])) },
  ({ approximate = 'none' }) => ({ approximate }) as GeluAttributes,
);
