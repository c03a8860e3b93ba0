/** What a search tries, a phase each. */
import { hasCases } from '../alternatives/cases.js';
import { foreignKernels, unlikeSiblings } from '../alternatives/departures.js';
import { besideLosses } from '../alternatives/losses.js';
import { type Cause, isPossible } from '../cause.js';
import { firstsOfTwo } from '../estimate/firstOfTwo.js';
import { hiddenBy, jointChanges, zeroPointsNear } from '../estimate/joint.js';
import { causes, OF_ALL_CHANNELS } from '../registry.js';
import { applyChanges, type Change, FREEDOM, type ProductChange, type ProductSetup, type Setup } from '../setup.js';
import { isProductStudy, isTensorStudy, type Study } from '../study/study.js';
import { SearchWork } from '../study/work.js';
import { isInsideBound, withOpen } from './admitted.js';
import { arithmeticsOf, saturates, scriptsFirst, twoOrders } from './arrangeable.js';
import {
  eachRounding,
  known,
  leavingLittle,
  likeliestFirst,
  likeliestPairs,
  missesLess,
  refutedBySums,
} from './atOnce.js';
import { BaseSearch, isOfBase } from './baseSearch.js';
import { besideOrders } from './besideOrders.js';
import { Failed } from './failed.js';
import { isUnrelated } from './followed.js';
import { formsBeside, ordersAlone } from './formsBeside.js';
import { idleScripts, onOwnSteps } from './idleScripts.js';
import { inEachPart } from './parts.js';
import {
  asFreeAs,
  combine,
  explainsAlone,
  type Hypothesis,
  mayPair,
  needsNoNumber,
  simplest,
  subsetsBySize,
} from './ranking.js';
import { byRules } from './rules.js';
import type { SearchResult } from './searchResult.js';
import { endsAtClamps, fewestShown, Shown, weighed } from './shown.js';

const MOST_EXPLANATIONS = 12;
/** A pair of causes, and a number that is found where each value is made of one, need as many differing values to mean something. */
const FEWEST_DIFFERING = 3;
const always = () => true;

export class Search {
  readonly found: Hypothesis[] = [];
  private readonly shown: Shown;
  /** Those that this layer can have. */
  readonly causes: readonly Cause[];
  readonly enumerated: readonly Change[];
  readonly saturations: readonly Change[];
  private readonly estimated: Change[] = [];
  private readonly ofAll: readonly Cause[];
  readonly bases: BaseSearch | null;
  readonly work: SearchWork;
  private readonly isRefuted: (change: Change, beside: readonly Change[]) => boolean;
  /** Whether it changes something by itself: telling that it does not takes the whole subset, so that it is asked last. */
  private readonly isActive = known(
    (change: Change) => !this.study.sameOnSubset(this.hypothesis([change]).setup, this.hypothesis([]).setup),
  );
  private readonly setupOf = (changes: readonly Change[]) => this.hypothesis(changes).setup;
  private readonly failed: Failed;
  private paired: readonly Change[] | null = null;
  private isNear = false;
  private noise: boolean | null = null;
  private tried = 0;

  constructor(
    readonly study: Study,
    private readonly prefix: readonly Change[],
  ) {
    this.work = new SearchWork(study.data.work, 'float' in study.declared.steps && study.declared.steps.float !== null);
    this.failed = new Failed(study, (changes) => this.hypothesis(changes));
    this.causes = causes.filter((cause) => isPossible(cause, study));
    this.enumerated = this.causes.flatMap((cause) => (this.work.mayList() ? (cause.changes?.(study) ?? []) : []));
    this.shown = new Shown(study, this.enumerated);
    this.saturations = this.enumerated.filter(saturates);
    this.ofAll = this.causes.filter(({ code }) => OF_ALL_CHANNELS.includes(code));
    this.bases = BaseSearch.of(study, prefix);
    this.isRefuted = refutedBySums(study, this.setupOf);
  }

  /** What gives every value and is not shown by them. */
  get refused(): Shown['refused'] {
    return this.shown.refused;
  }

