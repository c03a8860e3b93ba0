/** torch.nn.functional.group_norm: channels in groups, each normalized over its places. */
import { groupNormalized } from './fields/groupNorm.js';
import { factor } from './fields/window.js';

export const groupNorm = groupNormalized(
  'group_norm',
  { num_groups: factor },
  ({ fields }) => fields!.num_groups as number,
);
