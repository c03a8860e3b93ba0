import { expect, test } from 'vitest';
import { clampRoundOffset, offsetClampRound, offsetClampRound64 } from '../../../src/kernels/steps/offsetAndClamp.js';
import { halfThenTowardZero } from '../../../src/kernels/steps/round.js';

test.each([clampRoundOffset, offsetClampRound, offsetClampRound64])(
  '$name ends at the lowest code by a rule that moves whole numbers too: trunc(-103 + 1/2) is -102',
  ({ prepare }) => expect(prepare(halfThenTowardZero, -25, -128, 127)(-110)).toBe(-128),
);