  /** Enough differs for more than one change without a number. */
  get mayBeSeveral(): boolean {
    return this.study.data.proven || hasCases(this.study, FEWEST_DIFFERING);
  }

  /** Tries a set on the probe, then on the subset; keeps it if it equals every value. isMeant: asked of what few values admit. */
  explains(changes: readonly Change[], isMeant = always): boolean {
    if (this.isStopped()) return false;
    this.tried++;
    this.work.tried();
    this.study.data.watch?.(this.tried);
    if (changes.length === 1 && this.bases?.refutes(changes[0])) return false;
    const hypothesis = this.hypothesis(changes);
    if (!this.study.mayFollow(hypothesis.setup)) return false;
    const agrees = this.study.agreesOnSubset(hypothesis.setup);
    if (!agrees) this.bases?.offer(changes, hypothesis.setup, isMeant);
    const isFound = agrees && isMeant() && this.shown.by(hypothesis);
    if (isFound) this.found.push(weighed(this.study, hypothesis));
    return isFound;
  }

  /** What explains as well as something that was found is to be known, whatever it takes. */
  isStopped(): boolean {
    return !this.isSettled() && this.work.isEnding(this.study.hasMetSums || this.isNear);
  }

  /** Whether its values follow nothing of what is declared. */
  get isNoise(): boolean {
    this.noise ??= isUnrelated(this.study, this.hypothesis([]).setup);
    return this.noise;
  }

  /** What alone leaves little: of whole values, which have no sums to tell it by, it shows that they are no noise. */
  private get nearly(): readonly Change[] {
    const leavesLittle = leavingLittle(this.study);
    const isNear = (change: Change) => !this.isStopped() && leavesLittle(this.setupOf([change]));
    return [...this.offBase, ...this.estimated].filter(isNear);
  }

  /** What failed next to borders between codes only: the same on other bases. */
  onOtherBases(): void {
    if (this.work.isSpent) return;
    const shows = (own: Hypothesis) => !this.isStopped() && this.shown.by(own);
    const found = this.bases?.explanations((changes) => shows(this.hypothesis(changes)));
    const all = found?.map((changes) => this.hypothesis(changes)) ?? [];
    this.found.push(...fewestShown(this.study, all, shows).map((each) => weighed(this.study, each)));
  }

  singles(): void {
    this.bases?.offer([]);
    const { setup } = this.hypothesis([]);
    for (const change of this.enumerated) if (!this.explains([change])) this.failed.add(change);
    // an estimated number is not believed beside an explanation that needs none
    const needsNone = needsNoNumber(this.found);
    for (const cause of this.causes) {
      if ((needsNone && !cause.parameterFree) || (this.isNoise && cause.afterSums)) continue;
      const changes = this.estimate(cause, setup, this.prefix.length > 0);
      this.estimated.push(...eachRounding(changes, setup));
      if (!changes.some((change) => this.explains([change])) && changes.length > 0) this.failed.add(changes[0]);
    }
  }

  /** A number that fits the declared base nearly may fit another: one that the data do not tell from it, or one that is named beside it. */
  estimatesOnOtherBases(): void {
    for (const script of needsNoNumber(this.found) ? [] : idleScripts(this.study)) {
      // what a kernel looks up or keeps as codes takes no part in it, and does in a script
      for (const change of onOwnSteps(this.study, this.enumerated)) this.explains([script, change]);
      if (!this.isSettled()) this.estimateOn([script], this.ofAll);
    }
    if (this.found.length > 0 || (this.isNoise && this.estimated.length === 0)) return;
    // what estimates nothing of noise does on none: bases part by less than an estimate takes for near
    const mayFind = ({ code }: Cause) => !this.isNoise || this.estimated.some(({ cause }) => cause === code);
    for (const kind of this.bases?.otherBiases ?? [])
      for (const changes of this.estimatesOn([kind], this.causes.filter(mayFind))) {
        const idle = this.bases!.idleAs(kind);
        changes.some((change) => this.explains(idle ? [idle, change] : [change]));
      }
  }

