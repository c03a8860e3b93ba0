import type { SearchWork } from '../study/work.js';
import type { Hypothesis } from './ranking.js';

export interface SearchResult {
  /** Simplest first; all have the same number of causes. Empty: unexplained. */
  readonly explanations: readonly Hypothesis[];
  /** Sets of causes, as `keyOf` has them, that give every value and are not shown by them. */
  readonly refused: ReadonlySet<string>;
  /** The single cause that leaves the fewest values of the probe, and not nearly all: of what is unexplained. */
  nearest(): Hypothesis | null;
  /** Hypotheses replayed or refuted. */
  readonly tried: number;
  /** Why not all were; null: they were. */
  readonly ended: SearchWork['ended'];
}
