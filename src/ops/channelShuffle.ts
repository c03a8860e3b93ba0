/** torch.nn.functional.channel_shuffle: [groups, channels / groups] channels change rows for columns. */
import { divided, moving } from './fields/layout.js';
import { factor } from './fields/window.js';

export const channelShuffle = moving<{ groups: number }>(
  'channel_shuffle',
  () => ({ groups: factor }),
  ({ groups }) => ({
    dims({ dims }) {
      const each = divided(dims[0], groups, 'channels');
      return typeof each === 'string' ? each : dims;
    },
    from: ([c, ...at], [channels]) => [(c % groups) * (channels / groups) + Math.floor(c / groups), ...at],
  }),
  { needs: ['groups'] },
);
