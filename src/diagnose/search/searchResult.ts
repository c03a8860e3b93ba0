import type { Change } from '../setup.js';
import type { SearchWork } from '../study/work.js';
import type { Hypothesis } from './ranking.js';

export interface SearchResult {
  /** Simplest first; all have the same number of causes. Empty: unexplained. */
  readonly explanations: readonly Hypothesis[];
  /** What gives every value and is not shown by them, by its causes as `keyOf` has them. */
  readonly refused: ReadonlyMap<string, readonly Change[]>;
  /** The single cause that leaves the fewest values of the probe, and not nearly all: of what is unexplained. */
  nearest(): Hypothesis | null;
  /** Whether sums were met from which what was observed may follow: of noise none are. */
  readonly hasMetSums: boolean;
  /** Hypotheses replayed or refuted. */
  readonly tried: number;
  /** Why not all were; null: they were. */
  readonly ended: SearchWork['ended'];
}
