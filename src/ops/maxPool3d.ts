/** torch.nn.functional.max_pool3d: the largest value of every window, each channel by itself. */
import { dilated, pool } from './fields/pool.js';

export const maxPool3d = pool('max_pool3d', 3, dilated, (window) => ({ window }));
