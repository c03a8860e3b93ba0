import type { Change } from '../setup.js';
import { type Part, partOf } from '../study/part.js';
import { isProductStudy, type Study } from '../study/study.js';
import type { Hypothesis } from './ranking.js';

/** Of what the probe misses so much at the least is to be taken away: what leaves nearly all is not near, and takes as long to count. */
const NEAR = 1 / 16;

/** Single causes that do not explain. */
export class Failed {
  private readonly left: Change[] = [];
  /** Of those that were looked at. */
  private best: { readonly change: Change; readonly mismatches: number } | null = null;
  /** Where it stands for what a change makes of the layer: all weights in another order take as long as the rest. */
  private readonly part: Part | null;
  /** At a glance, as declared. */
  private missed: number | null = null;

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

  /**
   * Looked for where no single cause explains, as far as the search may go: of a value joined of 1000 there are thousands. Of noise what
   * comes after the sums is as near as chance has it.
   */
  nearest(isStopped: () => boolean, isNoise: boolean): Hypothesis | null {
    const base = this.hypothesis([]).setup;
    for (const change of this.left.splice(0)) {
      if (this.best && isStopped()) break;
      if (isNoise && !change.weightsOf && this.study.sameSums(this.hypothesis([change]).setup, base)) continue;
      const mismatches = this.mismatches(change);
      if (mismatches === null) continue;
      if (!this.best || mismatches < this.best.mismatches) this.best = { change, mismatches };
    }
    if (!this.best) return null;
    const { study, best } = this;
    const missed = study.mismatches(study.declared, study.probe);
    return missed - best.mismatches < NEAR * missed ? null : this.hypothesis([best.change]);
  }

  /** Not one value of a glance is gained, which was made when the change was tried: the more of the probe takes as long as the rest of the search. */
  private isFar({ setup }: Hypothesis): boolean {
    const { glance, declared } = this.study;
    if (!glance || setup.order) return false;
    this.missed ??= this.study.mismatches(declared, glance);
    return this.missed >= glance.observed.length / 2 && this.study.mismatches(setup, glance) >= this.missed;
  }

  /** Null: far from it. */
  private mismatches(change: Change): number | null {
    const { study, part } = this;
    if (part && change.weightsOf) return study.mismatches(part.setupOf(change.weightsOf), part.scope);
    const hypothesis = this.hypothesis([change]);
    return this.isFar(hypothesis) ? null : study.mismatches(hypothesis.setup, study.probe);
  }
}
