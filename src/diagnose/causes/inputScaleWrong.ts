import type { Cause } from '../cause.js';
import { refinedScaleIntervals, sharedInterval, sharedIntervals } from '../estimate/scalar.js';
import { isNoise, isTiny, scalesIn } from '../estimate/scales.js';
import { biasParts } from '../estimate/view.js';
import { type Change, FREEDOM, withLinear } from '../setup.js';

/** The activations' scale is another than the file says. */
export const inputScaleWrong: Cause<'input-scale-wrong'> = {
  code: 'input-scale-wrong',

  estimate: (study, base) => {
    if (study.data.dynamic) return [];
    const declared = base.linear.input.scale;
    const intervals = sharedIntervals(study, base, (view) => {
      const { scaling, fixed, slack } = biasParts(view, base);
      return {
        slope: (i, n) => (view.acc[i] * view.stepsPerUnit[n] + scaling(n)) / declared,
        offset: (_, n) => fixed(n),
        slack,
      };
    });
    const interval = intervals && sharedInterval(intervals);
    if (!interval) return [];
    const withScale = (scale: number) => withLinear(base, { input: { ...base.linear.input, scale } });
    return refinedScaleIntervals(study, base, interval, withScale)
      .flatMap(scalesIn)
      .filter((scale) => scale > 0 && !isNoise(scale, declared))
      .map(
        (scale): Change => ({
          cause: 'input-scale-wrong',
          coordinate: 'x_scale',
          freedom: FREEDOM.oneNumber,
          tiny: isTiny(scale, declared),
          label: String(scale),
          found: { declared, found: scale, interval: [interval.lo, interval.hi] },
          apply: (setup) => withLinear(setup, { input: { ...setup.linear.input, scale } }),
        }),
      );
  },
};
