/** Two numbers that hide each other: where all values together put one of them, the other is found on it by its own estimator. */

import type { Product } from '../../nouns/kernel.js';
import { isQuantized, type QuantParams } from '../../nouns/value.js';
import { float64s } from '../../numeric/array.js';
import { roundFactors } from '../causes/biasFactor.js';
import { outputZeroPoint } from '../causes/outputZeroPointWrong.js';
import { convertsIn } from '../facts.js';
import { type Change, FREEDOM, inputOf, type ProductChange, withInput } from '../setup.js';
import { isProductStudy, type Study } from '../study/study.js';
import { type Interval, isBounded, pointsIn, twoNumbers } from './interval.js';
import { inputScale, outputScale } from './scales.js';
import { type View, viewOf, weightSums } from './view.js';

/** Of an interval that all values leave. */
const MOST_POINTS = 3;
const MOST_INTEGERS = 4;

/** A scale beside a factor of the biases or another scale, beside a zero point of the output, beside one of the input. */
export function firstsOfTwo(study: Study): Change[] {
  const moved = () => inputZeroPoints(study).map(inputZeroPoint);
  if (study.declared.kind === 'elementwise' && convertsIn(study.declared)) return moved();
  if (!isProductStudy(study)) return [];
  const { declared } = study;
  const { output, bias, biasInt32 } = declared.params;
  if (!isQuantized(output)) return [];
  const scales = bias || biasInt32 ? planeOf(study, ofSums, ofBias, () => NONE) : null;
  const shifted = planeOf(study, ofSums, () => () => 1, ofBias);
  const changes = [
    ...(scales ? besideBiases(declared.params, scales) : []),
    ...integersIn(shifted?.q).map((by) => outputZeroPoint(output.zeroPoint, output.zeroPoint + by)),
    ...moved(),
  ];
  return changes as Change[];
}

/** Another scale of the output is one of the sums and of the biases: one of either, and the other number's. */
function besideBiases({ input, output }: Product, { p, q }: Plane): ProductChange[] {
  const { scale } = output as QuantParams;
  const ofOutput = (factor: Interval, own: number) => outputScale(scale, scale / own, over(scale, factor));
  const isNarrow = isBounded(p) && isBounded(q) && p.lo > 0 && q.lo > 0;
  return [
    // as they are beside another input scale, and over what another output scale makes of them
    ...(isNarrow ? [q, { lo: q.lo / p.hi, hi: q.hi / p.lo }].flatMap(roundFactors) : []),
    ...(q.lo > 0 ? points(q).map((own) => ofOutput(q, own)) : []),
    ...(p.lo > 0
      ? points(p).flatMap((own) => [
          ofOutput(p, own),
          inputScale(input.scale, input.scale * own, { lo: input.scale * p.lo, hi: input.scale * p.hi }),
        ])
      : []),
  ];
}

function over(scale: number, { lo, hi }: Interval): Interval {
  return { lo: scale / hi, hi: scale / lo };
}

type Slope = (view: View) => (i: number, channel: number) => number;
type Plane = NonNullable<ReturnType<typeof twoNumbers>>;

const NONE = () => 0;
const ofSums: Slope = (view) => (i, n) => view.acc[i] * view.stepsPerUnit[n];
const ofBias: Slope = (view) => (_, n) => view.biasSteps[n];

/** Where p and q lie in `p * a + q * b + fixed`: on a sketch first, since most layers leave nothing there. */
function planeOf(study: Study, a: Slope, b: Slope, fixed: Slope): Plane | null {
  let plane: Plane | null = null;
  for (const scope of new Set([study.sketch, study.subset])) {
    const view = viewOf(study, study.declared, scope);
    const all = (slope: Slope) => {
      const of = slope(view);
      return float64s(view.acc, (_, i) => of(i, i % view.channels));
    };
    const offset = all(fixed);
    // a bias rounded to integers, and float32
    const slack = view.integerBias ? view.stepsPerUnit.reduce((most, unit) => Math.max(most, Math.abs(unit)), 0) : 1e-4;
    const bounds = {
      lo: view.lo.map((lo, i) => lo - offset[i] - slack),
      hi: view.hi.map((hi, i) => hi - offset[i] + slack),
    };
    plane = twoNumbers(all(a), all(b), bounds);
    if (!plane || plane.p.hi <= 0) return null;
  }
  return plane;
}

/** Of a file that has none. The bias scales with the sums, or is as it is. */
function inputZeroPoints(study: Study): number[] {
  const { declared, data } = study;
  const input = inputOf(declared);
  if (!isQuantized(input) || input.zeroPoint !== 0 || data.side !== 'capture') return [];
  if (declared.kind === 'product' && declared.params.patch) return [];
  const sums = weightSums(declared, study.channels);
  const ofWeights: Slope = (view) => (_, n) => sums[n] * view.stepsPerUnit[n];
  const both: Slope = (view) => (i, n) => ofSums(view)(i, n) + ofBias(view)(i, n);
  const planes = [planeOf(study, both, ofWeights, () => NONE), planeOf(study, ofSums, ofWeights, ofBias)];
  const found = planes.flatMap((plane) => {
    if (!plane || plane.p.lo <= 0) return [];
    const ratios = [plane.q.lo / plane.p.lo, plane.q.lo / plane.p.hi, plane.q.hi / plane.p.lo, plane.q.hi / plane.p.hi];
    return integersIn({ lo: -Math.max(...ratios), hi: -Math.min(...ratios) });
  });
  return [...new Set(found)].filter((zp) => zp !== 0 && zp >= input.quantMin && zp <= input.quantMax);
}

function points(interval: Interval): number[] {
  return isBounded(interval) ? pointsIn(interval).slice(0, MOST_POINTS) : [];
}

function integersIn(interval: Interval | undefined): number[] {
  if (!interval || !isBounded(interval)) return [];
  const [first, last] = [Math.ceil(interval.lo - 1e-6), Math.floor(interval.hi + 1e-6)];
  const all = Array.from({ length: Math.min(64, Math.max(0, last - first + 1)) }, (_, i) => first + i);
  const middle = (interval.lo + interval.hi) / 2;
  return all
    .sort((a, b) => Math.abs(a - middle) - Math.abs(b - middle))
    .slice(0, MOST_INTEGERS)
    .filter((own) => own !== 0);
}

function inputZeroPoint(zeroPoint: number): Change {
  return {
    cause: 'activation-zero-point-missing',
    coordinate: 'x_zero_point',
    freedom: FREEDOM.none,
    label: String(zeroPoint),
    found: { zero_point: zeroPoint },
    apply: (setup) => withInput(setup, { zeroPoint }),
  };
}
