/** "sample 3, channel 4, at 1,2". */
export function place({ sample, channel, at }: { sample: number; channel: number; at?: readonly number[] }): string {
  return `sample ${sample}, channel ${channel}${at ? `, at ${at.join(',')}` : ''}`;
}
