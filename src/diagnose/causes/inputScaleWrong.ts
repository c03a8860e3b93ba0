import { isQuantized } from '../../nouns/value.js';
import type { Cause } from '../cause.js';
import { bisected, type Line, refinedScaleIntervals, sharedInterval, sharedIntervals } from '../estimate/scalar.js';
import { isNoise, isTiny, movesTiesOnly, scalesIn } from '../estimate/scales.js';
import { biasParts, type View } from '../estimate/view.js';
import type { FoundParameter, SomeChannels } from '../evidence.js';
import { converts, readsCodes } from '../facts.js';
import { type Change, FREEDOM, inputOf, withInput } from '../setup.js';
import { scaleLine } from '../words/code.js';
import { foundFix } from '../words/fixes.js';
import { foundSentence } from '../words/parts.js';

declare module '../evidence.js' {
  interface CauseEvidence {
    'input-scale-wrong': SomeChannels & Partial<FoundParameter>;
  }
}

/** The activations' scale is another than the file says. */
export const inputScaleWrong: Cause<'input-scale-wrong'> = {
  code: 'input-scale-wrong',
  kinds: ['product', 'elementwise'],
  needs: [readsCodes, converts],
  whose: 'model',

  afterSums: true,
  estimate: (study, base) => {
    const input = inputOf(base);
    if (!isQuantized(input)) return [];
    const declared = input.scale;
    const line = (view: View): Line => {
      const { scaling, fixed, slack } = biasParts(view, base);
      return {
        slope: (i, n) => (view.acc[i] * view.stepsPerUnit[n] + scaling(n)) / declared,
        offset: (_, n) => fixed(n),
        slack,
      };
    };
    const intervals = sharedIntervals(study, base, line);
    const interval = intervals && sharedInterval(intervals);
    if (!interval || movesTiesOnly(interval, declared)) return [];
    const withScale = (scale: number) => withInput(base, { scale });
    const exactly = bisected(study, base, line, interval, withScale);
    const halved = exactly === null ? [] : [Math.fround(exactly), exactly];
    return [...halved, ...refinedScaleIntervals(study, base, interval, withScale).flatMap(scalesIn)]
      .filter((scale) => scale > 0 && !isNoise(scale, declared))
      .map(
        (scale): Change => ({
          cause: 'input-scale-wrong',
          coordinate: 'x_scale',
          freedom: FREEDOM.oneNumber,
          tiny: isTiny(scale, declared),
          label: String(scale),
          found: { declared, found: scale, interval: [interval.lo, interval.hi] },
          apply: (setup) => withInput(setup, { scale }),
        }),
      );
  },

  words: {
    title: 'wrong input scale',
    explanation: "The input's scale is another than the file says.",
    ofOneLayer: true,
    evidence: (e) => [foundSentence('input scale', e)],
    fix: foundFix('input scale'),
    code: (e, context) => scaleLine('input', 'scale', 'x_scale', e, context),
  },
};
