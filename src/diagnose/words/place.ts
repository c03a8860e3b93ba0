/** "sample 3, channel 4, at 1,2". */
export function place({ sample, channel, at }: { sample: number; channel: number; at?: readonly number[] }): string {
  return `sample ${sample}, channel ${channel}${at && at.length > 0 ? `, at ${at.join(',')}` : ''}`;
}

/** "channel 3", "channels 11 to 15", "channels 3, 7 and 9": ascending. */
export function unitsText(noun: string, units: readonly number[]): string {
  const [first, last] = [units[0], units.at(-1)!];
  if (units.length === 1) return `${noun} ${first}`;
  if (units.length > 2 && last - first === units.length - 1) return `${noun}s ${first} to ${last}`;
  if (units.length > 6) return `${noun}s ${units.slice(0, 5).join(', ')} and ${units.length - 5} more`;
  return `${noun}s ${units.slice(0, -1).join(', ')} and ${last}`;
}