  /** What takes every sample to find, on the reference or on another accumulator. */
  async arranged(changes: readonly Change[]): Promise<void> {
    // of a stream of sums beside another change, as of any two, each such value tells one bit
    if (changes.length > 0 && endsAtClamps(this.study)) return;
    const base = this.hypothesis(changes);
    const asFree = asFreeAs([...this.found]);
    for (const cause of this.causes) {
      if (!cause.arrange) continue; // a turn of the event loop for each of the others was 2% of a search
      const change = await cause.arrange(this.study, base.setup);
      if (change) this.found.push({ changes: [...base.changes, asFree(change)], setup: change.apply(base.setup) });
    }
  }

  /** Kernels of other runtimes: those that explain everything, by the fewest of their departures that do. */
  wholeKernels(): void {
    if (!isProductStudy(this.study)) return; // fewer steps: each of them is tried as it is
    const fewest = this.isSettled() ? 1 : 3;
    for (const departures of foreignKernels(this.study)) {
      if (!this.study.agreesOnSubset(this.hypothesis(departures).setup)) continue;
      for (const subset of subsetsBySize(departures, fewest)) if (this.explains(subset)) break;
    }
  }

  /** Whether something simple is found; a number that moves ties only is not enough. */
  isSettled(): boolean {
    return this.found.some(({ changes }) => !changes.some(({ tiny }) => tiny));
  }

  /** Two numbers that have to be estimated together, after the sums. */
  joint(): void {
    const { setup } = this.hypothesis([]);
    if (!this.study.mayFollow(setup, true) || this.isStopped()) return;
    for (const alike of jointChanges(this.study, setup))
      if (alike.filter((changes) => this.explains(changes)).length > 0) return;
    for (const moved of zeroPointsNear(this.study))
      this.estimateOn(
        [moved],
        this.causes.filter(({ code }) => hiddenBy(moved).includes(code)),
      );
    if (this.found.length === 0) for (const first of firstsOfTwo(this.study)) this.estimateOn([first], this.ofAll);
  }

  /** What is paired: where steps of every runtime are possible, what is near beside a change is tried on every base. */
  get offBase(): readonly Change[] {
    const isOffBase = (change: Change) => !(this.bases && this.study.free && isOfBase(change));
    this.paired ??= likeliestFirst(this, this.enumerated.filter(isOffBase));
    return this.paired;
  }

  enumeratedPairs(isAmong: (a: Change, b: Change) => boolean = () => true): void {
    const steps = this.offBase;
    const isOpen = this.study.mayFollow(this.hypothesis([]).setup, true);
    for (const [a, b] of likeliestPairs(steps)) {
      if (this.isStopped()) return;
      if (!isAmong(a, b) || !mayPair(this.study, a, b) || this.isRefuted(a, [b]) || this.isRefuted(b, [a])) continue;
      const isMeant = () => this.isActive(a) || this.isActive(b);
      if (!isOpen || isMeant()) this.explains([a, b], isMeant);
    }
  }

