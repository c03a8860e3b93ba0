import type { Cause } from '../cause.js';
import { intervalsByChannel, sharedInterval } from '../estimate/scalar.js';
import { biasParts, viewOf } from '../estimate/view.js';
import { type Change, FREEDOM, withLinear } from '../setup.js';
import { isNoise, scalesIn } from './scales.js';

/** The activations' scale is another than the file says. */
export const inputScaleWrong: Cause<'input-scale-wrong'> = {
  code: 'input-scale-wrong',

  estimate: (study, base) => {
    if (study.data.dynamic) return [];
    const view = viewOf(study, base);
    const declared = base.linear.input.scale;
    const { scaling, fixed, slack } = biasParts(view, base);
    const slope = (i: number, n: number) => (view.acc[i] * view.stepsPerUnit[n] + scaling(n)) / declared;
    const offset = (_: number, n: number) => fixed(n);
    const interval = sharedInterval(intervalsByChannel(view, slope, offset, slack));
    if (!interval) return [];
    return scalesIn(interval)
      .filter((scale) => scale > 0 && !isNoise(scale, declared))
      .map(
        (scale): Change => ({
          cause: 'input-scale-wrong',
          coordinate: 'x_scale',
          freedom: FREEDOM.oneNumber,
          label: String(scale),
          found: { declared, found: scale, interval: [interval.lo, interval.hi] },
          apply: (setup) => withLinear(setup, { input: { ...setup.linear.input, scale } }),
        }),
      );
  },
};
