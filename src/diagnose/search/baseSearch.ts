import { isInt32Bias } from '../alternatives/departures.js';
import { roundsTwice } from '../estimate/view.js';
import { standsOnBases } from '../facts.js';
import { applyChanges, type Change, type ProductChange, type ProductSetup, type Setup } from '../setup.js';
import { addedIn } from '../study/added.js';
import { sameValue } from '../study/agree.js';
import type { Scope } from '../study/data.js';
import { type Part, partOf } from '../study/part.js';
import { pickRows } from '../study/sample.js';
import { isProductStudy, type ProductStudy, type Study } from '../study/study.js';
import { COST } from '../study/work.js';
import { type Base, basesOf, namedIn, unnamed, waysTo } from './bases.js';
import { reachOf } from './reach.js';

const [MOST_NEAR, MOST_OF_ONE] = [32, 12];
/** Rows with a missed value on which a base is tried first. */
const MOST_ROWS = 8;

/** A hypothesis that misses only what another base may give. */
interface Near {
  readonly changes: readonly Change[];
  /** Some rows that it misses. */
  readonly missed: Scope;
}

/**
 * Every rounding, width and number stands on a base of its own (float32 in some order, float64, fixed point): what nearly explains on
 * the declared one is tried on each other.
 */
export class BaseSearch {
  private near: Near[] = [];
  private known: readonly Base[] | null = null;
  private idleBases: readonly Base[] | null = null;
  private readonly idle = new Map<Base, boolean>();
  private readonly ways = new Map<Base, ProductChange[][]>();
  private part: Part | null | undefined;

  private constructor(
    private readonly study: ProductStudy,
    private readonly prefix: readonly Change[],
  ) {}

  /** Null where a layer stands on none. */
  static of(study: Study, prefix: readonly Change[]): BaseSearch | null {
    return isProductStudy(study) && standsOnBases(study) ? new BaseSearch(study, prefix) : null;
  }

  /** Keeps what failed, if only next to borders between codes. Changes of the base itself are other bases. */
  offer(changes: readonly Change[], setup: Setup = this.setupOf(changes), isMeant = () => true): void {
    if (this.near.length >= MOST_NEAR || changes.some(isOfBase) || this.hasMost(changes)) return;
    const { glance, probe, sketch } = this.study;
    if (
      setup.kind !== 'product' ||
      setup.order ||
      ![glance ?? probe, probe, sketch].every((scope) => this.missed(setup, scope)) ||
      !isMeant()
    )
      return;
    const rows = this.missed(setup, this.study.subset);
    if (rows) this.near.push({ changes, missed: pickRows(this.study.subset, rows, this.study.channels) });
  }

  /** Two dozen points of one interval leave no room for the one that another base leaves. */
  private hasMost(changes: readonly Change[]): boolean {
    const own = intervalsIn(changes);
    return own !== '' && this.near.filter((near) => intervalsIn(near.changes) === own).length >= MOST_OF_ONE;
  }

  /**
   * Whether a change of weights gives, at a glance, a value that no base takes to what was observed: told by the weights of a few channels.
   * A wide layer's take as long to make as the rest of such a search.
   */
  refutes({ weightsOf, region }: Change): boolean {
    if (!weightsOf || region || this.prefix.length > 0) return false;
    if (this.part === undefined) this.part = this.study.glance && partOf(this.study, this.study.glance);
    if (!this.part) return false;
    this.study.data.work?.add(this.study.declared.params.weight.length * COST.weight); // as the limits were measured
    return this.missed(this.part.setupOf(weightsOf), this.part.scope) === null;
  }

  /** What is declared misses only values next to borders between codes. */
  get isBetweenCodes(): boolean {
    const setup = this.setupOf([]);
    return [this.study.probe, this.study.subset].every((scope) => this.missed(setup, scope));
  }

  get hasNear(): boolean {
    return this.near.length > 0;
  }

  /**
   * Sets of changes that explain the subset, each with its base; what was offered is then forgotten. Where a base alone does, one that
   * is a cause of its own is not looked for beside another change.
   */
  explanations(isShown: (changes: readonly Change[]) => boolean): Change[][] {
    const found: Change[][] = [];
    let isOne = false;
    for (const near of this.near) {
      const own = this.onBases(near, isOne);
      found.push(...own);
      isOne ||= near.changes.length === 0 && own.some((changes) => namedIn(changes) === 1 && isShown(changes));
    }
    this.near = [];
    return found;
  }

  /** One base of each kind on which numbers are estimated otherwise than on the declared one: what is found on one is found on most. */
  get otherKinds(): readonly ProductChange[] {
    return this.firstOfEach(kindOf);
  }

