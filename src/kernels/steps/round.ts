import type { RoundStep } from '../../nouns/kernel.js';
import { floor, roundHalfAway, roundHalfEven, roundHalfUp, truncate } from '../../numeric/round.js';

/** rint, CVTPS2DQ, np.round. */
export const halfEven: RoundStep = { name: 'halfEven', apply: roundHalfEven };
/** C's round. */
export const halfAway: RoundStep = { name: 'halfAway', apply: roundHalfAway };
/** floor(x + 1/2). */
export const halfUp: RoundStep = { name: 'halfUp', apply: roundHalfUp };
/** A C cast. */
export const towardZero: RoundStep = { name: 'towardZero', apply: truncate };
/** An arithmetic right shift. */
export const downward: RoundStep = { name: 'downward', apply: floor };
/** Fixed-point multipliers have rounded already. */
export const insideMultiplier: RoundStep = { name: 'insideMultiplier', apply: (steps) => steps };

export const rounds: readonly RoundStep[] = [halfEven, halfAway, halfUp, towardZero, downward];
