/** torch.nn.functional.max_pool2d: the largest value of every window, each channel by itself. */
import { dilated, pool } from './fields/pool.js';

export const maxPool2d = pool('max_pool2d', 2, dilated, (window) => ({ window }));
