/** torch.nn.functional.max_pool1d: the largest value of every window, each channel by itself. */
import { dilated, pool } from './fields/pool.js';

export const maxPool1d = pool('max_pool1d', 1, dilated, (window) => ({ window }));
