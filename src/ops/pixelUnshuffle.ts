/** torch.nn.functional.pixel_unshuffle: places become channels. */
import { divided, moving, ofImages } from './fields/layout.js';
import { factor } from './fields/window.js';

export const pixelUnshuffle = moving<{ downscale_factor: number }>(
  'pixel_unshuffle',
  () => ({ downscale_factor: factor }),
  ({ downscale_factor: r }) =>
    ofImages('NCHW', {
      dims([channels, height, width]) {
        const [h, w] = [divided(height, r, 'a height'), divided(width, r, 'a width')];
        if (typeof h === 'string') return h;
        return typeof w === 'string' ? w : [channels * r * r, h, w];
      },
      from: ([c, y, x]) => [Math.floor(c / (r * r)), y * r + (Math.floor(c / r) % r), x * r + (c % r)],
    }),
  { needs: ['downscale_factor'] },
);
