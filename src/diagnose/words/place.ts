/** "sample 3, channel 4, at 1,2". */
export function place({ sample, channel, at }: { sample: number; channel: number; at?: readonly number[] }): string {
  return `sample ${sample}, channel ${channel}${at && at.length > 0 ? `, at ${at.join(',')}` : ''}`;
}

/** "channel 3", "channels 11 to 15", "channels 3, 7 and 9": ascending. */
export function channelsText(channels: readonly number[]): string {
  const [first, last] = [channels[0], channels.at(-1)!];
  if (channels.length === 1) return `channel ${first}`;
  if (channels.length > 2 && last - first === channels.length - 1) return `channels ${first} to ${last}`;
  if (channels.length > 6) return `channels ${channels.slice(0, 5).join(', ')} and ${channels.length - 5} more`;
  return `channels ${channels.slice(0, -1).join(', ')} and ${last}`;
}
