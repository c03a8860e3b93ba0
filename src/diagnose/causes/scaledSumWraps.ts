import { int32BiasFloat64 } from '../../kernels/steps/bias.js';
import { roundThenOffset } from '../../kernels/steps/offsetAndClamp.js';
import { downward } from '../../kernels/steps/round.js';
import type { RoundStep } from '../../nouns/kernel.js';
import { counted } from '../../text.js';
import { isInt32Bias } from '../alternatives/departures.js';
import { type WrappedProduct, wrappedProducts } from '../alternatives/wrappedProducts.js';
import type { Cause } from '../cause.js';
import { anyRuntime, scalesSums } from '../facts.js';
import type { At, SomeChannels } from '../finding/evidence.js';
import { FREEDOM, type ProductChange, withSteps } from '../setup.js';
import type { ProductStudy } from '../study/study.js';
import { inC, numpy, rtl } from '../words/code.js';
import { place } from '../words/place.js';
import { countWhere } from './count.js';
import { placeAt } from './placeAt.js';

declare module '../finding/evidence.js' {
  interface CauseEvidence {
    'scaled-sum-wraps': SomeChannels & {
      /** The first sum whose product leaves int32. */
      readonly first?: At & { readonly sum: number; readonly k: number; readonly kept: number };
      readonly wrapped?: number;
    };
  }
}

interface WrappingChange extends ProductChange {
  readonly step: WrappedProduct;
}

/** What wraps is elsewhere in the range, not next to a border: three values are none by chance. */
const FEWEST_DIFFERING = 3;

/** A sum times its integer multiplier, kept in 32 bits before it is shifted. */
export const scaledSumWraps: Cause<'scaled-sum-wraps', 'product'> = {
  code: 'scaled-sum-wraps',
  kinds: ['product'],
  needs: [anyRuntime, scalesSums, ({ data }) => data.mismatched >= FEWEST_DIFFERING],
  whose: 'kernel',
  ownWords: true,

  // where the product keeps all of its bits the multiplier is what differs
  changes: (study) =>
    wrappedProducts(study.declared.params)
      .map((step) => changeTo(study, step))
      .filter(
        ({ apply, step }) =>
          study.agreesOnSubset(apply(study.declared)) &&
          !study.agreesOnSubset(withSteps(apply(study.declared), { multiplier: step.inFull })),
      ),

  evidence: ({ study, change, setup }) => {
    const { step } = change as WrappingChange;
    const { engine, subset, channels } = study;
    const params = engine.restrict(setup.params, subset);
    const bias = setup.steps.bias.prepare(params);
    const sums = engine.accumulator(setup, subset);
    const sumOf = (i: number) => sums[i] + (bias.unit === 'int32' ? bias.values[i % channels] : 0);
    const numbers = step.numbersIn(params);
    const leaves = (_: number, i: number) => Math.abs(sumOf(i) * numbers[i % channels].k) >= 2 ** 31;
    const at = sums.findIndex(leaves);
    if (at < 0) return {};
    const { k } = numbers[at % channels];
    const first = { ...placeAt(study, at), sum: sumOf(at), k, kept: Math.imul(sumOf(at), k) };
    return { first, wrapped: countWhere(sums, leaves) };
  },

  words: {
    title: 'product of sum and multiplier wraps in 32 bits',
    explanation: 'A sum times its integer multiplier takes up to 64 bits; its low 32 are kept, and shifted.',
    evidence: ({ first, wrapped }) => [
      first ? `${place(first)}: ${first.sum} * ${first.k} = ${first.sum * first.k} becomes ${first.kept}` : null,
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

/** What wraps falls where sums rise. */
const FALLING: RoundStep = { ...downward, name: 'downward of what wraps', falls: true, fast: false };

function changeTo({ declared }: ProductStudy, step: WrappedProduct): WrappingChange {
  const bias = isInt32Bias(declared.steps.bias) ? declared.steps.bias : int32BiasFloat64;
  return {
    cause: 'scaled-sum-wraps',
    coordinate: 'multiplier',
    freedom: FREEDOM.none,
    label: step.name,
    step,
    apply: (setup) => withSteps(setup, { multiplier: step, bias, round: FALLING, offsetAndClamp: roundThenOffset }),
  };
}
