/** What layers before one are found to do: an implementation does the same in each. */
import type { LayerDiagnosis } from '../finding/explanation.js';
import type { Change } from '../setup.js';
import type { Study } from '../study/study.js';
import { isOfAnyLayer, sameIn } from './anyLayer.js';

/** Sets of changes, tried in each layer. */
const MOST_KEPT = 8;

/** Sets of changes that explained layers, the last first. */
export class DoneBefore {
  private readonly byName = new Map<string, readonly Change[]>();

  remember({ changes, others = [] }: Pick<LayerDiagnosis, 'changes' | 'others'>): void {
    for (const set of [...others, changes].filter(isOfAnyLayer)) {
      const name = set.map(({ cause, label }) => `${cause} ${label}`).join();
      this.byName.delete(name); // said again, it is the last
      this.byName.set(name, set);
    }
  }

  get sets(): readonly (readonly Change[])[] {
    return [...this.byName.values()].reverse().slice(0, MOST_KEPT);
  }
}

/** The same in another layer, by its own numbers; what it cannot have is left out. */
export function asIn(study: Study, sets: readonly (readonly Change[])[]): Change[][] {
  return sets
    .map((set) => set.flatMap((change) => sameIn(study, change) ?? []))
    .filter((own, i) => own.length === sets[i].length);
}
