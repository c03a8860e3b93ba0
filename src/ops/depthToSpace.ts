/** ONNX DepthToSpace in mode DCR, TFLite's DEPTH_TO_SPACE: as pixel_shuffle, but channels that become neighbours lie a whole image apart. */
import { type Blocked, blockedFields, layoutOf, moving, ofImages, spreadDims } from './fields/layout.js';

export const depthToSpace = moving<Blocked>(
  'depth_to_space',
  blockedFields,
  (fields) => {
    const { block_size: r } = fields;
    return ofImages(layoutOf(fields), {
      dims: spreadDims(r),
      from([c, y, x], [channels]) {
        const images = channels / (r * r);
        return [((y % r) * r + (x % r)) * images + c, Math.floor(y / r), Math.floor(x / r)];
      },
    });
  },
  { needs: ['block_size'] },
);
