/** Ranges that are listed; the count is of all samples. */
const MOST_RANGES = 32;

/** Samples that differ, in ascending order, as half-open ranges: `35:42` as --samples takes it. */
export class SampleRanges {
  count = 0;
  private readonly ranges: { from: number; to: number }[] = [];
  private last = -1;

  /** The same sample may come several times in a row. */
  add(sample: number): void {
    if (sample === this.last) return;
    this.last = sample;
    this.count++;
    const range = this.ranges.at(-1);
    if (range?.to === sample) range.to++;
    else if (this.ranges.length < MOST_RANGES) this.ranges.push({ from: sample, to: sample + 1 });
  }

  /** The first ones. */
  listed(): string[] {
    return this.ranges.map(({ from, to }) => `${from}:${to}`);
  }
}
