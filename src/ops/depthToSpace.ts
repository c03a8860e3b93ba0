/** ONNX DepthToSpace in mode DCR: as pixel_shuffle, but channels that become neighbours lie a whole image apart. */
import { divided, moving, ofImages } from './fields/layout.js';
import { factor } from './fields/window.js';

export const depthToSpace = moving<{ block_size: number }>(
  'depth_to_space',
  { block_size: factor },
  ({ block_size: r }) => ({
    dims: ofImages(([channels, height, width]) => {
      const each = divided(channels, r * r, 'channels');
      return typeof each === 'string' ? each : [each, height * r, width * r];
    }),
    from: ([c, y, x], [channels]) => {
      const images = channels / (r * r);
      return [((y % r) * r + (x % r)) * images + c, Math.floor(y / r), Math.floor(x / r)];
    },
  }),
  { needs: ['block_size'] },
);
