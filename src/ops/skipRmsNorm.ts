/** ONNX Runtime's SkipSimplifiedLayerNormalization: rms_norm of the sum of what it reads, a bias among it. */
import { summedFirst } from './fields/summedFirst.js';
import { rmsNorm } from './rmsNorm.js';

export const skipRmsNorm = summedFirst('skip_rms_norm', rmsNorm, 3);
