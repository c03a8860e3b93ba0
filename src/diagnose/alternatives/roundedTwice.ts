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

/** What adding a number of steps before one rounding gives as well. */
export interface AddedSteps {
  readonly value: number;
  /** To everything; away from zero; off what is negative. */
  readonly to: 'all' | 'away' | 'negative';
}

export interface RoundedTwice {
  readonly first: FirstRounding;
  readonly last: RoundStep;
  readonly round: RoundStep;
  /** Of steps, by the first rounding alone. */
  readonly toFirst: (steps: number) => number;
  /** Null: no number does. */
  readonly added: AddedSteps | null;
}

/** What is added to a number of steps, in units of the value. */
export function directionOf({ to }: AddedSteps, steps: number): number {
  if (to === 'all') return 1;
  return steps < 0 ? -1 : Number(to === 'away');
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
  const toFirst: RoundStep['apply'] = (steps) => own.apply(steps / unit) * unit;
  const name = `${own.name} to 2^-${bits} of a ${of}, ${last.name}`;
  return {
    first: { ...first, rule: own === downward ? 'down' : 'to nearest' },
    last,
    toFirst,
    added: addedBy([own, last], unit),
    round: {
      ...last,
      name,
      equation: `${last.equation}, v = ${own.equation.replace('v', `v * 2^${bits}`)} / 2^${bits}`,
      apply: (steps) => last.apply(toFirst(steps)),
      c: null,
      fast: false,
    },
  };
}

/** floor(floor(v * n + 1/2) / n + 1/2) = floor(v + 1/(2 n) + 1/2) of an even n: a half is one of the first rounding's numbers. */
function addedBy([own, last]: Pair, unit: number): AddedSteps | null {
  if (!Number.isInteger(0.5 / unit)) return null;
  if (own === halfUp && last === halfUp) return { value: unit / 2, to: 'all' };
  if (own === halfAway && last === halfAway) return { value: unit / 2, to: 'away' };
  return own === downward && last === halfAway ? { value: unit, to: 'negative' } : null;
}
