/** Means whose sums are kept in few bits: numpy's sum(dtype=np.uint8), an accumulator of the codes' own type in C. */
import { downward, halfEven, towardZero } from '../../kernels/steps/round.js';
import { wrapInt8, wrapInt16, wrapUint8 } from '../../numeric/integer.js';
import { roundHalfEven } from '../../numeric/round.js';
import type { TensorChange } from '../setup.js';
import type { TensorStudy } from '../study/study.js';
import { type MeanRule, scriptsDividingCodes, scriptsRoundingMean } from './meanRules.js';
import { countOf, stepsChange } from './tensorSteps.js';

const WIDTHS = [
  { bits: 8, keep: wrapUint8, of: 'raw' },
  { bits: 8, keep: wrapInt8, of: 'raw' },
  { bits: 8, keep: wrapInt8, of: 'sum' },
  { bits: 16, keep: wrapInt16, of: 'raw' },
  { bits: 16, keep: wrapInt16, of: 'sum' },
] as const;

/** The widest code, or the distance of one to its zero point. */
const LARGEST = 255;

/** Those that give what was observed, where some sum leaves its bits. */
export function narrowMeans(study: TensorStudy): TensorChange[] {
  const count = countOf(study) ?? 0;
  const narrow = WIDTHS.filter(({ bits }) => count > 1 && count * LARGEST >= 2 ** (bits - 1));
  return narrow.flatMap(({ bits, keep, of }) =>
    [downward, towardZero, halfEven].flatMap((round) => {
      const whole: MeanRule = {
        equation: `${round.equation} of a sum / n`,
        apply: (mean, n) => round.apply(roundHalfEven(mean * n) / n),
      };
      const kept: MeanRule = {
        equation: `${round.equation} of a sum in ${bits} bits / n`,
        apply: (mean, n) => round.apply(keep(roundHalfEven(mean * n)) / n),
      };
      const [changes, rivals] = [kept, whole].map((rule) =>
        [...scriptsDividingCodes(study, rule, of === 'raw'), ...scriptsRoundingMean(study, rule, of === 'raw')].map(
          (steps) =>
            stepsChange('accumulator-wraps', 'accumulator', steps, { bits, overflow: 'wrap', of, of_windows: true }),
        ),
      );
      return changes.filter((change, i) => {
        const setup = change.apply(study.declared);
        return study.agreesOnSubset(setup) && !study.sameOnSubset(rivals[i].apply(study.declared), setup);
      });
    }),
  );
}
