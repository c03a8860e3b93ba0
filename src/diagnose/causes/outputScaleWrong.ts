import { isQuantized } from '../../replay/linear.js';
import type { Cause } from '../cause.js';
import { intervalsByChannel, sharedValues } from '../estimate/scalar.js';
import { viewOf } from '../estimate/view.js';
import { type Change, FREEDOM, type Setup, withLinear } from '../setup.js';
import { isNoise } from './scales.js';

/** The output's scale is another than the file says: every real value before rounding is off by one factor. */
export const outputScaleWrong: Cause<'output-scale-wrong'> = {
  code: 'output-scale-wrong',

  estimate: (study, base) => {
    const { output } = base.linear;
    if (!isQuantized(output)) return [];
    const view = viewOf(study, base);
    const intervals = intervalsByChannel(
      view,
      (i, n) => view.acc[i] * view.stepsPerUnit[n] + view.biasSteps[n],
      () => 0,
    );
    return sharedValues(intervals)
      .filter(({ value }) => value > 0 && !isNoise(value, 1))
      .map(
        ({ value, interval }): Change => ({
          cause: 'output-scale-wrong',
          coordinate: 'y_scale',
          freedom: FREEDOM.oneNumber,
          label: String(value),
          found: {
            declared: output.scale,
            found: output.scale / value,
            interval: [output.scale / interval.hi, output.scale / interval.lo],
          },
          apply: (setup) => withOutputScale(setup, output.scale / value),
        }),
      );
  },
};

function withOutputScale(setup: Setup, scale: number): Setup {
  const { output } = setup.linear;
  return isQuantized(output) ? withLinear(setup, { output: { ...output, scale } }) : setup;
}
