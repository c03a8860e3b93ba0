/** Sums that are added otherwise, tried on a few values before they are replayed. */
import type { AccumulateStep, Codes, Product } from '../../nouns/kernel.js';
import { isQuantized } from '../../nouns/value.js';
import { weightZeroPointOf } from '../../products/exactSums.js';
import { channelsOfProduct, columnsOfGroup, groupOf } from '../../products/groups.js';
import type { ProductSetup } from '../setup.js';
import type { ProductStudy } from '../study/study.js';
import { type View, viewOf } from './view.js';

/** Values on which a loss is tried before it is replayed. */
const TRIED = 48;
/** Half a step of rounding, one of another rule; of floats the last digits. */
const [REACH, DIGITS] = [1.01, 1e-5];
/** What stands on a base that rounds as the base does: another multiplier, or bias, moves a value by less. */
export const OF_BASE = 1 / 32;

/** Whether a way to add may give some values, of one row each, whatever rounds them: their sums in a loop of their own. */
export function mayGive(study: ProductStudy, base: ProductSetup, most = REACH): (step: AccumulateStep) => boolean {
  const { glimpse, sketch } = study;
  const scope = glimpse && glimpse.observed.length > 4 * TRIED ? glimpse : sketch;
  const view = viewOf(study, base, scope);
  const codes = study.engine.codes(base, scope);
  const sumOf = sumsIn(codes, base);
  const all = openIn(view);
  const isFloat = !isQuantized(base.params.output);
  const isMissed = (i: number) => {
    const v = view.acc[i] * view.stepsPerUnit[i % view.channels] + view.biasSteps[i % view.channels];
    return v < view.lo[i] || v > view.hi[i];
  };
  // what the base misses tells the most
  const tried = [...some(all.filter(isMissed), TRIED / 2), ...some(all, TRIED)];
  return (step) =>
    tried.length > 8 &&
    tried.every((i) => {
      const n = i % view.channels;
      const v = sumOf(step, Math.floor(i / view.channels), n) * view.stepsPerUnit[n] + view.biasSteps[n];
      const reach = isFloat ? DIGITS * Math.abs(v) : most;
      return v >= view.lo[i] - reach && v <= view.hi[i] + reach;
    });
}

const open = new WeakMap<View, number[]>();

/** Places of values that are bounded on both sides: asked for by each way to add. */
function openIn(view: View): number[] {
  const known = open.get(view);
  if (known) return known;
  const all: number[] = [];
  const { lo, hi } = view;
  for (let i = 0; i < lo.length; i++) if (Number.isFinite(lo[i]) && Number.isFinite(hi[i])) all.push(i);
  open.set(view, all);
  return all;
}

/** One value: what it is a sum of, and the sums by each way to add. */
interface Place {
  readonly x: Codes;
  readonly product: Product;
  readonly sums: Map<string, number>;
}

/** By weights, what is taken off, and place: the sums of a base are mostly another's. */
const known = new WeakMap<Codes['data'], WeakMap<Product['weight'], Map<string, Place>>>();

/** The sum of one row and channel. */
function sumsIn(codes: Codes, { params }: ProductSetup) {
  const { weight, input, inFeatures } = params;
  const ofCodes = known.get(codes.data) ?? new WeakMap<Product['weight'], Map<string, Place>>();
  known.set(codes.data, ofCodes);
  const places = ofCodes.get(weight) ?? new Map<string, Place>();
  ofCodes.set(weight, places);
  const placeOf = (row: number, n: number): Place => {
    const whole = { rows: 1, cols: codes.cols, data: codes.data.subarray(row * codes.cols, (row + 1) * codes.cols) };
    const x = columnsOfGroup(whole, inFeatures, groupOf(params, n));
    return { x, product: channelsOfProduct(params, n, n + 1), sums: new Map() };
  };
  return (step: AccumulateStep, row: number, n: number): number => {
    const key = [row, n, input.zeroPoint, weightZeroPointOf(params, n)].join();
    const place = places.get(key) ?? placeOf(row, n);
    places.set(key, place);
    const sum = place.sums.get(step.name) ?? step.run(place.x, place.product).data[0];
    place.sums.set(step.name, sum);
    return sum;
  };
}

function some(all: readonly number[], most: number): number[] {
  const stride = Math.max(1, Math.floor(all.length / most));
  return all.filter((_, i) => i % stride === 0);
}
