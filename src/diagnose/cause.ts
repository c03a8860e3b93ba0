import type { CauseCode, CauseEvidence } from './evidence.js';
import type { Change, Setup } from './setup.js';
import type { Study } from './study.js';

/** What a finding's evidence is drawn from: the layer, and the hypothesis with and without this cause's change. */
export interface Found {
  readonly study: Study;
  readonly change: Change;
  /** All changes applied. */
  readonly setup: Setup;
  /** All but this one: what the cause makes of it is the difference. */
  readonly without: Setup;
}

/** A cause of CAUSES.md for linear layers: which changes are worth trying, and the evidence once one is proven. */
export interface Cause<C extends CauseCode = CauseCode> {
  readonly code: C;
  /** Changes without a number found in the data. */
  changes?(study: Study): Change[];
  /** Its estimates count as parameter-free: tried even where an enumerated change explains everything already. */
  readonly parameterFree?: true;
  /** Changes whose numbers are estimated from the data, on top of `base`; onEstimate: base holds an estimate already. Each is still to be verified by replay. */
  estimate?(study: Study, base: Setup, onEstimate: boolean): Change[];
  /** Data that a person can check by hand; `change.found` is merged into it. */
  evidence?(found: Found): CauseEvidence[C];
}
