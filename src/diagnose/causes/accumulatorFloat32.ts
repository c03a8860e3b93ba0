import { float32RunningSum, float32Sum } from '../../kernels/steps/lossyAccumulate.js';
import type { Cause } from '../cause.js';
import { writesCodes } from '../facts.js';
import type { At, SomeChannels } from '../finding/evidence.js';
import { FREEDOM, withSteps } from '../setup.js';
import { isProductStudy, type ProductStudy } from '../study/study.js';
import { INT32_SUMS } from '../words/code.js';
import { stepFix, stepLines } from '../words/fixes.js';
import { number } from '../words/parts.js';
import { place } from '../words/place.js';
import { countWhere } from './count.js';
import { placeAt } from './placeAt.js';

declare module '../finding/evidence.js' {
  interface CauseEvidence {
    'accumulator-float32': SomeChannels & {
      /** Sums beyond 2^24. */
      readonly beyond?: number;
      readonly first?: At & { readonly exact: number; readonly rounded: number };
    };
  }
}

/** From here on not every integer is a float32. */
const LIMIT = 2 ** 24;

/** The sum passes through float32 and loses its last digits. */
export const accumulatorFloat32: Cause<'accumulator-float32', 'product'> = {
  code: 'accumulator-float32',
  kinds: ['product'],
  needs: [writesCodes, (study) => study.data.dynamic === null && isProductStudy(study) && isBeyond(study)],
  whose: 'kernel',

  changes: () =>
    [float32Sum, float32RunningSum].map((accumulate) => ({
      cause: 'accumulator-float32',
      coordinate: 'accumulator',
      freedom: FREEDOM.none,
      label: accumulate.name,
      apply: (setup) => withSteps(setup, { accumulate }),
    })),

  evidence: ({ study, setup, without }) => {
    const exact = study.engine.accumulator(without, study.subset);
    const lossy = study.engine.accumulator(setup, study.subset);
    const at = exact.findIndex((acc, i) => acc !== lossy[i]);
    const first = at < 0 ? {} : { first: { ...placeAt(study, at), exact: exact[at], rounded: lossy[at] } };
    return { beyond: countWhere(exact, (acc) => Math.abs(acc) > LIMIT), ...first };
  },

  words: {
    title: 'sums in float32',
    explanation: 'A float32 has 24 bits: sums beyond 2^24 lose their last digits.',
    evidence: (e) => [
      e.first ? `${place(e.first)}: ${e.first.exact} becomes ${e.first.rounded}` : null,
      number(e.beyond, (n) => `${n} sums are beyond 2^24`),
    ],
    fix: stepFix('keep the sums in int32 until they are multiplied'),
    code: stepLines(INT32_SUMS),
  },
};

function isBeyond(study: ProductStudy): boolean {
  return (
    !study.declared.steps.float &&
    study.engine.accumulator(study.declared, study.subset).some((acc) => Math.abs(acc) > LIMIT)
  );
}
