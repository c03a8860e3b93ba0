/** torch.nn.functional.avg_pool2d: the mean of every window, each channel by itself. */
import { averaged, averagePoolAttributes } from './fields/averagePool.js';
import { pool } from './fields/pool.js';

export const avgPool2d = pool('avg_pool2d', 2, averaged, averagePoolAttributes);
