/** torch.cumsum along an axis of a sample, of floats: it has no quantized kernel. */

import type { Op } from './op.js';
import { softmax } from './softmax.js';

export const cumsum: Op = { ...softmax, name: 'cumsum' };
