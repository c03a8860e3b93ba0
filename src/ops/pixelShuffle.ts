/** torch.nn.functional.pixel_shuffle: channels become places, upscale_factor times as many either way. */
import { moving, ofImages, spreadDims } from './fields/layout.js';
import { factor } from './fields/window.js';

export const pixelShuffle = moving<{ upscale_factor: number }>(
  'pixel_shuffle',
  () => ({ upscale_factor: factor }),
  ({ upscale_factor: r }) =>
    ofImages('NCHW', {
      dims: spreadDims(r),
      from: ([c, y, x]) => [(c * r + (y % r)) * r + (x % r), Math.floor(y / r), Math.floor(x / r)],
    }),
  { needs: ['upscale_factor'] },
);
