/** How many samples are in memory at once. */

/** About 32 MiB of input and output values in a block. */
const BLOCK_VALUES = 4 << 20;

export function blockRows(features: number): number {
  return Math.max(1, Math.floor(BLOCK_VALUES / Math.max(1, features)));
}

/** Samples [from, to) in blocks [start, end); features: values that are read and made of each. */
export function* blocks(
  from: number,
  to: number,
  features: number,
): Generator<readonly [start: number, end: number], void> {
  const rows = blockRows(features);
  for (let start = from; start < to; start += rows) yield [start, Math.min(to, start + rows)];
}
