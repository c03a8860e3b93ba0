/** min(max(x, min_val), max_val), bounds in real units: -1 and 1 where the file gives none. On codes, the codes of the bounds. */
import { bound, orderedBounds } from './fields/bounds.js';
import { clamping } from './fields/elementwise.js';

export const hardtanh = clamping('hardtanh', { min_val: bound, max_val: bound }, (layer) =>
  orderedBounds(layer, 'min_val', 'max_val', [-1, 1]),
);
