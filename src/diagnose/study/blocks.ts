import type { LayerData, Scope } from './data.js';
import { DistinctRows } from './distinctRows.js';
import { pickRows, readBlocks } from './sample.js';

/** So many times the subset's rows are many. */
const MANY = 8;

/** All judged samples of a study, of which the subset is in memory. */
export class Blocks {
  /** All, where they are one block. */
  private whole: Scope | null = null;
  /** The same without the subset. */
  private rest: Scope | null = null;
  /** Of all blocks; null: not looked for yet, or too many. */
  private distinct: Scope | null = null;
  private mayBeAlike: boolean;
  /** Blocks that are the only one: what is computed for them is kept too. */
  private readonly kept = new Set<Scope>();

  constructor(
    private readonly data: LayerData,
    private readonly subset: Scope,
  ) {
    this.mayBeAlike = this.hasSmallSubset;
  }

  private get rows(): number {
    return this.data.to - this.data.from;
  }

  /** Leaving the subset out of millions of rows takes longer than judging it twice. */
  get hasSmallSubset(): boolean {
    return this.subset.samples.length * MANY < this.rows;
  }

  isKept(scope: Scope): boolean {
    return this.kept.has(scope);
  }

  /** Block by block; the subset itself where it is complete. */
  async *all(): AsyncGenerator<Scope> {
    if (this.whole || this.subset.samples.length === this.rows) {
      yield this.whole ?? this.subset;
      return;
    }
    for await (const scope of readBlocks(this.data)) {
      if (scope.samples.length === this.rows) this.whole = this.keep(scope);
      yield scope;
    }
  }

  /** Those that are not in the subset, or all. */
  async *others(): AsyncGenerator<Scope> {
    if (this.rest || this.hasSmallSubset) {
      yield* this.rest ? [this.rest] : this.all();
      return;
    }
    const known = new Set(this.subset.samples);
    for await (const block of this.all()) {
      const rows = [...block.samples.keys()].filter((row) => !known.has(block.samples[row]));
      const scope = rows.length === block.samples.length ? block : pickRows(block, rows, this.data.observed.width);
      if (block === this.whole) this.rest = this.keep(scope);
      if (rows.length > 0) yield scope;
    }
  }

  /** The same; of many, rows that are unlike all before them. */
  async *unlike(): AsyncGenerator<Scope> {
    if (this.distinct || !this.mayBeAlike) {
      yield* this.distinct ? [this.distinct] : this.others();
      return;
    }
    const rows = new DistinctRows(this.data.observed.width);
    for await (const block of this.all()) {
      const scope = rows.add(block);
      if (scope.samples.length > 0) yield scope;
    }
    this.note(rows);
  }

  /** One of those that read and hold the same; null: most of them are unlike all others, or there are not many. */
  async distinctRows(): Promise<Scope | null> {
    if (this.distinct || !this.mayBeAlike) return this.distinct;
    const rows = new DistinctRows(this.data.observed.width);
    for await (const block of this.all()) {
      rows.add(block);
      if (rows.isGivenUp) break;
    }
    this.note(rows);
    return this.distinct;
  }

  private note(rows: DistinctRows): void {
    this.mayBeAlike = !rows.isGivenUp;
    if (this.mayBeAlike) this.distinct = rows.all();
  }

  private keep(scope: Scope): Scope {
    this.kept.add(scope);
    return scope;
  }
}
