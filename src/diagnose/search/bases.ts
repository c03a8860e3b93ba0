/**
 * What a product stands on after its sums: bias, multiplier and the order of its offset. Two bases part only next to a border between
 * two codes, so whatever else is wrong, the base is looked for where that leaves such values alone.
 */
import {
  float64Bias,
  floatBiases,
  int32BiasDivision32,
  int32BiasFloat64,
  int32BiasHalfAway,
} from '../../kernels/steps/bias.js';
import { fixedPointMultipliers, floatMultipliers, stepOfCall } from '../../kernels/steps/multiplier.js';
import { roundThenOffset } from '../../kernels/steps/offsetAndClamp.js';
import { halfEven, insideMultiplier } from '../../kernels/steps/round.js';
import type { BiasStep, MultiplierStep, ProductSteps } from '../../nouns/kernel.js';
import { addsZeroPointFirst, departures, isFixedPoint, isInt32Bias, rivals } from '../alternatives/departures.js';
import { addsZeroPoint } from '../facts.js';
import { formsOf } from '../finding/consistent.js';
import { FREEDOM, type ProductChange, type ProductSetup, withSteps } from '../setup.js';
import { addedIn } from '../study/added.js';
import type { ProductStudy } from '../study/study.js';

export type Base = Pick<ProductSteps, 'bias' | 'multiplier' | 'round' | 'offsetAndClamp'>;

/** Every base that the judged side may have, the declared one first. Those that add equal biases are one. */
export function basesOf(study: ProductStudy): Base[] {
  const { declared } = study;
  const ofKernels = rivals(study)
    .filter(({ kernel }) => study.mayRun(kernel))
    .flatMap(({ steps }) => formsOf(steps));
  const known = new Map<string, Base>();
  const addedBy = addedIn(declared.params);
  for (const steps of [declared.steps, ...ofKernels, ...(study.free ? scripts(study) : [])]) {
    const base = asDeclared(declared, steps);
    const key = keyOf(declared, base, addedBy);
    if (!known.has(key)) known.set(key, base);
  }
  return [...known.values()];
}

function scripts({ declared }: ProductStudy): Base[] {
  const { bias: own } = declared.steps;
  const rounded = [int32BiasFloat64, int32BiasDivision32, int32BiasHalfAway];
  const biases = declared.params.bias ? [...new Set([own, float64Bias, ...floatBiases, ...rounded])] : [own];
  const pairs = (multipliers: readonly MultiplierStep[], possible: readonly BiasStep[], round: typeof halfEven) =>
    multipliers.flatMap((multiplier) =>
      possible.map((bias): Base => ({ multiplier, bias, round, offsetAndClamp: roundThenOffset })),
    );
  return [
    ...pairs(floatMultipliers, biases, halfEven),
    ...pairs(fixedPointMultipliers, declared.params.bias ? biases.filter(isInt32Bias) : [own], insideMultiplier),
  ];
}

/** Clamps that differ in extremes only are no other base. */
function asDeclared({ steps, ...setup }: ProductSetup, base: Base): Base {
  const { bias, multiplier, round, offsetAndClamp } = base;
  const isSame =
    !addsZeroPoint({ steps, ...setup }) ||
    addsZeroPointFirst(offsetAndClamp) === addsZeroPointFirst(steps.offsetAndClamp);
  return { bias, multiplier, round, offsetAndClamp: isSame ? steps.offsetAndClamp : offsetAndClamp };
}

function keyOf(
  { params }: ProductSetup,
  { bias, multiplier, offsetAndClamp }: Base,
  addedBy: (bias: BiasStep) => string,
): string {
  return [stepOfCall(multiplier, params).name, offsetAndClamp.name, addedBy(bias)].join('|');
}

/**
 * What leads from the declared base to another, a change a cause: from each base that moves no value of what is declared, which is no
 * cause by itself, by the fewest departures. Two kernels that the data cannot tell apart are then the same to begin with.
 */
export function waysTo(study: ProductStudy, idle: readonly Base[], base: Base): ProductChange[][] {
  const { declared } = study;
  const ways = idle.map((from) => {
    const own = from === idle[0] && !declared.steps.float ? [] : [unnamed(from)];
    const start = withSteps(declared, from);
    return [...own, ...departures(start, base.multiplier.name, { ...declared.steps, ...base }, false)];
  });
  const fewest = Math.min(...ways.map(namedIn));
  return ways.filter((way) => namedIn(way) === fewest);
}

/** A base that moves nothing: another change stands on it. */
export function unnamed(base: Base): ProductChange {
  return {
    cause: isFixedPoint(base.multiplier) ? 'fixed-point-multiplier' : 'multiplier-precision',
    coordinate: 'multiplier',
    freedom: FREEDOM.none,
    unnamed: true,
    label: base.multiplier.name,
    apply: (setup) => withSteps(setup, base),
  };
}

export function namedIn(changes: readonly Pick<ProductChange, 'unnamed'>[]): number {
  return changes.filter((change) => !change.unnamed).length;
}
