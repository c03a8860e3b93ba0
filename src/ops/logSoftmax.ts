/** torch.nn.functional.log_softmax along an axis of a sample, of floats: it has no quantized kernel. */

import type { Op } from './op.js';
import { softmax } from './softmax.js';

export const logSoftmax: Op = { ...softmax, name: 'log_softmax' };
