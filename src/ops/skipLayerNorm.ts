/** ONNX Runtime's SkipLayerNormalization: layer_norm of the sum of what it reads, a bias among it. */
import { summedFirst } from './fields/summedFirst.js';
import { layerNorm } from './layerNorm.js';

export const skipLayerNorm = summedFirst('skip_layer_norm', layerNorm, 3);
