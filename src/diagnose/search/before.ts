/** What layers before one are found to do: an implementation does the same in each. */
import type { Cause } from '../cause.js';
import type { LayerDiagnosis } from '../finding/explanation.js';
import type { Change } from '../setup.js';
import type { DoneElsewhere } from '../study/data.js';
import type { Study } from '../study/study.js';
import { isOfAnyLayer, sameIn } from './anyLayer.js';
import { causesOf, keyOf, nameOf } from './ranking.js';

/** Sets of changes, tried in each layer. */
const MOST_KEPT = 8;
/** Of the layers before: what is found in fewer is a mistake of theirs. */
const FEWEST = 1 / 4;

/** Layers that do several things, before what others do besides is known: with two a small network of such layers took over 2 s. */
const FIRST = 1;
/** Layers that are left open for the sake of all. */
const MOST_OPEN = 32;

type Remembered = Pick<LayerDiagnosis, 'changes' | 'others' | 'refused' | 'isNear'>;

interface Done {
  readonly set: readonly Change[];
  readonly layers: number;
  /** Whether it is the plainest rule of some layer. */
  readonly isFirst: boolean;
}

export class DoneBefore {
  private readonly explained = new Map<string, Done>();
  private readonly refused = new Map<string, readonly Change[]>();
  private layers = 0;
  private open = 0;
  private readonly near: string[] = [];

  remember(name: string, { changes, others = [], refused, isNear }: Remembered): void {
    if (changes.length > 0) this.layers++;
    if (isNear && !this.near.includes(name)) this.near.push(name);
    for (const own of [...others, changes].filter(isOfAnyLayer)) {
      // k of a power of two more is the same number: which of them is the rule another layer tells
      const [rule, ...rules] = own.find(({ ruled }) => ruled)?.ruled?.own ?? [''];
      for (const other of rules) this.add(own, other, false);
      this.add(own, rule, true);
    }
    if (this.isKnownOpen(refused)) this.open++;
    for (const [causes, set] of refused ?? []) if (isOfAnyLayer(set)) this.refused.set(causes, set);
  }

  private add(changes: readonly Change[], rule: string, isFirst: boolean): void {
    const set = changes.map((change) => (change.ruled && rule !== '' ? { ...change, label: rule } : change));
    const name = set.map(nameOf).join();
    const known = this.explained.get(name);
    this.explained.delete(name); // said again, it is the last
    this.explained.set(name, { set, layers: (known?.layers ?? 0) + 1, isFirst: isFirst || known?.isFirst === true });
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

  /** One of the first that nothing explains, though it is no noise. */
  isFirstNear(name: string): boolean {
    return this.near.slice(0, FIRST).includes(name);
  }

  private isOften({ layers }: Done): boolean {
    return layers >= FEWEST * this.layers;
  }

  /** What explains layers, the last first; and what would, were their values not too few to show it. */
  get sets(): DoneElsewhere {
    const all = [...this.explained.values()];
    const several = all.filter(({ layers }) => layers > 1).sort((a, b) => a.layers - b.layers);
    const explained = all.filter((done) => this.isOften(done));
    const often = several.filter((done) => this.isOften(done));
    const shown = explained.filter(({ isFirst }) => isFirst);
    return {
      shown: lastOf(shown.map(({ set }) => set)),
      often: lastOf(often.map(({ set }) => set)),
      several: lastOf(several.map(({ set }) => set)),
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

/** What explains the other side of this layer, and layers before it, by its own numbers. */
export function numberlessOf(study: Study, enumerated: readonly Change[]): (readonly Change[])[] {
  const { met, before } = study.data;
  const ofOther = met && isOfAnyLayer(met.changes) ? [met.changes] : [];
  return [...ofOther, ...(before?.shown ?? [])].flatMap((set) => {
    const own = sameIn(study, set, enumerated);
    return own ? [own] : [];
  });
}

/** Whether what few values do not show is what those of layers before it do not show either. */
export function isOpenElsewhere(study: Study, refused: ReadonlyMap<string, unknown>): boolean {
  return (study.data.before?.open ?? []).some((changes) => refused.has(keyOf(causesOf({ changes }))));
}
