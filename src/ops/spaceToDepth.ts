/** ONNX SpaceToDepth, TFLite's SPACE_TO_DEPTH: places become channels, those of one block a whole image apart. */
import { type Blocked, blockedFields, divided, layoutOf, moving, ofImages } from './fields/layout.js';

export const spaceToDepth = moving<Blocked>(
  'space_to_depth',
  blockedFields,
  (fields) => {
    const { block_size: r } = fields;
    return ofImages(layoutOf(fields), {
      dims([channels, height, width]) {
        const [rows, columns] = [divided(height, r, 'rows'), divided(width, r, 'columns')];
        if (typeof rows === 'string') return rows;
        return typeof columns === 'string' ? columns : [channels * r * r, rows, columns];
      },
      from([c, y, x], [channels]) {
        const block = Math.floor(c / channels);
        return [c % channels, y * r + Math.floor(block / r), x * r + (block % r)];
      },
    });
  },
  { needs: ['block_size'] },
);
