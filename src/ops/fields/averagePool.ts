import * as z from 'zod/mini';
import type { AveragePoolAttributes } from '../../nouns/attributes.js';
import type { Window } from '../../nouns/window.js';
import type { RawLayer } from '../op.js';

const EXPECTED_DIVISOR = 'expected a whole number other than 0';

export const averaged = {
  count_include_pad: z.optional(z.boolean()),
  divisor_override: z.optional(
    z.nullable(z.int(EXPECTED_DIVISOR).check(z.refine((divisor) => divisor !== 0, EXPECTED_DIVISOR))),
  ),
};

export function averagePoolAttributes(window: Window, { fields }: RawLayer): AveragePoolAttributes {
  const { count_include_pad, divisor_override } = fields as { count_include_pad?: boolean; divisor_override?: number };
  return { window, countIncludePad: count_include_pad ?? true, divisor: divisor_override ?? null };
}
