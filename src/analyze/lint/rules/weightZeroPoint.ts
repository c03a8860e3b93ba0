import type { Severity } from '../../../documents/lint.js';
import type { Linear } from '../../../nouns/kernel.js';
import { weightZeroPointOf } from '../../../products/exactSums.js';
import type { LintFacts } from '../evidence.js';
import { ONEDNN, TFLITE, XNNPACK } from '../kernelGroups.js';
import type { Found, Rule } from '../rule.js';

type Code = 'weight-zero-point';
type Runtime = LintFacts[Code]['runtime'];

/** Runtimes that want symmetric weights: some refuse the layer, one computes as if the zero point were not there. */
export const weightZeroPoint: Rule<Code> = {
  code: 'weight-zero-point',
  ofLayer({ linear }) {
    const channels = asymmetricChannels(linear);
    if (channels.length === 0) return [];
    const found = finder(linear, channels);
    return [
      found('onednn', 'error', ONEDNN),
      linear.perChannel ? found('tflite', 'error', TFLITE) : found('xnnpack', 'warning', XNNPACK),
    ];
  },
};

function asymmetricChannels(linear: Linear): number[] {
  const channels = Array.from({ length: linear.outFeatures }, (_, n) => n);
  return channels.filter((channel) => weightZeroPointOf(linear, channel) !== 0);
}

function finder(linear: Linear, channels: readonly number[]) {
  const { outFeatures } = linear;
  const first = { channel: channels[0], zeroPoint: weightZeroPointOf(linear, channels[0]) };
  return (runtime: Runtime, severity: Severity, kernels: readonly string[]): Found<Code> => ({
    severity,
    kernels,
    evidence: { channels: channels.length },
    facts: { runtime, outFeatures, first },
  });
}
