/** What other layers of an implementation do, tried in this one before what takes long. */
import { type Change, FREEDOM, type ProductChange, type ProductSetup } from '../setup.js';
import { isProductStudy } from '../study/study.js';
import { formsOf } from './arrangeable.js';
import { isOpenElsewhere, numberlessOf, stepsDone } from './before.js';
import { followed } from './followed.js';
import type { Search } from './phases.js';
import { mayPair } from './ranking.js';

export class AsOthers {
  private isDone = false;

  constructor(private readonly run: Search) {}

  /** Several things at once that layers before this one do. Whether no more is to be sought: they explain it, or it is as open as there. */
  areSame(): boolean {
    if (this.isDone) return false;
    this.isDone = true;
    const { study, causes, enumerated } = this.run;
    for (const { steps, rules } of stepsDone(study, causes, enumerated)) {
      if (rules.length > 0) this.run.estimateOn(steps, rules);
      else this.run.explains(steps);
    }
    this.inPlaceOfEach();
    const { refused } = this.run;
    // what one other layer does gives every value and is not shown: more layers may tell
    const isOpen = study.data.again ? refused.size > 0 : isOpenElsewhere(study, refused);
    return this.run.isSettled() || isOpen;
  }

  /** That, and one change more: where it stands beside two, no pair is left. */
  beside(): void {
    const { study, enumerated, found, isNoise } = this.run;
    if (!this.run.mayBeSeveral || (isNoise && !study.data.again)) return;
    for (const base of numberlessOf(study, enumerated)) {
      if (isNoise) this.inOrders(base);
      else {
        for (const change of this.run.offBase) this.explainsBeside(base, change);
        this.run.estimateOn(base);
      }
      if (found.length === 0) continue;
      this.inPlaceOfEach();
      return;
    }
  }

  /** Of values that follow nothing as it is declared: orders of weights and places that they follow. */
  private inOrders(base: readonly Change[]): void {
    const { study, causes } = this.run;
    if (!isProductStudy(study) || this.run.isStopped()) return;
    const ofPlaces = causes.filter(({ code }) => code === 'k-order');
    const forms = formsOf(study, causes, ofPlaces) as readonly ProductChange[];
    const orders = forms.filter(({ freedom }) => freedom === FREEDOM.none);
    const setupOf = (order: Change) => this.run.hypothesis([order]).setup as ProductSetup;
    for (const order of followed(study, orders, setupOf)) this.explainsBeside(base, order);
  }

  /** What those layers do may not be told here from another step. */
  private inPlaceOfEach(): void {
    for (const { changes } of [...this.run.found]) {
      const own = this.run.ownOf(changes);
      const rests = own.length > 1 ? own.map((change) => own.filter((other) => other !== change)) : [];
      for (const rest of rests) for (const change of this.run.offBase) this.explainsBeside(rest, change);
    }
  }

  private explainsBeside(base: readonly Change[], change: Change): void {
    if (base.every((own) => mayPair(this.run.study, own, change))) this.run.explains([...base, change]);
  }
}
