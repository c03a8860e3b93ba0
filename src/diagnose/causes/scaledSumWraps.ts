import { clampOfCodes } from '../../kernels/steps/activation.js';
import { int32BiasFloat64 } from '../../kernels/steps/bias.js';
import { roundThenOffset } from '../../kernels/steps/offsetAndClamp.js';
import { downward } from '../../kernels/steps/round.js';
import type { RoundStep } from '../../nouns/kernel.js';
import type { QuantParams } from '../../nouns/value.js';
import { digitsOf, wrapInt32 } from '../../numeric/integer.js';
import { counted } from '../../text.js';
import { hasCases, hasCasesWhere } from '../alternatives/cases.js';
import { isInt32Bias } from '../alternatives/departures.js';
import { type WrappedProduct, wrappedProducts } from '../alternatives/wrappedProducts.js';
import type { Cause } from '../cause.js';
import { viewOf } from '../estimate/view.js';
import { anyRuntime, scalesSums } from '../facts.js';
import type { At, SomeChannels } from '../finding/evidence.js';
import { FREEDOM, type ProductChange, type ProductSetup, withSteps } from '../setup.js';
import type { Scope } from '../study/data.js';
import type { ProductStudy, Study } from '../study/study.js';
import { inC, numpy, rtl } from '../words/code.js';
import { place } from '../words/place.js';
import { countWhere } from './count.js';
import { placeAt } from './placeAt.js';

declare module '../finding/evidence.js' {
  interface CauseEvidence {
    'scaled-sum-wraps': SomeChannels & {
      /** The first sum whose product leaves int32. */
      readonly first?: At & {
        readonly sum: number;
        readonly k: number;
        /** Half of the shift, added within 32 bits. */
        readonly added?: number;
        /** Digits: it may be beyond 2^53. */
        readonly product: string;
        readonly kept: number;
      };
      readonly wrapped?: number;
    };
  }
}

interface WrappingChange extends ProductChange {
  readonly step: WrappedProduct;
}

/** What wraps falls anywhere in the range: three values inside it are none by chance. One at a clamp is as well given by all that lies beyond. */
const FEWEST_INSIDE = 3;

/** A sum times its integer multiplier, kept in 32 bits before it is shifted. */
export const scaledSumWraps: Cause<'scaled-sum-wraps', 'product'> = {
  code: 'scaled-sum-wraps',
  kinds: ['product'],
  needs: [anyRuntime, scalesSums, (study) => hasCases(study, FEWEST_INSIDE)],
  whose: 'kernel',
  ownWords: true,

  // where the product keeps all of its bits the multiplier is what differs
  changes: (study) =>
    wrappedProducts(study.declared.params, largestSums(study))
      .filter(mayGive(study))
      .map((step) => changeTo(study, step))
      .filter(
        ({ apply, step }) =>
          study.agreesOnSubset(apply(study.declared)) &&
          !study.agreesOnSubset(withSteps(apply(study.declared), { multiplier: step.inFull })),
      ),

  shows: ({ study }) => {
    const { declared, subset } = study;
    const { params, steps } = declared;
    const [lo, hi] = clampOfCodes(params.activation, params.output as QuantParams, steps.bound);
    const { observed } = subset;
    return hasCasesWhere(study as Study, FEWEST_INSIDE, (i) => observed[i] > lo && observed[i] < hi);
  },

  evidence: ({ study, change, setup }) => {
    const { step } = change as WrappingChange;
    const { subset, channels } = study;
    const sums = biasedSums(study, setup, subset);
    const numbers = step.numbersIn(setup.params);
    const leaves = (sum: number, i: number) => {
      const number = numbers[i % channels];
      const product = sum * number.k + step.within(number);
      return product >= 2 ** 31 || product < -(2 ** 31);
    };
    const at = sums.findIndex(leaves);
    if (at < 0) return {};
    const [sum, number] = [sums[at], numbers[at % channels]];
    const added = step.within(number);
    const first = {
      ...placeAt(study, at),
      sum,
      k: number.k,
      ...(added > 0 && { added }),
      product: digitsOf(sum, number.k, added),
      kept: wrapInt32(Math.imul(sum, number.k) + added),
    };
    return { first, wrapped: countWhere(sums, leaves) };
  },

  words: {
    title: 'product of sum and multiplier wraps in 32 bits',
    explanation: 'A sum times its integer multiplier takes up to 64 bits; its low 32 are kept, and shifted.',
    evidence: ({ first, wrapped }) => [
      first
        ? `${place(first)}: ${first.sum} * ${first.k}${first.added === undefined ? '' : ` + ${first.added}`} = ${first.product} becomes ${first.kept}`
        : null,
      wrapped === undefined ? null : `${counted(wrapped, 'product')} of those that were looked at leave 32 bits`,
    ],
    fix: () => 'multiply in 64 bits, and shift that: (int64_t)acc * multiplier',
    code: () => [
      numpy('p = acc.astype(np.int64) * multiplier'),
      inC('int64_t p = (int64_t)acc * MULTIPLIER[n];'),
      rtl('p <= acc * MULTIPLIER[n];  // reg signed [63:0] p; acc and MULTIPLIER signed'),
    ],
  },
};

