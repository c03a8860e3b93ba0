/** torch.nn.functional.avg_pool3d: the mean of every window, each channel by itself. */
import { averaged, averagePoolAttributes } from './fields/averagePool.js';
import { pool } from './fields/pool.js';

export const avgPool3d = pool('avg_pool3d', 3, averaged, averagePoolAttributes);
