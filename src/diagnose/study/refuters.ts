import type { Scope } from './data.js';
import { gridOf } from './sample.js';

/** Rows, and channels, of which the grid is kept: some hundred values. */
const MOST = 24;

/** Where hypotheses failed that the probe had admitted: others that are like them fail there too, and cost next to nothing. */
export class Refuters {
  private readonly rows = new Set<number>();
  private readonly channels = new Set<number>();
  private made: Scope | null = null;

  constructor(
    private readonly subset: Scope,
    private readonly width: number,
  ) {}

  /** Null: nothing failed yet. */
  get scope(): Scope | null {
    return this.made;
  }

  /** Value i of the subset refuted one. */
  add(i: number): void {
    if (Math.max(this.rows.size, this.channels.size) >= MOST) return;
    this.rows.add(Math.floor(i / this.width));
    this.channels.add(i % this.width);
    // one channel's scale would be taken for the whole layer's, of which some kernels make another multiplier
    this.channels.add((i + 1) % this.width);
    const sorted = (places: ReadonlySet<number>) => [...places].sort((a, b) => a - b);
    this.made = gridOf(this.subset, sorted(this.rows), sorted(this.channels), this.width);
  }
}
