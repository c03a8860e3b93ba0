/** Steps that pass a fixed-point number before they are codes: an accelerator's norm before its table, ap_fixed before a cast. */
import { downward, halfAway, halfEven, halfUp } from '../../kernels/steps/round.js';
import type { RoundStep } from '../../nouns/kernel.js';

export interface FirstRounding {
  /** Behind the point: of a step, or of the real value. */
  readonly bits: number;
  readonly of: 'step' | 'real';
  readonly rule: 'to nearest' | 'down';
  /** In steps: the last bit. */
  readonly unit: number;
}

export interface RoundedTwice {
  readonly first: FirstRounding;
  readonly last: RoundStep;
  readonly round: RoundStep;
}

type Pair = readonly [first: RoundStep, last: RoundStep];

// what is cut to a part of a step and then rounded half up is rounded half up
const OF_STEPS: readonly Pair[] = [
  [halfUp, halfUp],
  [halfEven, halfEven],
  [halfAway, halfAway],
  [halfUp, halfEven],
  [downward, halfEven],
  [downward, halfAway],
];
const OF_REALS: readonly Pair[] = [
  [downward, halfUp],
  [halfUp, halfUp],
];
const [BITS_OF_STEPS, BITS_OF_REALS] = [12, 16];
/** Of a real number's last bit: more is no matter of roundings, less tells nothing. */
const [LEAST_UNIT, MOST_UNIT] = [2 ** -12, 0.5];

/** @param scale of the output */
export function roundedTwice(scale: number): RoundedTwice[] {
  const ofSteps = Array.from({ length: BITS_OF_STEPS }, (_, i) => i + 1).flatMap((bits) =>
    OF_STEPS.map((pair) => twice(pair, { bits, of: 'step', unit: 2 ** -bits })),
  );
  const ofReals = Array.from({ length: BITS_OF_REALS }, (_, i) => i + 1)
    .map((bits) => ({ bits, of: 'real', unit: 2 ** -bits / scale }) as const)
    .filter(({ unit }) => unit >= LEAST_UNIT && unit <= MOST_UNIT)
    .flatMap((of) => OF_REALS.map((pair) => twice(pair, of)));
  return [...ofSteps, ...ofReals];
}

function twice([own, last]: Pair, first: Omit<FirstRounding, 'rule'>): RoundedTwice {
  const { bits, of, unit } = first;
  const name = `${own.name} to 2^-${bits} of a ${of}, ${last.name}`;
  return {
    first: { ...first, rule: own === downward ? 'down' : 'to nearest' },
    last,
    round: {
      ...last,
      name,
      equation: `${last.equation}, v = ${own.equation.replace('v', `v * 2^${bits}`)} / 2^${bits}`,
      apply: (steps) => last.apply(own.apply(steps / unit) * unit),
      c: null,
      fast: false,
    },
  };
}
