/** What a layer may make of its results besides its own activation: a function of real values, or of codes that are rounded by then. */
import { FUNCTIONS } from '../../../kernels/reals.js';
import { float64Product } from '../../../kernels/steps/multiplier.js';
import { roundThenOffset } from '../../../kernels/steps/offsetAndClamp.js';
import { halfEven } from '../../../kernels/steps/round.js';
import type { RoundStep } from '../../../nouns/kernel.js';
import type { QuantParams } from '../../../nouns/value.js';
import { clamp } from '../../../numeric/integer.js';
import { floor, roundHalfEven } from '../../../numeric/round.js';
import { unlimited } from '../../causes/outputWraps.js';
import { withoutRelu } from '../../causes/relu.js';
import { type ProductSetup, type Setup, withParams, withSteps } from '../../setup.js';
import { isFixedPoint } from '../departures.js';

export interface ActivationForm {
  readonly function: string;
  /** Of codes that are rounded already: how it rounds them again. */
  readonly again?: Again;
  readonly apply: (setup: Setup) => Setup;
}

const AGAIN = { 'to nearest': roundHalfEven, down: floor, 'towards zero': Math.trunc } as const;
type Again = keyof typeof AGAIN;

type Real = (x: number) => number;

/** Causes of their own have these. */
const OWN = ['relu', 'relu6', 'clamp(x, -1, 1)'];
const OTHERS = Object.entries(FUNCTIONS).filter(([name]) => !OWN.includes(name));
const PLAIN: typeof OTHERS = [
  ['x', (x) => x],
  ['relu', FUNCTIONS.relu],
];

/** In floats before a product is rounded, as ncnn and MNN do; and on codes, as RTL does. */
export function activationForms(declared: Setup, output: QuantParams): ActivationForm[] {
  return OTHERS.flatMap(([name, of]) => formsOf(declared, output, name, of));
}

/** The same of none and of a ReLU: where one of them fits, no value tells of another. */
export function plainForms(declared: Setup, output: QuantParams): ActivationForm[] {
  return PLAIN.flatMap(([name, of]) => formsOf(declared, output, name, of));
}

function formsOf(declared: Setup, output: QuantParams, name: string, of: Real): ActivationForm[] {
  return [...(declared.kind === 'product' ? onReals(declared, output, name, of) : []), ...onCodes(output, name, of)];
}

const fallsIn = (of: Real) => of(-8) > of(-1);

function onReals({ steps }: ProductSetup, { scale }: QuantParams, name: string, of: Real): ActivationForm[] {
  const equation = `rint(f(v * s) / s), f = ${name}`;
  const apply: RoundStep['apply'] = (v) => roundHalfEven(of(v * scale) / scale);
  const round: RoundStep = {
    name: equation,
    equation,
    apply,
    numpy: (v) => v,
    c: null,
    fast: false,
    falls: fallsIn(of),
  };
  const multipliers = isFixedPoint(steps.multiplier) ? [float64Product] : [steps.multiplier, float64Product];
  return [...new Set(multipliers)].map((multiplier) => ({
    function: name,
    apply: (setup) => {
      const own = withSteps(setup as ProductSetup, { multiplier, round, offsetAndClamp: roundThenOffset });
      return withParams(own, { activation: 'none' });
    },
  }));
}

/** A float path's codes lie in a bound, which a function of codes does not take. */
function ofIntegers(setup: Setup): Setup {
  if (setup.kind !== 'product' || !setup.steps.float) return setup;
  return withSteps(setup, { multiplier: float64Product, round: halfEven, offsetAndClamp: roundThenOffset });
}

/** A layer of its own takes codes of the dtype. */
const ofItsOwn = (setup: Setup): Setup => withoutRelu(ofIntegers(setup));
/** A fused one takes what is clamped after it. */
const fused = (setup: Setup): Setup => unlimited(ofItsOwn(setup), false);

function onCodes(output: QuantParams, name: string, of: Real): ActivationForm[] {
  const { zeroPoint, quantMin, quantMax } = output;
  const ofSteps = stepsThrough(output, name, of);
  return roundingsOf(name).flatMap((again) => {
    const round = AGAIN[again];
    const apply = (code: number) => clamp(round(ofSteps(code - zeroPoint)) + zeroPoint, quantMin, quantMax);
    const stores = { name: `${name}, ${again}`, apply, falls: fallsIn(of) };
    return [ofItsOwn, fused].map((taken) => ({
      function: name,
      again,
      apply: (setup: Setup) => ({ ...taken(setup), stores }),
    }));
  });
}

const isLeaky = (name: string) => name.startsWith('leaky');

/** A leaky ReLU needs no scale, and one moves whole steps: -24 * 0.05 / 8 / 0.05 is -3.0000000000000004, which rounds down to -4. */
function stepsThrough({ scale }: QuantParams, name: string, of: Real): Real {
  return isLeaky(name) ? of : (steps) => of(steps * scale) / scale;
}

/** A shift to the right rounds down, a division of C towards zero: of what is not 0 below 0. */
function roundingsOf(name: string): readonly Again[] {
  return isLeaky(name) ? (Object.keys(AGAIN) as Again[]) : ['to nearest'];
}