  /** The same, and one of each list of integers that the biases are rounded to: where these part in one channel, so do numbers. */
  get otherBiases(): readonly ProductChange[] {
    const addedBy = addedIn(this.study.declared.params);
    return this.firstOfEach((base) => [kindOf(base), isInt32Bias(base.bias) && addedBy(base.bias)].join());
  }

  private firstOfEach(key: (base: Base) => string): ProductChange[] {
    const known = new Set([key(this.study.declared.steps)]);
    return this.bases.filter((base) => !known.has(key(base)) && known.add(key(base))).map(unnamed);
  }

  /** The first of the same kind that gives what the declared one does. */
  idleAs(other: ProductChange): ProductChange | null {
    const kind = kindOf(other.apply(this.study.declared).steps);
    const idle = this.bases.find((base) => kindOf(base) === kind && this.isIdle(base));
    return idle ? unnamed(idle) : null;
  }

  private onBases({ changes, missed }: Near, onIdle: boolean): Change[][] {
    const found: { base: Base; changes: readonly Change[] }[] = [];
    // a float path stands on none of them
    for (const base of this.study.declared.steps.float ? this.bases : this.bases.slice(1)) {
      if (onIdle && !this.isIdle(base)) continue;
      const own = formsOf(changes).find((form) => this.explains([unnamed(base), ...form], missed));
      if (own) found.push({ base, changes: own });
    }
    this.study.engine.forget(missed);
    const [idle, ...others] = changes.length > 0 ? found.filter(({ base }) => this.isIdle(base)) : [];
    if (idle) return [[{ ...unnamed(idle.base), ...(others.length > 0 && { open: true }) }, ...idle.changes]];
    return found.flatMap(({ base, changes: own }) => this.waysTo(base).map((way) => [...way, ...own]));
  }

  private waysTo(base: Base): ProductChange[][] {
    const ways = this.ways.get(base) ?? waysTo(this.study, this.allIdle, base);
    this.ways.set(base, ways);
    return ways;
  }

  private explains(changes: readonly Change[], missed: Scope): boolean {
    const setup = this.setupOf(changes);
    return this.study.mismatches(setup, missed) === 0 && this.study.agreesOnSubset(setup);
  }

  /** Rows with values that a setup misses; null where it misses one that no base gives. */
  private missed(setup: ProductSetup, scope: Scope): number[] | null {
    const outputs = this.study.outputs(setup, scope);
    const width = scope.channels?.length ?? this.study.channels;
    const rows: number[] = [];
    let reaches: ((i: number) => boolean) | null = null;
    for (let i = 0; i < scope.observed.length; i++) {
      if (sameValue(outputs, scope.observed, i)) continue;
      reaches ??= reachOf(this.study, setup, scope);
      if (!reaches(i)) return null;
      const row = Math.floor(i / width);
      if (rows.length < MOST_ROWS && rows.at(-1) !== row) rows.push(row);
    }
    return rows;
  }

  private get bases(): readonly Base[] {
    this.known ??= basesOf(this.study);
    return this.known;
  }

  private get allIdle(): readonly Base[] {
    this.idleBases ??= this.bases.filter((base) => this.isIdle(base));
    return this.idleBases;
  }

  /** Whether a base gives what the declared one does. */
  private isIdle(base: Base): boolean {
    const known = this.idle.get(base);
    if (known !== undefined) return known;
    const idle = this.study.sameOnSubset(this.setupOf([unnamed(base)]), this.setupOf([]));
    this.idle.set(base, idle);
    return idle;
  }

  private setupOf(changes: readonly Change[]): ProductSetup {
    return applyChanges<Setup>(this.study.declared, [...this.prefix, ...changes]) as ProductSetup;
  }
}

/** Of the numbers that were found. */
function intervalsIn(changes: readonly Change[]): string {
  return changes.flatMap(({ found }) => (found && 'interval' in found ? found.interval : [])).join();
}

/** How codes bound the real value, and whether the bias is one of integers. */
function kindOf({ bias, multiplier }: Base): string {
  return [isInt32Bias(bias), roundsTwice({ multiplier })].join();
}

/** A change of bias or multiplier arithmetic: another base. No runtime cuts its biases. */
export function isOfBase({ coordinate, cause, found }: Change): boolean {
  const isCut = cause === 'bias-int32' && found && 'cut_for' in found;
  return coordinate === 'multiplier' || (cause === 'bias-int32' && !isCut);
}

/** The same changes with each form of the one that has several. */
function formsOf(changes: readonly Change[]): (readonly Change[])[] {
  const several = changes.find(({ forms }) => forms);
  const others = several?.forms?.map((form) => changes.map((change) => (change === several ? form : change))) ?? [];
  return [changes, ...others];
}
