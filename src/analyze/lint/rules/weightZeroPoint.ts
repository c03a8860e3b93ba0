import type { Severity } from '../../../documents/lint.js';
import type { Product } from '../../../nouns/kernel.js';
import { weightZeroPointOf } from '../../../products/exactSums.js';
import type { LintFacts } from '../evidence.js';
import { limitedIn } from '../kernelGroups.js';
import type { Found, Rule } from '../rule.js';

type Code = 'weight-zero-point';
type Limited = LintFacts[Code]['limit'];

/** Runtimes that want symmetric weights: some refuse the layer, one computes as if the zero point were not there. */
export const weightZeroPoint: Rule<Code> = {
  code: 'weight-zero-point',
  ofLayer({ product, layer }) {
    const channels = asymmetricChannels(product);
    if (channels.length === 0) return [];
    const found = finder(product, channels);
    // a .tflite runs nowhere else; which releases ignore them kernel-defect says
    if (layer.delegates) return product.perChannel ? [found('error', 'weight zero points of channels')] : [];
    return [
      found('error', 'weight zero points'),
      product.perChannel
        ? found('error', 'weight zero points of channels')
        : found('warning', 'weight zero points, ignored'),
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
  return (severity: Severity, limit: Limited): Found<Code> => ({
    severity,
    kernels: limitedIn(limit),
    evidence: { channels: channels.length },
    facts: { limit, outFeatures, first },
  });
}
