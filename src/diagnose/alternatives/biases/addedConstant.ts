/** One number more in every sum, whatever the channel: a rounding constant that is added before the multiplication, an accumulator that begins with another number. */
import { largestOf } from '../../../numeric/extremes.js';
import { intersection, isEmpty } from '../../estimate/interval.js';
import { intervalsByChannel, sharedIntegers } from '../../estimate/scalar.js';
import { viewOf } from '../../estimate/view.js';
import { type Carried, FREEDOM, type ProductChange, type ProductSetup, withSteps } from '../../setup.js';
import type { Scope } from '../../study/data.js';
import type { ProductStudy, Study } from '../../study/study.js';
import { hasCases } from '../cases.js';
import { isInt32Bias } from '../departures.js';

/** Of the evidence of bias-value. */
export interface AddedConstant {
  /** To every sum, in its units. */
  readonly added?: number;
  /** What gives the same, in steps, where it is added behind the multiplication. */
  readonly or_steps?: readonly [number, number];
}

/** One number is given by fewer. */
const FEWEST_DIFFERING = 3;

/** The number that gives the subset; where one of steps does as well, which one multiplier for all channels leaves open, that is told. */
export function addedConstant(study: ProductStudy, base: ProductSetup): ProductChange[] {
  const { free, data, sketch, subset } = study;
  if (!free || data.dynamic || base.carried || base.order) return [];
  // of one multiplier it is a number of steps too, and beside another cause two are found by chance, of which one would be
  const { weightScale } = base.params;
  if (base !== study.declared && weightScale.every((scale) => scale === weightScale[0])) return [];
  if (!hasCases(study as Study, FEWEST_DIFFERING)) return [];
  const sketched = numbersIn(study, base, sketch);
  const found = sketched.length === 0 || sketch === subset ? sketched : numbersIn(study, base, subset);
  const others = found.filter((added) => added !== 0);
  if (others.length === 0) return [];
  const steps = stepsIn(study, base);
  // a zero point, and half a step, have causes of their own
  if (steps && (base !== study.declared || hasHalves(widenedBy(steps, roundedBy(study, base))))) return [];
  if (steps) others.sort((a, b) => Math.abs(a) - Math.abs(b));
  const changes = others.map((added) => changeTo(added, steps));
  return changes.filter((change) => study.agreesOnSubset(change.apply(base))).slice(0, 1);
}

/** Those that all channels admit. */
function numbersIn(study: ProductStudy, base: ProductSetup, scope: Scope): number[] {
  const view = viewOf(study, base, scope);
  const { acc, stepsPerUnit, biasSteps } = view;
  const intervals = intervalsByChannel(
    view,
    (_, n) => stepsPerUnit[n],
    (i, n) => acc[i] * stepsPerUnit[n] + biasSteps[n],
    2e-6,
  );
  return sharedIntegers(intervals);
}

/** A number of steps that all values admit; null: none. */
function stepsIn(study: ProductStudy, base: ProductSetup): [number, number] | null {
  const view = viewOf(study, base);
  const { acc, stepsPerUnit, biasSteps } = view;
  const intervals = intervalsByChannel(
    view,
    () => 1,
    (i, n) => acc[i] * stepsPerUnit[n] + biasSteps[n],
  );
  const shared = intersection(intervals);
  return isEmpty(shared) ? null : [shared.lo, shared.hi];
}

/** What a float bias may be off by where the other side has it in whole units. */
function roundedBy(study: ProductStudy, { steps, params }: ProductSetup): number {
  return params.bias && !isInt32Bias(steps.bias) ? largestOf(viewOf(study, study.declared).stepsPerUnit) / 2 : 0;
}

function widenedBy([from, to]: [number, number], by: number): [number, number] {
  return [from - by, to + by];
}

/** Whether a half, or a whole number, of steps is among them. */
function hasHalves([from, to]: [number, number]): boolean {
  return Math.floor(2 * to + 1e-9) >= Math.ceil(2 * from - 1e-9);
}

function changeTo(added: number, steps: [number, number] | null): ProductChange {
  const carried: Carried = {
    name: `${added} in every sum`,
    inChannel: (_, samples) => new Float64Array(samples.length).fill(added),
  };
  return {
    cause: 'bias-value',
    coordinate: 'bias_values',
    freedom: FREEDOM.oneNumber,
    label: carried.name,
    found: { added, ...(steps && { or_steps: steps }) },
    apply: (setup) => ({ ...withSteps(setup, {}), carried }),
  };
}
