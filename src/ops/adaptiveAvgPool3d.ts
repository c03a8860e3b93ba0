/** torch.nn.functional.adaptive_avg_pool3d: means of as many windows as the output has places; they may overlap. */
import { adaptivePool } from './fields/adaptivePool.js';

export const adaptiveAvgPool3d = adaptivePool('adaptive_avg_pool3d', 3);
