/** ONNX DepthToSpace in mode DCR, TFLite's DEPTH_TO_SPACE: as pixel_shuffle, but channels that become neighbours lie a whole image apart. */
import { type Blocked, blockedFields, divided, moving, ofImages } from './fields/layout.js';

export const depthToSpace = moving<Blocked>(
  'depth_to_space',
  blockedFields,
  ({ block_size: r, channels_last }) =>
    ofImages(channels_last === true, {
      dims([channels, height, width]) {
        const each = divided(channels, r * r, 'channels');
        return typeof each === 'string' ? each : [each, height * r, width * r];
      },
      from([c, y, x], [channels]) {
        const images = channels / (r * r);
        return [((y % r) * r + (x % r)) * images + c, Math.floor(y / r), Math.floor(x / r)];
      },
    }),
  { needs: ['block_size'] },
);
