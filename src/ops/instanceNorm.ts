/** torch.nn.functional.instance_norm by the input's own numbers: each channel normalized over its places. */
import { groupNormalized } from './fields/groupNorm.js';

export const instanceNorm = groupNormalized('instance_norm', {}, () => null);
