/** torch.clamp: min(max(x, min), max), bounds in real units; either may be missing. On codes, the codes of the bounds. */
import { bound, orderedBounds } from './fields/bounds.js';
import { clamping } from './fields/elementwise.js';

export const clamp = clamping('clamp', { min: bound, max: bound }, (layer) =>
  orderedBounds(layer, 'min', 'max', [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]),
);
