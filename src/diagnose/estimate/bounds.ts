/** What an observed value bounds of the real value before rounding, in steps. */
import { downward, halfThenDownward, halfThenTowardZero, towardZero, upward } from '../../kernels/steps/round.js';
import type { NumericArray } from '../../nouns/array.js';
import type { QuantParams } from '../../nouns/value.js';
import type { Scope } from '../study/data.js';

export interface Bounds {
  readonly lo: Float64Array;
  readonly hi: Float64Array;
}

/** Of what is observed: hundreds of bases of a pair ask for the same. */
const known = new WeakMap<NumericArray, Map<string, Bounds>>();
/** More would take as long to tell apart as bounds to make. */
const MOST_OF_KEY = 64;
const MOST_KEPT = 8;

/** q - 1/2 <= v <= q + 1/2 for rounding to nearest; a clamped code bounds one side only. slack: by channel. Kept, and not to be changed. */
export function codeBounds(
  { observed }: Pick<Scope, 'observed'>,
  { zeroPoint }: QuantParams,
  rule: string,
  clamp: readonly [number, number],
  slack: Float64Array | null = null,
): Bounds {
  if (slack && slack.length > MOST_OF_KEY) return boundsOf(observed, zeroPoint, rule, clamp, slack);
  const ofObserved = known.get(observed) ?? new Map<string, Bounds>();
  known.set(observed, ofObserved);
  const key = `${zeroPoint}|${rule}|${clamp}|${slack}`;
  const bounds = ofObserved.get(key) ?? boundsOf(observed, zeroPoint, rule, clamp, slack);
  if (ofObserved.size >= MOST_KEPT) ofObserved.clear();
  ofObserved.set(key, bounds);
  return bounds;
}

function boundsOf(
  observed: NumericArray,
  zeroPoint: number,
  rule: string,
  [lowest, highest]: readonly [number, number],
  slack: Float64Array | null,
): Bounds {
  const lo = new Float64Array(observed.length);
  const hi = new Float64Array(observed.length);
  const reaches = [-1, 0, 1].map((sign) => roundingReach(rule, sign));
  for (let i = 0; i < observed.length; i++) {
    const q = observed[i] - zeroPoint;
    const reach = reaches[q > 0 ? 2 : q < 0 ? 0 : 1]; // where what is observed is told by an input of NaN, q is NaN
    const more = slack ? slack[i % slack.length] : 0;
    lo[i] = observed[i] <= lowest ? Number.NEGATIVE_INFINITY : q - reach[0] - more;
    hi[i] = observed[i] >= highest ? Number.POSITIVE_INFINITY : q + reach[1] + more;
  }
  return { lo, hi };
}

/** How far below and above the rounded q a real value can be. */
export function roundingReach(rule: string, q: number): readonly [number, number] {
  if (rule === downward.name) return [0, 1];
  if (rule === upward.name) return [1, 0];
  if (rule === towardZero.name) return q > 0 ? [0, 1] : q < 0 ? [1, 0] : [1, 1];
  if (rule === halfThenTowardZero.name) return q > 0 ? [0.5, 0.5] : q < 0 ? [1.5, -0.5] : [1.5, 0.5];
  if (rule === halfThenDownward.name) return q > 0 ? [0.5, 0.5] : q < 0 ? [-0.5, 1.5] : [0, 0.5];
  return [0.5, 0.5];
}

/** Of what is rounded with its zero point. */
export function lessZeroPoint({ lo, hi }: Bounds, { zeroPoint }: QuantParams): Bounds {
  const less = (bound: number) => bound - zeroPoint;
  return { lo: lo.map(less), hi: hi.map(less) };
}

/** A float32 result is within a few roundings of its largest term; more where terms cancel. */
export function floatBounds(
  { observed }: Scope,
  [lowest, highest]: readonly [number, number],
  acc: Int32Array | Float64Array,
  stepsPerUnit: Float64Array,
  biasSteps: Float64Array,
  open: ((i: number) => number) | null = null,
): Bounds {
  const channels = biasSteps.length;
  const lo = new Float64Array(observed.length);
  const hi = new Float64Array(observed.length);
  for (let i = 0; i < observed.length; i++) {
    const n = i % channels;
    // f32: two scales, inverted twice by oneDNN, their product, the sum's, then the bias added; each of the declared or found
    const magnitude = Math.abs(observed[i]) + Math.abs(acc[i] * stepsPerUnit[n]) + Math.abs(biasSteps[n]);
    const slack = 8 * magnitude * 2 ** -24 + (open?.(i) ?? 0);
    lo[i] = observed[i] <= lowest ? Number.NEGATIVE_INFINITY : observed[i] - slack;
    hi[i] = observed[i] >= highest ? Number.POSITIVE_INFINITY : observed[i] + slack;
  }
  return { lo, hi };
}
