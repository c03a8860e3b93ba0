import type { Hypothesis } from './ranking.js';
import type { Study } from './study/study.js';

/** Single causes that do not explain. */
export class Failed {
  private readonly left: Hypothesis[] = [];
  /** Of those that were looked at. */
  private best: { readonly hypothesis: Hypothesis; readonly mismatches: number } | null = null;

  constructor(private readonly study: Study) {}

  add(hypothesis: Hypothesis): void {
    this.left.push(hypothesis);
  }

  /** Looked for where no single cause explains, as far as the search may go: of a value joined of 1000 there are thousands. */
  nearest(isStopped: () => boolean): Hypothesis | null {
    for (const hypothesis of this.left.splice(0)) {
      if (this.best && isStopped()) break;
      const mismatches = this.study.mismatches(hypothesis.setup, this.study.probe);
      if (!this.best || mismatches < this.best.mismatches) this.best = { hypothesis, mismatches };
    }
    return this.best?.hypothesis ?? null;
  }
}
