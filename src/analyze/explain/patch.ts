/** A convolution's patch as a small image: one input channel of it, beside the weights. */
import type { ExplainPatch } from '../../documents/explain.js';
import type { Codes, Product } from '../../nouns/kernel.js';
import { cellOf } from '../../tensor/patches.js';

/** channel: of the group, whose taps are shown. */
export function explainedPatch({ patch, weight }: Product, { data, positions }: Codes, k: number): ExplainPatch | null {
  if (!patch || !positions) return null;
  const { window, inChannels, taps } = patch;
  const channel = k % inChannels;
  const cells = Array.from({ length: taps.taps }, (_, tap) => {
    const place = tap * inChannels + channel;
    const { pixel } = cellOf(patch, positions[0], place);
    return { x: data[place], w: weight[place], pixel };
  });
  return { kernel_size: [...window.kernel], channels: inChannels, channel, cells };
}
