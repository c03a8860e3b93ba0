import type { Hypothesis } from './ranking.js';
import type { Change } from './setup.js';
import { type Part, partOf } from './study/part.js';
import { isProductStudy, type Study } from './study/study.js';

/** Single causes that do not explain. */
export class Failed {
  private readonly left: Change[] = [];
  /** Of those that were looked at. */
  private best: { readonly change: Change; readonly mismatches: number } | null = null;
  /** Where it stands for what a change makes of the layer: all weights in another order take as long as the rest. */
  private readonly part: Part | null;

  constructor(
    private readonly study: Study,
    private readonly hypothesis: (changes: readonly Change[]) => Hypothesis,
  ) {
    const isDeclared = hypothesis([]).setup === study.declared;
    this.part = isDeclared && isProductStudy(study) ? partOf(study, study.probe) : null;
  }

  add(change: Change): void {
    this.left.push(change);
  }

  /** Looked for where no single cause explains, as far as the search may go: of a value joined of 1000 there are thousands. */
  nearest(isStopped: () => boolean): Hypothesis | null {
    for (const change of this.left.splice(0)) {
      if (this.best && isStopped()) break;
      const mismatches = this.mismatches(change);
      if (!this.best || mismatches < this.best.mismatches) this.best = { change, mismatches };
    }
    return this.best && this.hypothesis([this.best.change]);
  }

  private mismatches(change: Change): number {
    const { study, part } = this;
    if (part && change.weightsOf) return study.mismatches(part.setupOf(change.weightsOf), part.scope);
    return study.mismatches(this.hypothesis([change]).setup, study.probe);
  }
}
