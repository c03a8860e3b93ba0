import { float64Product } from '../../kernels/steps/multiplier.js';
import { roundThenOffset } from '../../kernels/steps/offsetAndClamp.js';
import { halfEven } from '../../kernels/steps/round.js';
import type { QuantParams } from '../../nouns/value.js';
import { precise } from '../../text.js';
import { isFixedPoint } from '../alternatives/departures.js';
import { type FirstRounding, roundedTwice } from '../alternatives/roundedTwice.js';
import type { Cause } from '../cause.js';
import { anyRuntime, scalesSums } from '../facts.js';
import type { DecidingValue, SomeChannels } from '../finding/evidence.js';
import { resemblesDeclared } from '../search/followed.js';
import { FREEDOM, type ProductChange, type ProductSetup, withSteps } from '../setup.js';
import type { ProductStudy, Study } from '../study/study.js';
import { inC, numpy } from '../words/code.js';
import { declareKernel } from '../words/fixes.js';
import { decidingSentence } from '../words/parts.js';
import { decidingValue } from './deciding.js';

declare module '../finding/evidence.js' {
  interface CauseEvidence {
    'rounding-twice': SomeChannels & Partial<FirstRounding> & { readonly deciding?: DecidingValue };
  }
}

/** So many values are next to a border by no chance: one of two hundred forms gives a few. */
const FEWEST_DIFFERING = 8;

/** A scaled sum is a fixed-point number first: rounded, or cut, to its last bit, and then rounded to a code. */
export const roundingTwice: Cause<'rounding-twice', 'product'> = {
  code: 'rounding-twice',
  kinds: ['product'],
  needs: [anyRuntime, scalesSums],
  whose: 'kernel',
  ownWords: true,

  changes: (study) => (study.data.mismatched < FEWEST_DIFFERING ? [] : changesOf(study)),

  admits: (study) => (study.data.mismatched < FEWEST_DIFFERING ? changesOf(study) : []),

  evidence: (found) => ({ deciding: decidingValue(found) }),

  words: {
    title: (e) => `${e.rule === 'down' ? 'cut to' : 'rounded to'} ${unitOf(e)} first, then to a code`,
    explanation: (e) =>
      `The scaled sum is a number of ${e.bits === undefined ? 'few' : e.bits} bits behind the point${e.of === 'real' ? ', in real units,' : ''} before it is rounded to a code: what lies next to a half comes out on its other side.`,
    evidence: (e, context) => [decidingSentence(e.deciding, context)],
    fix: (_, context) =>
      context.subject === 'candidate'
        ? 'keep all bits of the scaled sum, and round it once, to a code'
        : declareKernel(context),
    code: (_, { subject }) =>
      subject === 'candidate'
        ? [
            numpy('q = np.rint(v)  # v = acc * multiplier, not rounded or cut before'),
            inC('q = rint(v);  /* v = acc * multiplier, not rounded or cut before */'),
          ]
        : [],
  },
};

/** Where the last rounding alone gives it, the first one is not there to be seen. */
function changesOf(study: ProductStudy): ProductChange[] {
  const { declared } = study;
  if (!resemblesDeclared(study as Study)) return [];
  return roundedTwice((declared.params.output as QuantParams).scale).flatMap(({ last, first, round }) =>
    multipliersOf(study).flatMap((multiplier): ProductChange[] => {
      const steps = { multiplier, offsetAndClamp: roundThenOffset };
      const apply = (setup: ProductSetup) => withSteps(setup, { ...steps, round });
      if (!study.agreesOnSubset(apply(declared))) return [];
      if (study.agreesOnSubset(withSteps(declared, { ...steps, round: last }))) return [];
      const label = `${round.name}, ${multiplier.name}`;
      return [{ cause: 'rounding-twice', coordinate: 'round', freedom: FREEDOM.none, label, found: first, apply }];
    }),
  );
}

function unitOf({ bits, of, unit }: Partial<FirstRounding>): string {
  if (bits === undefined || unit === undefined) return 'a part of a step';
  return of === 'real' ? `2^-${bits} (${precise(unit)} of a step)` : `1/${2 ** bits} of a step`;
}

function multipliersOf({ declared: { steps } }: ProductStudy) {
  const isOwn =
    !steps.float && steps.multiplier !== float64Product && !isFixedPoint(steps.multiplier) && steps.round === halfEven;
  return isOwn ? [steps.multiplier, float64Product] : [float64Product];
}
