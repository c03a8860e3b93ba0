import { noBias } from '../../kernels/steps/bias.js';
import { isQuantized } from '../../types.js';
import type { Cause } from '../cause.js';
import { mostAreEmpty, repairChannels, restsOnEnough } from '../estimate/perChannel.js';
import { viewOf } from '../estimate/view.js';
import type { FoundParameter } from '../evidence.js';
import { type Change, FREEDOM, type Setup, withKernel, withLinear } from '../setup.js';
import type { Study } from '../study.js';
import { biasIntervals } from './biasShifted.js';

const MOST_LISTED = 8;

/** No bias where the file has one; or a file without the bias that PyTorch used (estimated, one number a channel). */
export const biasMissing: Cause<'bias-missing'> = {
  code: 'bias-missing',

  changes: ({ data }) =>
    hasBias(data.linear)
      ? [
          {
            cause: 'bias-missing',
            coordinate: 'bias',
            freedom: FREEDOM.none,
            label: 'none',
            apply: (setup) => withKernel(setup, { bias: noBias }),
          },
        ]
      : [],

  estimate: (study, base) => (study.data.side === 'capture' && !hasBias(base.linear) ? estimated(study, base) : []),

  evidence: ({ study, change }) => {
    if (change.found) return {};
    const { bias, output } = study.data.linear;
    if (!bias) return {};
    const channel = bias.reduce((worst, b, n) => (Math.abs(b) > Math.abs(bias[worst]) ? n : worst), 0);
    return isQuantized(output) ? { channel, max_bias_steps: Math.abs(bias[channel]) / output.scale } : { channel };
  },
};

function hasBias({ bias, biasInt32 }: { bias: Float32Array | null; biasInt32: Int32Array | null }): boolean {
  return (bias ?? biasInt32)?.some((b) => b !== 0) ?? false;
}

function estimated(study: Study, base: Setup): Change[] {
  if (mostAreEmpty(biasIntervals(viewOf(study, base, study.sketch)))) return [];
  const view = viewOf(study, base);
  const none = new Float64Array(study.channels);
  const steps = biasIntervals(view);
  const apply = (values: Float64Array) =>
    withLinear(base, { bias: Float32Array.from(values, (v) => v * view.step), biasInt32: null });
  const found = repairChannels(study, base, steps, none, apply);
  if (!found || !restsOnEnough(study, found.channels)) return [];
  const bias = Float32Array.from(found.values, (v) => v * view.step);
  const list: FoundParameter[] = found.channels
    .map((channel) => ({ channel, declared: 0, found: bias[channel] }))
    .sort((a, b) => Math.abs(b.found) - Math.abs(a.found));
  return [
    {
      cause: 'bias-missing',
      coordinate: 'bias',
      freedom: FREEDOM.numberPerChannel,
      label: 'estimated',
      channels: found.channels,
      found: {
        max_bias_steps: Math.abs(found.values[list[0].channel!]),
        channel: list[0].channel,
        found: list.slice(0, MOST_LISTED),
        omitted: Math.max(0, list.length - MOST_LISTED),
      },
      apply: (setup) => withLinear(setup, { bias, biasInt32: null }),
    },
  ];
}
