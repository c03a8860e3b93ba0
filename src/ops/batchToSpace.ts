/** TFLite's BATCH_TO_SPACE_ND: images become the places of blocks, [block, H, W, C] to [H * bh, W * bw, C]; then cells are cut off. */
import { dimsText } from '../tensor/shape.js';
import { type Blocks, blockShape, ends, imagesOf, misfit, toImages } from './fields/blocks.js';
import { moving } from './fields/layout.js';

interface Fields {
  readonly block_shape: readonly number[];
  readonly crops: Blocks['ends'];
}

export const batchToSpace = moving<Fields>(
  'batch_to_space',
  () => ({ block_shape: blockShape(), crops: ends() }),
  ({ block_shape: block, crops }) => {
    const blocks = { block, ends: crops };
    return {
      dims({ dims: [images, ...dims] }) {
        const wrong = misfit(blocks, dims.length);
        if (wrong) return wrong;
        const places = block.map((size, axis) => dims[axis] * size - crops[axis][0] - crops[axis][1]);
        if (images === imagesOf(blocks) && places.every((place) => place > 0))
          return [...places, ...dims.slice(block.length)];
        return `expected ${imagesOf(blocks)} images (blocks of ${dimsText(block)}), got ${dimsText([images, ...dims])}`;
      },
      from: (at) => toImages(blocks, at),
    };
  },
  { needs: ['block_shape', 'crops'], channels: 'last' },
);
