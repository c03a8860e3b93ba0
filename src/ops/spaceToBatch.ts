/** TFLite's SPACE_TO_BATCH_ND: the places of a block become images, [H, W, C] to [block, H / bh, W / bw, C]; cells put on are zero. */
import { isQuantized } from '../nouns/value.js';
import { dimsText } from '../tensor/shape.js';
import { type Blocks, blockShape, ends, imagesOf, misfit, toPlace } from './fields/blocks.js';
import { moving } from './fields/layout.js';

interface Fields {
  readonly block_shape: readonly number[];
  readonly paddings: Blocks['ends'];
}

export const spaceToBatch = moving<Fields>(
  'space_to_batch',
  () => ({ block_shape: blockShape(), paddings: ends() }),
  ({ block_shape: block, paddings }, { inputs: [input] }) => {
    const blocks = { block, ends: paddings };
    return {
      dims({ dims }) {
        const wrong = misfit(blocks, dims.length);
        if (wrong) return wrong;
        const places = block.map((size, axis) => (dims[axis] + paddings[axis][0] + paddings[axis][1]) / size);
        if (places.every(Number.isInteger)) return [imagesOf(blocks), ...places, ...dims.slice(block.length)];
        return `expected an input that blocks of ${dimsText(block)} divide, got ${dimsText(dims)}`;
      },
      from: (at, dims) => toPlace(blocks, at, dims),
      fill: input?.params && isQuantized(input.params) ? input.params.zeroPoint : 0,
    };
  },
  { needs: ['block_shape', 'paddings'], channels: 'last' },
);
