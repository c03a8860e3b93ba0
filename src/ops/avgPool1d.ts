/** torch.nn.functional.avg_pool1d: the mean of every window, each channel by itself. */
import { averaged, averagePoolAttributes } from './fields/averagePool.js';
import { pool } from './fields/pool.js';

export const avgPool1d = pool('avg_pool1d', 1, averaged, averagePoolAttributes);
