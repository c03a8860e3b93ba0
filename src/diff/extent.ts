/** How much of a layer or channel differs, against how much did before: for baselines and for two reports. */

export interface Extent {
  readonly mismatched: number;
  readonly max_abs_diff: number;
}

export const NOTHING: Extent = { mismatched: 0, max_abs_diff: 0 };

/** More values, or by more. */
export function isLarger(a: Extent, b: Extent): boolean {
  return a.mismatched > b.mismatched || a.max_abs_diff > b.max_abs_diff;
}

export interface ChannelChange {
  readonly channel: number;
  readonly before: Extent;
  readonly after: Extent;
}

/** Channels that are larger than before in any way; and of the others those that are smaller. By channel. */
export function channelChanges(before: ReadonlyMap<number, Extent>, after: ReadonlyMap<number, Extent>) {
  const channels = [...new Set([...before.keys(), ...after.keys()])]
    .sort((a, b) => a - b)
    .map((channel) => ({ channel, before: before.get(channel) ?? NOTHING, after: after.get(channel) ?? NOTHING }));
  return {
    larger: channels.filter((c) => isLarger(c.after, c.before)),
    smaller: channels.filter((c) => isLarger(c.before, c.after) && !isLarger(c.after, c.before)),
  };
}

/** Channels that a change lists; the rest is counted. */
const MOST_CHANNELS = 256;

/** The worst of them, still by channel: by how much the values differ on either side, then by how many. */
export function worstChanges(changes: readonly ChannelChange[]): ChannelChange[] {
  const worst = [...changes].sort(
    (a, b) =>
      descending(size(a, 'max_abs_diff'), size(b, 'max_abs_diff')) ||
      descending(size(a, 'mismatched'), size(b, 'mismatched')) ||
      a.channel - b.channel,
  );
  return worst.slice(0, MOST_CHANNELS).sort((a, b) => a.channel - b.channel);
}

function size({ before, after }: ChannelChange, field: keyof Extent): number {
  return Math.max(before[field], after[field]);
}

function descending(a: number, b: number): number {
  return a === b ? 0 : b > a ? 1 : -1; // Infinity - Infinity is NaN
}
