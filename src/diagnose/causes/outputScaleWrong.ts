import { isQuantized } from '../../nouns/value.js';
import type { Cause } from '../cause.js';
import { bisected, type Line, sharedInterval, sharedIntervals } from '../estimate/scalar.js';
import { isNoise, isTiny, movesTiesOnly, scalesIn } from '../estimate/scales.js';
import type { View } from '../estimate/view.js';
import type { FoundParameter, SomeChannels } from '../evidence.js';
import { converts, writesCodes } from '../facts.js';
import { type Change, FREEDOM, withOutput } from '../setup.js';
import { scaleLine } from '../words/code.js';
import { foundFix } from '../words/fixes.js';
import { foundSentence } from '../words/parts.js';

declare module '../evidence.js' {
  interface CauseEvidence {
    'output-scale-wrong': SomeChannels & Partial<FoundParameter>;
  }
}

/** The output's scale is another than the file says: every real value before rounding is off by one factor. */
export const outputScaleWrong: Cause<'output-scale-wrong'> = {
  code: 'output-scale-wrong',
  kinds: ['product', 'elementwise', 'tensor'],
  needs: [writesCodes, converts],
  whose: 'model',

  afterSums: true,
  estimate: (study, base) => {
    const { output } = base.params;
    if (!isQuantized(output)) return [];
    // v scales with 1 / s_y: factor = declared / found; bounds are those without a second value
    const line = (view: View): Line =>
      view.curved
        ? { slope: (i) => view.curved!.reals[i], offset: () => 0, bounds: view.curved }
        : {
            slope: (i, n) => view.acc[i] * view.stepsPerUnit[n] + view.biasSteps[n] + (view.added?.[i] ?? 0),
            offset: (i) => -(view.added?.[i] ?? 0),
            slack: view.ofLargerScales,
          };
    const intervals = sharedIntervals(study, base, line);
    const factor = intervals && sharedInterval(intervals);
    if (!factor || factor.lo <= 0) return [];
    const interval = { lo: output.scale / factor.hi, hi: output.scale / factor.lo };
    if (movesTiesOnly(interval, output.scale)) return [];
    const exactly = bisected(study, base, line, factor, (own) => withOutput(base, { scale: output.scale / own }));
    const halved = exactly === null ? [] : [Math.fround(output.scale / exactly), output.scale / exactly];
    return [...halved, ...scalesIn(interval)]
      .filter((scale) => !isNoise(scale, output.scale))
      .map(
        (scale): Change => ({
          cause: 'output-scale-wrong',
          coordinate: 'y_scale',
          freedom: FREEDOM.oneNumber,
          tiny: isTiny(scale, output.scale),
          label: String(scale),
          found: { declared: output.scale, found: scale, interval: [interval.lo, interval.hi] },
          apply: (setup) => withOutput(setup, { scale }),
        }),
      );
  },

  words: {
    title: 'wrong output scale',
    explanation: "The output's scale is another than the file says.",
    ofOneLayer: true,
    evidence: (e) => [foundSentence('output scale', e)],
    fix: foundFix('output scale'),
    code: (e, context) => scaleLine('output', 'scale', 'y_scale', e, context),
  },
};
