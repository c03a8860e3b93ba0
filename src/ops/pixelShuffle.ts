/** torch.nn.functional.pixel_shuffle: channels become places, upscale_factor times as many either way. */
import { divided, moving, ofImages } from './fields/layout.js';
import { factor } from './fields/window.js';

export const pixelShuffle = moving<{ upscale_factor: number }>(
  'pixel_shuffle',
  () => ({ upscale_factor: factor }),
  ({ upscale_factor: r }) =>
    ofImages(false, {
      dims([channels, height, width]) {
        const each = divided(channels, r * r, 'channels');
        return typeof each === 'string' ? each : [each, height * r, width * r];
      },
      from: ([c, y, x]) => [(c * r + (y % r)) * r + (x % r), Math.floor(y / r), Math.floor(x / r)],
    }),
  { needs: ['upscale_factor'] },
);