  pairs(): void {
    // what is likeliest alone takes a replay of each: none where even what is met allows no pair
    if (!this.isSettled() && this.work.isEnding(true)) return;
    const ordered = besideOrders(this.study, this.causes, this.enumerated, this.setupOf);
    this.isNear = ordered.length > 0 || (isTensorStudy(this.study) && this.nearly.length > 0);
    if (this.isStopped() || ordered.filter((pair) => this.explains(pair)).length > 0) return;
    // floats show the arithmetic of a script, beside whatever else is wrong: that, and a number of all channels, comes first
    const [scripts, others] = this.study.data.dynamic ? scriptsFirst(this.offBase) : [[], []];
    const isNear = known((change: Change) => missesLess(this.study, this.setupOf([change]), this.setupOf([])));
    const isFirst = (a: Change, b: Change) => (scripts.includes(a) && isNear(b)) || (scripts.includes(b) && isNear(a));
    if (scripts.length > 0) this.enumeratedPairs(isFirst);
    // of a large layer the pairs without a number take all that a search may: what alone leaves little comes before them
    const most = this.study.data.dynamic ? [...scripts, ...others] : this.nearly;
    // what a network rounds by stands in each of its layers, beside whatever else is wrong in one
    const roundings = this.offBase.filter(({ coordinate }) => coordinate === 'round');
    const first = [...arithmeticsOf(this.study, this.offBase), ...roundings, ...most];
    const early = isTensorStudy(this.study) ? roundings : [];
    for (const base of early) this.estimateOnActive(base, this.ofAll);
    if (isTensorStudy(this.study)) this.enumeratedPairs((a, b) => most.includes(a) || most.includes(b));
    for (const base of first) if (!early.includes(base)) this.estimateOnActive(base, this.ofAll);
    const isOfAll = ({ freedom, cause }: Change) => freedom <= FREEDOM.oneNumber || cause === 'bias-missing';
    for (const base of this.estimated.filter(isOfAll)) this.estimateOn([base]); // few
    this.enumeratedPairs((a, b) => !isFirst(a, b));
    const rest = this.causes.filter((cause) => !this.ofAll.includes(cause));
    for (const base of this.offBase) this.estimateOnActive(base, first.includes(base) ? rest : this.causes);
    if (this.isStopped()) return;
    const estimated = (cause: Cause) => this.estimate(cause, this.hypothesis([]).setup, false);
    const alone = !this.isSettled() && isProductStudy(this.study) ? ordersAlone(this.causes, estimated) : [];
    // a number a channel takes back what an order and one number do
    if (!this.isSettled()) this.formsBesideNumbers(alone);
    if (this.found.length === 0) for (const two of twoOrders(alone)) this.explains(two);
    if (this.found.length > 0 || !this.study.free) return;
    const pairs = besideLosses(this.study, this.causes, this.enumerated, this.isRefuted);
    if (pairs.filter((pair) => this.explains(pair)).length > 0) return;
    for (const kind of this.bases?.otherKinds ?? []) {
      for (const base of this.offBase) this.estimateOnActive(base, this.ofAll, [kind]);
      const { setup } = this.hypothesis([kind]);
      for (const base of this.ofAll.flatMap((cause) => this.estimate(cause, setup, false).slice(0, 1)))
        this.estimateOn([base], this.causes, [kind]);
      if (this.bases?.hasNear) return;
    }
  }

  /** A scale that was found beside another change may be what a rule makes of the declared ones. */
  ruledNumbers(): void {
    const found = this.found.map(({ changes }) => this.ownOf(changes));
    for (const changes of byRules(this.study, this.causes, found, this.setupOf)) this.explains(changes);
  }

  /** Each form of a change beside numbers that hide it: orders that the observed values follow, the others one by one. */
  private formsBesideNumbers(alone: readonly ProductChange[]): void {
    const { study } = this;
    if (!isProductStudy(study)) return;
    const setupOf = (change: ProductChange) => this.setupOf([change]) as ProductSetup;
    for (const [change, isFew] of formsBeside(study, this.causes, alone, setupOf))
      this.estimateOn([change], isFew ? this.causes : this.ofAll);
  }

  /** The declared engine on another CPU, where float outputs show two of its steps, and one change more. */
  siblings(): void {
    if (!isProductStudy(this.study)) return;
    for (const base of unlikeSiblings(this.study, this.setupOf)) {
      for (const change of this.enumerated)
        if (base.every((own) => combine(own, change))) this.explains([...base, change]);
      this.estimateOn(base);
    }
    // a step may change nothing once the other number is right
    for (const { changes } of [...this.found]) {
      const own = this.ownOf(changes);
      for (const change of own) this.explains(own.filter((other) => other !== change));
    }
  }

  /** What happened in a part of the layer only, where all else is as declared, or as one change more makes it. */
  inParts(): void {
    if (isTensorStudy(this.study)) return; // its channels are features of a sample
    const isStopped = () => this.isStopped(); // what a part is takes a replay of all
    for (const part of inEachPart(this.study, this.saturations, this.enumerated, this.setupOf, isStopped)) {
      for (const changes of part) {
        if (this.isStopped()) return;
        this.explains(changes);
      }
      if (this.found.length > 0) return;
    }
    this.onOtherBases();
  }

