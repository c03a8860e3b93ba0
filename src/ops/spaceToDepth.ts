/** ONNX SpaceToDepth: places become channels, those of one block a whole image apart. */
import { divided, moving, ofImages } from './fields/layout.js';
import { factor } from './fields/window.js';

export const spaceToDepth = moving<{ block_size: number }>(
  'space_to_depth',
  { block_size: factor },
  ({ block_size: r }) => ({
    dims: ofImages(([channels, height, width]) => {
      const [rows, columns] = [divided(height, r, 'rows'), divided(width, r, 'columns')];
      if (typeof rows === 'string') return rows;
      return typeof columns === 'string' ? columns : [channels * r * r, rows, columns];
    }),
    from: ([c, y, x], [channels]) => {
      const block = Math.floor(c / channels);
      return [c % channels, y * r + Math.floor(block / r), x * r + (block % r)];
    },
  }),
  { needs: ['block_size'] },
);
