/** What zero points add to sums is made of the weights of each channel, and taken from a table: the entry of another channel. */
import { type Index, indices } from '../estimate/permutation.js';
import { weightSums } from '../estimate/view.js';
import { type Carried, FREEDOM, type ProductChange, withSteps } from '../setup.js';
import type { ProductStudy } from '../study/study.js';

/** Fewer channels are moved so by other biases as well. */
const FEWEST_CHANNELS = 4;

/** Beside others no reason is known for it: tried alone. */
export function sharesOfOthers(study: ProductStudy): ProductChange[] {
  const { declared, channels, data, free } = study;
  const { zeroPoint } = declared.params.input;
  if (!free || data.dynamic || zeroPoint === 0 || channels < FEWEST_CHANNELS) return [];
  // within a channel values rise with their sums, whatever is added there
  if (!study.mayFollow(declared, true)) return [];
  const sums = weightSums(declared, channels);
  const ways: Index[] = [
    { by: 'the channel before', from: (n) => (n + channels - 1) % channels },
    { by: 'the channel after', from: (n) => (n + 1) % channels },
    { by: 'channel 0', from: () => 0 },
    { by: 'the channel as far from the end', from: (n) => channels - 1 - n },
    ...indices(channels).map(({ by, from }) => ({ by: `channel ${by}`, from })),
  ];
  return ways
    .map(({ by, from }): ProductChange => {
      const carried: Carried = {
        name: `share of ${by}`,
        inChannel: (n, samples) => new Float64Array(samples.length).fill(zeroPoint * (sums[n] - sums[from(n)])),
      };
      return {
        cause: 'activation-zero-point-missing',
        coordinate: 'x_zero_point',
        freedom: FREEDOM.none,
        label: carried.name,
        found: { zero_point: zeroPoint, share_of: by },
        apply: (setup) => ({ ...withSteps(setup, {}), carried }),
      };
    })
    .filter((change) => study.agreesOnSubset(change.apply(declared)));
}
