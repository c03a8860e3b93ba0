import type { Severity } from '../../../documents/lint.js';
import type { Product } from '../../../nouns/kernel.js';
import { weightZeroPointOf } from '../../../products/exactSums.js';
import type { LintFacts } from '../evidence.js';
import { ONEDNN, TFLITE, XNNPACK } from '../kernelGroups.js';
import type { Found, Rule } from '../rule.js';

type Code = 'weight-zero-point';
type Runtime = LintFacts[Code]['runtime'];

/** Runtimes that want symmetric weights: some refuse the layer, one computes as if the zero point were not there. */
export const weightZeroPoint: Rule<Code> = {
  code: 'weight-zero-point',
  ofLayer({ product }) {
    const channels = asymmetricChannels(product);
    if (channels.length === 0) return [];
    const found = finder(product, channels);
    return [
      found('onednn', 'error', ONEDNN),
      product.perChannel ? found('tflite', 'error', TFLITE) : found('xnnpack', 'warning', XNNPACK),
    ];
  },
};

function asymmetricChannels(product: Product): number[] {
  const channels = Array.from({ length: product.outFeatures }, (_, n) => n);
  return channels.filter((channel) => weightZeroPointOf(product, channel) !== 0);
}

function finder(product: Product, channels: readonly number[]) {
  const { outFeatures } = product;
  const first = { channel: channels[0], zeroPoint: weightZeroPointOf(product, channels[0]) };
  return (runtime: Runtime, severity: Severity, kernels: readonly string[]): Found<Code> => ({
    severity,
    kernels,
    evidence: { channels: channels.length },
    facts: { runtime, outFeatures, first },
  });
}
