import { float64Product } from '../../kernels/steps/multiplier.js';
import { roundThenOffset } from '../../kernels/steps/offsetAndClamp.js';
import { halfAway, halfDown, halfTowardZero, halfUp } from '../../kernels/steps/round.js';
import type { MultiplierStep, RoundStep } from '../../nouns/kernel.js';
import type { QuantParams } from '../../nouns/value.js';
import { wrapInt32 } from '../../numeric/integer.js';
import { withBiasInUnits } from '../alternatives/biases/biasUnits.js';
import { hasCases } from '../alternatives/cases.js';
import type { Cause } from '../cause.js';
import { anyRuntime, scalesSums } from '../facts.js';
import type { DecidingValue, SomeChannels } from '../finding/evidence.js';
import { FREEDOM, type ProductChange, type ProductSetup, withOutput, withSteps } from '../setup.js';
import type { ProductStudy, Study } from '../study/study.js';
import { numpy, rtl } from '../words/code.js';
import { decidingSentence } from '../words/parts.js';
import { decidingValue } from './deciding.js';

type Rule = 'greater' | 'nearest' | 'down';

declare module '../finding/evidence.js' {
  interface CauseEvidence {
    'threshold-rule': SomeChannels & { readonly rule?: Rule; readonly deciding?: DecidingValue };
  }
}

/**
 * A code counts the thresholds that its sum reaches; that of code q is the least integer from (q - 1/2) / multiplier on. Of one more than
 * an integer sum asks for, the sum is one less; of one that is rounded down, one more; of the nearest, half of one.
 */
const RULES = [
  { rule: 'greater', more: -1, round: halfUp },
  { rule: 'nearest', more: 0.5, round: halfUp },
  { rule: 'down', more: 1, round: halfDown },
] as const;

/** Three forms: one of them gives so many values by chance once in a hundred layers. */
const FEWEST_DIFFERING = 5;
/** Of fewer channels each one's bias is one off by chance. */
const FEWEST_CHANNELS = 4;
/** Of sums next to a threshold; where more differ, one of a sum is most of a step or all of it. */
const MOST_DIFFERING = 1 / 4;

/** Sums that are compared with integers, one a code, as FINN's MultiThreshold does, and not scaled. */
export const thresholdRule: Cause<'threshold-rule', 'product'> = {
  code: 'threshold-rule',
  kinds: ['product'],
  needs: [anyRuntime, scalesSums],
  whose: 'kernel',
  ownWords: true,

  changes: (study) => (mayBeTold(study) ? changesOf(study) : []),

  admits: (study) => (mayBeTold(study) ? [] : changesOf(study)),

  evidence: (found) => ({ deciding: decidingValue(found) }),

  words: {
    title: ({ rule }) => (rule ? TITLES[rule] : 'sums compared with thresholds that are off by up to 1'),
    explanation: ({ rule }) =>
      rule === 'greater'
        ? 'A sum that is equal to a threshold has reached it.'
        : 'Code q begins at the least integer from (q - 1/2) / multiplier on: a threshold that is rounded otherwise lets smaller sums through.',
    evidence: (e, context) => [decidingSentence(e.deciding, context)],
    fix: ({ rule }) =>
      rule === 'greater'
        ? 'count thresholds with sum >= threshold; where there are none, look for what takes 1 off each sum'
        : 'round thresholds up (np.ceil); where there are none, look for what is added to each sum',
    code: () => [
      numpy(
        'T = np.ceil((np.arange(QMIN + 1, QMAX + 1) - y_zero_point - 0.5)[:, None] / multiplier)  # a column a channel',
      ),
      numpy('q = QMIN + (acc[None] >= T[:, None]).sum(0)  # acc with its bias; ties up'),
      rtl('if (acc >= T[i]) q = q + 1;  // for each threshold; q from QMIN, all signed; ties up'),
    ],
  },
};

const TITLES: Readonly<Record<Rule, string>> = {
  greater: 'sums 1 too small, as thresholds compared by > for >= make them',
  nearest: 'sums 1/2 too large, as thresholds rounded to the nearest make them',
  down: 'sums 1 too large, as thresholds rounded down make them',
};

function mayBeTold(study: ProductStudy): boolean {
  const channels = new Set(study.data.witnesses.map(({ channel }) => channel));
  return hasCases(study as Study, FEWEST_DIFFERING) && channels.size >= FEWEST_CHANNELS;
}

function changesOf(study: ProductStudy): ProductChange[] {
  const { declared, data, channels } = study;
  if (data.mismatched > (data.to - data.from) * channels * MOST_DIFFERING) return [];
  return RULES.filter(({ more, round }) => {
    const steps = { multiplier: ofMore(more), round, offsetAndClamp: roundThenOffset };
    return study.agreesOnSubset(withSteps(declared, steps)) && !isSimpler(study);
  }).map(
    ({ rule, more, round }): ProductChange => ({
      cause: 'threshold-rule',
      coordinate: 'multiplier',
      freedom: FREEDOM.none,
      label: rule,
      found: { rule },
      apply: (setup) => withSteps(setup, { multiplier: ofMore(more), round, offsetAndClamp: roundThenOffset }),
    }),
  );
}

const TIES: readonly RoundStep[] = [halfUp, halfDown, halfAway, halfTowardZero];

/** Whether ties, whole codes, or biases that are rounded down or up give it: no threshold is to be seen then. */
function isSimpler(study: ProductStudy): boolean {
  const { declared } = study;
  const { zeroPoint } = declared.params.output as QuantParams;
  const alone = TIES.map((round) =>
    withSteps(declared, { multiplier: float64Product, round, offsetAndClamp: roundThenOffset }),
  );
  const moved = [declared, ...alone].flatMap((base) => [
    ...[-1, 1].map((codes) => withOutput(base, { zeroPoint: zeroPoint + codes })),
    ...[Math.floor, Math.ceil].map((cut) => withBiasesIn(base, cut)),
  ]);
  return [...alone, ...moved].some((setup) => study.agreesOnSubset(setup));
}

/** Float biases, as integers at the scale of the sums. */
function withBiasesIn(setup: ProductSetup, cut: (units: number) => number): ProductSetup {
  const { bias, input, weightScale } = setup.params;
  if (!bias) return setup;
  const unitOf = (n: number) => input.scale * weightScale[n % weightScale.length];
  return withBiasInUnits(
    setup,
    Int32Array.from(bias, (b, n) => wrapInt32(cut(b / unitOf(n)))),
  );
}

function ofMore(more: number): MultiplierStep {
  return {
    ...float64Product,
    name: `float64Product of ${more} more`,
    equation: `(acc + ${more}) * ((sx * sw) / sy) in float64`,
    toSteps: (product, output) => {
      const steps = float64Product.toSteps(product, output);
      return (acc, channel, bias) => steps(acc + more, channel, bias);
    },
    operations: null,
  };
}