  /** What would take back the rest of nearly any two changes, if all of those have been tried by now. */
  lastly(most = Number.POSITIVE_INFINITY): void {
    if (this.work.ended) return;
    for (const changes of this.causes.flatMap((cause) => cause.lastly?.(this.study) ?? []))
      if (changes.length <= most) this.explains(changes);
    this.ruledNumbers();
  }

  result(): SearchResult {
    // any exact sums lie in a float path's bound: more integer steps are the likelier
    const exact = this.found.filter(({ changes }) => !changes.some(isInsideBound));
    return {
      explanations: withOpen(this.study, this, simplest(this.study, exact.length > 0 ? exact : this.found)),
      nearest: () => this.failed.nearest(() => this.isStopped(), this.isNoise),
      refused: this.refused,
      hasMetSums: this.study.hasMetSums,
      tried: this.tried,
      ended: this.work.ended,
    };
  }

  /** On a base that changes nothing, estimates are those that failed alone. */
  private estimateOnActive(base: Change, among = this.causes, on: readonly Change[] = []): void {
    this.estimateOn([base], among, on, () => this.isActive(base));
  }

  estimateOn(base: readonly Change[], among = this.causes, on: readonly Change[] = [], isMeant = always): void {
    for (const changes of this.estimatesOn(base, among, on, isMeant))
      changes.some((change) => this.explains([...base, change], isMeant) || this.isOfBoth([...base, change]));
  }

  /** Gives every value, and a part of it is not needed: another number of the same interval would make the ties that need it. */
  private isOfBoth(changes: readonly Change[]): boolean {
    const { found } = changes.at(-1)!;
    return found !== undefined && 'interval' in found && this.study.agreesOnSubset(this.setupOf(changes));
  }

  /**
   * What estimators find on the sums and parameters of other changes, a cause at a time; on: a base on which numbers are estimated, to be
   * found on any. Whether the base is meant is asked last where nothing takes its sums to what was observed: of noise few are left.
   */
  private *estimatesOn(base: readonly Change[], among = this.causes, on: readonly Change[] = [], isMeant = always) {
    if (this.isStopped()) return;
    const { setup } = this.hypothesis([...on, ...base]);
    const isOpen = this.study.mayFollow(setup, true);
    if (isOpen && !isMeant()) return;
    const onEstimate = base.some((change) => change.freedom > FREEDOM.none);
    for (const cause of among) {
      if (base.some((change) => change.cause === cause.code) || this.found.length >= MOST_EXPLANATIONS) continue;
      if (base.length > 0 && explainsAlone(this.found, cause.code)) continue;
      if (cause.afterSums && !isOpen) continue;
      const changes = this.estimate(cause, setup, onEstimate).filter(
        (change) => !this.isRefuted(change, [...on, ...base]) && base.every((own) => mayPair(this.study, own, change)),
      );
      if (changes.length > 0) yield changes;
    }
  }

  private estimate(cause: Cause, base: Setup, onEstimate: boolean): Change[] {
    if (!cause.estimate) return [];
    if (this.isStopped() || !this.work.mayEstimate(this.study.subset.observed.length, this.study.channels)) return [];
    const changes = cause.estimate(this.study, base, onEstimate);
    // what is found by channel, or by the codes of a table, has guards of its own
    const mayBe = ({ freedom, channels, ruled }: Change) =>
      ruled !== undefined || // other layers may show the rule
      freedom === FREEDOM.none ||
      freedom === FREEDOM.numberPerChannel ||
      (isProductStudy(this.study) && channels);
    return this.mayBeSeveral ? changes : changes.filter(mayBe);
  }

  /** Without what other layers have proven of its numbers. */
  ownOf(changes: readonly Change[]): readonly Change[] {
    return changes.slice(this.prefix.length);
  }

  hypothesis(changes: readonly Change[]): Hypothesis {
    const all = [...this.prefix, ...changes];
    return { changes: all, setup: applyChanges(this.study.declared, all) };
  }
}
