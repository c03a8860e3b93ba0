/** What layers before one are found to do: an implementation does the same in each. */
import type { Cause } from '../cause.js';
import type { LayerDiagnosis } from '../finding/explanation.js';
import type { Change } from '../setup.js';
import type { DoneElsewhere } from '../study/data.js';
import type { Study } from '../study/study.js';
import { isOfAnyLayer, sameIn } from './anyLayer.js';
import { causesOf, keyOf } from './ranking.js';

/** Sets of changes, tried in each layer. */
const MOST_KEPT = 8;
/** Of the layers before: what is found in fewer is a mistake of theirs. */
const FEWEST = 1 / 4;

/** Layers that are left open for the sake of all. */
const MOST_OPEN = 32;

export class DoneBefore {
  private readonly explained = new Map<string, { readonly set: readonly Change[]; layers: number }>();
  private readonly refused = new Map<string, readonly Change[]>();
  private layers = 0;
  private open = 0;

  remember({ changes, others = [], refused }: Pick<LayerDiagnosis, 'changes' | 'others' | 'refused'>): void {
    if (changes.length > 0) this.layers++;
    for (const own of [...others, changes].filter(isOfAnyLayer)) {
      const set = own.map((change) => ({ ...change, label: change.ruled?.own[0] ?? change.label }));
      const name = set.map(({ cause, label }) => `${cause} ${label}`).join();
      const { layers = 0 } = this.explained.get(name) ?? {};
      this.explained.delete(name); // said again, it is the last
      this.explained.set(name, { set, layers: layers + 1 });
    }
    if (this.isKnownOpen(refused)) this.open++;
    for (const [causes, set] of refused ?? []) if (isOfAnyLayer(set)) this.refused.set(causes, set);
  }

  /** Whether other layers leave the same open: all together may show it, which so many do if any. */
  isOpenIn({ refused }: Pick<LayerDiagnosis, 'refused'>): boolean {
    return this.open < MOST_OPEN && this.isKnownOpen(refused);
  }

  private isKnownOpen(refused: LayerDiagnosis['refused']): boolean {
    return [...(refused?.keys() ?? [])].some((causes) => this.refused.has(causes));
  }

  /** The first that is open. */
  isFirst({ refused }: Pick<LayerDiagnosis, 'refused'>): boolean {
    return refused !== undefined && this.refused.size === 0;
  }

  /** What explains layers, the last first; and what would, were their values not too few to show it. */
  get sets(): DoneElsewhere {
    const explained = [...this.explained.values()].filter(({ layers }) => layers >= FEWEST * this.layers);
    const often = explained.filter(({ layers }) => layers > 1);
    return {
      shown: lastOf(explained.map(({ set }) => set)),
      often: lastOf(often.map(({ set }) => set)),
      open: lastOf([...this.refused.values()]),
    };
  }
}

function lastOf(sets: (readonly Change[])[]): (readonly Change[])[] {
  return sets.reverse().slice(0, MOST_KEPT);
}

/** A set's changes by this layer's own numbers, without those that follow from a rule, and the causes of these. */
interface StepsDone {
  readonly steps: readonly Change[];
  readonly rules: readonly Cause[];
}

/** What layers before this one do. */
export function stepsDone(study: Study, causes: readonly Cause[], enumerated: readonly Change[]): StepsDone[] {
  const { shown = [], open = [] } = study.data.before ?? {};
  return [...shown, ...open].flatMap((set) => {
    const steps = sameIn(
      study,
      set.filter(({ ruled }) => !ruled),
      enumerated,
    );
    const rules = causes.filter(({ code }) => set.some(({ cause, ruled }) => ruled && cause === code));
    return steps ? [{ steps, rules }] : [];
  });
}

/** What explains layers before this one, by its own numbers. */
export function numberlessOf(study: Study, enumerated: readonly Change[]): (readonly Change[])[] {
  return (study.data.before?.shown ?? []).flatMap((set) => {
    const own = sameIn(study, set, enumerated);
    return own ? [own] : [];
  });
}

/** Whether what few values do not show is what those of layers before it do not show either. */
export function isOpenElsewhere(study: Study, refused: ReadonlyMap<string, unknown>): boolean {
  return (study.data.before?.open ?? []).some((changes) => refused.has(keyOf(causesOf({ changes }))));
}