/** As they are multiplied. */
function biasedSums({ engine }: ProductStudy, setup: ProductSetup, scope: Scope): Float64Array {
  const params = engine.restrict(setup.params, scope);
  const [bias, channels] = [setup.steps.bias.prepare(params), params.outFeatures];
  const sums = Float64Array.from(engine.accumulator(setup, scope));
  if (bias.unit === 'int32') for (let i = 0; i < sums.length; i++) sums[i] += bias.values[i % channels];
  return sums;
}

/** Of more samples than the sketch has, some are larger. */
const BEYOND_SKETCH = 4;

function largestSums(study: ProductStudy): Float64Array {
  const { declared, sketch, channels } = study;
  const most = new Float64Array(channels);
  const sums = biasedSums(study, withBias(declared), sketch);
  for (let i = 0; i < sums.length; i++)
    most[i % channels] = Math.max(most[i % channels], BEYOND_SKETCH * Math.abs(sums[i]));
  return most;
}

/** Another rule than the declared one rounds by less than a step of its codes. */
const REACH = 1.01;

/** Whether a product gives the probe, nearly: of noise each fails at one of its first values. */
function mayGive(study: ProductStudy): (step: WrappedProduct) => boolean {
  const { declared, engine, probe } = study;
  const params = engine.restrict(declared.params, probe);
  const channels = params.outFeatures;
  const [sums, { lo, hi }] = [biasedSums(study, withBias(declared), probe), viewOf(study, declared, probe)];
  return (step) => {
    const toSteps = step.toSteps(params, params.output as QuantParams);
    return sums.every((sum, i) => {
      const steps = toSteps(sum, i % channels, 0);
      return steps >= lo[i] - REACH && steps <= hi[i] + REACH;
    });
  };
}

const withBias = (setup: ProductSetup) => withSteps(setup, { bias: biasOf(setup) });

const biasOf = ({ steps }: ProductSetup) => (isInt32Bias(steps.bias) ? steps.bias : int32BiasFloat64);

/** What wraps falls where sums rise. */
const FALLING: RoundStep = { ...downward, name: 'downward of what wraps', falls: true, fast: false };

function changeTo({ declared }: ProductStudy, step: WrappedProduct): WrappingChange {
  const bias = biasOf(declared);
  return {
    cause: 'scaled-sum-wraps',
    coordinate: 'multiplier',
    freedom: FREEDOM.none,
    label: step.name,
    step,
    apply: (setup) => withSteps(setup, { multiplier: step, bias, round: FALLING, offsetAndClamp: roundThenOffset }),
  };
}
