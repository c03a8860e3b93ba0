/** torch.nn.functional.adaptive_avg_pool2d: means of as many windows as the output has places; they may overlap. */
import { adaptivePool } from './fields/adaptivePool.js';

export const adaptiveAvgPool2d = adaptivePool('adaptive_avg_pool2d', 2);
