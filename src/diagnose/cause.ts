import type { CauseCode, CauseEvidence } from './finding/evidence.js';
import { applyChanges, type Change, type Kind, type Setup, type SetupOf } from './setup.js';
import type { Study } from './study/study.js';
import type { CauseWords } from './words/causeWords.js';

/** What a finding's evidence is drawn from: the layer, and the hypothesis with and without this cause's change. */
export interface Found<K extends Kind = Kind> {
  readonly study: Study<K>;
  readonly change: Change;
  /** All changes applied. */
  readonly setup: SetupOf<K>;
  /** All but this one: what the cause makes of it is the difference. */
  readonly without: SetupOf<K>;
}

/** By one change of a hypothesis. */
export function foundBy(
  study: Study,
  { changes, setup }: { changes: readonly Change[]; setup: Setup },
  change: Change,
): Found {
  const others = changes.filter((other) => other !== change);
  return { study, change, setup, without: applyChanges(study.declared, others) };
}

/** Something that has to hold of a layer for a cause to be possible; `facts.ts` has those that several causes need. */
export type Fact = (study: Study) => boolean;

/** A cause of CAUSES.md: where it can be, whose it is, which changes are worth trying, and the evidence once one is proven. */
export interface Cause<C extends CauseCode = CauseCode, K extends Kind = Kind> {
  readonly code: C;
  /** The kinds of form that it can happen to. */
  readonly kinds: readonly K[];
  /** All of these have to hold. */
  readonly needs?: readonly Fact[];
  /**
   * Whose it is on the capture's side: a step of the kernel that made it, how or where values were taken, or a number of the
   * model file. On the candidate's side all is the candidate's.
   */
  readonly whose: 'kernel' | 'capture' | 'model';
  /** Changes without a number found in the data. */
  changes?(study: Study<K>): Change<SetupOf<K>>[];
  /** Each way in which it can happen, whether or not the data admit it alone: beside it a number may be wrong. */
  forms?(study: Study<K>): Change<SetupOf<K>>[];
  /**
   * What a scale may be by a rule, and not by chance: tried in place of one that was found on top of `base`.
   * mayBe: by its ratio to the declared number
   */
  rules?(study: Study<K>, base: SetupOf<K>, mayBe: (ratio: number) => boolean): Change<SetupOf<K>>[];
  /** What a rule makes of this layer's numbers, by the label that it has in another; whether the values admit it is not asked. */
  byRule?(study: Study<K>, base: SetupOf<K>, label: string): Change<SetupOf<K>> | undefined;
  /** Its estimates count as parameter-free: tried even where an enumerated change explains everything already. */
  readonly parameterFree?: true;
  /** Its estimates move what comes after a product's sums: nothing is estimated where that cannot give what was observed. */
  readonly afterSums?: true;
  /** What its change puts in place of steps shows in no formula: its own words say all of it. */
  readonly ownWords?: true;
  /** Changes whose numbers are estimated from the data, on top of `base`; onEstimate: base holds an estimate already. Each is still to be verified by replay. */
  estimate?(study: Study<K>, base: SetupOf<K>, onEstimate: boolean): Change<SetupOf<K>>[];
  /** What so few values cannot show, but admit: listed beside what is named, never named itself. */
  admits?(study: Study<K>): Change<SetupOf<K>>[];
  /** What of this cause another's change may stand for, as it gives the same or nearly, alone or beside another: told beside it where it does. */
  twinsOf?(study: Study<K>, other: Change): (Change<SetupOf<K>> | readonly Change<SetupOf<K>>[])[];
  /** Where nothing else explains: what takes a number for every channel, alone and beside one for all of them. */
  lastly?(study: Study<K>): Change<SetupOf<K>>[][];
  /** A change that takes every sample to find: asked where nothing else explains. It is proven by being found. */
  arrange?(study: Study<K>, base: SetupOf<K>): Promise<Change<SetupOf<K>> | null>;
  /** Whether what it needs took place in the data: a sum that leaves its width, ... Absent: a changed value shows it. */
  shows?(found: Found<K>): boolean;
  /** Of a number by a rule, alone: how likely one of the rule's numbers gives what is observed by chance. */
  chance?(found: Found<K>): number;
  /** Data that a person can check by hand; `change.found` is merged into it. */
  evidence?(found: Found<K>): CauseEvidence[C];
  /** Everything that is said of it. */
  readonly words: CauseWords<CauseEvidence[C]>;
}

export function isPossible({ kinds, needs = [] }: Cause, study: Study): boolean {
  return kinds.includes(study.declared.kind) && needs.every((holds) => holds(study));
}
