import type { Kernel } from '../../nouns/kernel.js';
import type { Kind, Setup, SetupOf } from '../setup.js';
import { firstAlike } from './added.js';
import { byColumn, type Counts, countOf, differences, firstMissOf, signsOf } from './agree.js';
import { areAlike, dropRefuted } from './alike.js';
import { Blocks } from './blocks.js';
import type { LayerData, Outcome, Outputs, Scope } from './data.js';
import type { Engine } from './engine.js';
import { type Engines, engineOf } from './engines.js';
import { agreesInOrder } from './inOrder.js';
import { SetupKeys } from './keys.js';
import { count, noOutcome } from './outcome.js';
import { Refuters } from './refuters.js';
import { inRegion } from './region.js';
import {
  countsOf,
  glanceOf,
  glimpseOf,
  outputsOf,
  probeOf,
  readDetail,
  readSubset,
  rowsOfChunk,
  sketchOf,
  sliceOf,
  slopeOf,
} from './sample.js';

/** A layer under study: a deterministic subset of its samples in memory, hypotheses replayed on it, confirmed on all. */
export class Study<K extends Kind = Kind> {
  readonly declared: SetupOf<K>;
  readonly engine: Engines[K];
  /** A few samples of every channel: enough to refute most estimates. */
  readonly sketch: Scope;
  /** Fewer of them, where that is cheaper. */
  readonly glimpse: Scope | null;
  /** A few samples and channels, to refute a hypothesis at little cost. */
  readonly probe: Scope;
  /** Fewer of them, where that is cheaper. */
  readonly glance: Scope | null;
  /** 1 where the subset's observation differs from the reference. */
  readonly differing: Uint8Array;
  private readonly declaredOutputs = new WeakMap<Scope, Outputs>();
  private readonly counted = new WeakMap<Setup, Map<Scope, Counts>>();
  private readonly chunks = new WeakMap<Scope, Map<number, Scope>>();
  private readonly keys = new SetupKeys();
  private readonly agreed = new Map<string, boolean>();
  private readonly missed = new Map<string, number>();
  private readonly judged = new Map<string, Outcome>();
  private readonly refuters: Refuters;
  private slope: Scope | null = null;
  private readonly read: Blocks;

  private constructor(
    readonly data: LayerData<K>,
    /** Every channel of some samples: what estimators read. */
    readonly subset: Scope,
    /** More samples of the few channels that differ, where the subset had to be small: what a search for single weights reads. */
    readonly detail: Scope,
  ) {
    this.declared = data.declared;
    this.engine = engineOf(data) as Engines[K];
    this.read = new Blocks(data, subset);
    this.sketch = sketchOf(subset, this.channels);
    this.glimpse = glimpseOf(this.sketch, this.channels);
    this.differing = differences(this.outputs(this.declared, subset), subset.observed);
    this.probe = probeOf(subset, this.differing, data);
    this.glance = glanceOf(subset, this.differing, data);
    this.refuters = new Refuters(subset, this.channels);
  }

  static async open<K extends Kind>(data: LayerData<K>): Promise<Study<K>> {
    const subset = await readSubset(data);
    return new Study(data, subset, (await readDetail(data, subset)) ?? subset);
  }

  /** The same samples of a layer that is another. */
  of(data: LayerData<K>): Study<K> {
    return new Study(data, this.subset, this.detail);
  }

  get channels(): number {
    return this.data.observed.width;
  }

  /** Steps of every runtime may be tried, and a script's. */
  get free(): boolean {
    return this.data.madeBy === 'anyone';
  }

  /** Whether a kernel may have computed it. */
  mayRun({ runtime }: Kernel): boolean {
    const { madeBy, kernel } = this.data;
    return madeBy === 'anyone' || runtime === kernel.runtime || (madeBy === 'runtimes' && runtime !== 'numpy');
  }

  /** Whether the subset holds every judged sample. */
  get complete(): boolean {
    return this.subset.samples.length === this.data.to - this.data.from;
  }

  /** Those of the declared setup are kept: every change is compared with them. */
  outputs(setup: Setup, scope: Scope): Outputs {
    if (setup.within) return inRegion(this, setup, scope);
    if (setup !== this.declared) return this.asEngine.outputs(setup, scope);
    const known = this.declaredOutputs.get(scope);
    if (known) return known;
    const outputs = this.asEngine.outputs(setup, scope);
    this.declaredOutputs.set(scope, outputs);
    return outputs;
  }

  /** Codes or floats of the subset under a setup. */
  values(setup: Setup): Outputs['data'] {
    return this.outputs(setup, this.subset).data;
  }

  // -------------------------------------------------------------- on the subset

  /** Refutes most wrong hypotheses on few values. */
  passesProbe(setup: Setup): boolean {
    return setup.order !== null || this.agrees(setup, this.probe);
  }

  /**
   * False for all setups whose sums no bias, scale, rounding or clamp turns into what was observed: most of those on noise.
   * Of sums that are met for the first time nothing is said, unless `atOnce`: a glance is cheaper.
   */
  mayFollow(setup: Setup, atOnce = false): boolean {
    if (!this.asEngine.mayFollow) return true;
    this.slope ??= slopeOf(this.subset, this.differing, this.channels);
    return this.asEngine.mayFollow(setup, this.slope, atOnce);
  }

  /** Whether sums were met from which what was observed may follow: of noise none are. */
  get hasMetSums(): boolean {
    return this.asEngine.hasMetSums ?? false;
  }

  /** Whether two setups differ in what comes after the sums only; of other kinds than products nothing is said. */
  sameSums(a: Setup, b: Setup): boolean {
    return this.asEngine.sameSums?.(a, b) ?? false;
  }

  private passesGlance(setup: Setup): boolean {
    return this.glance === null || setup.order !== null || this.agrees(setup, this.glance);
  }

  /** Whether a hypothesis equals every observed value of the subset. */
  agreesOnSubset(setup: Setup): boolean {
    const key = this.keys.of(setup);
    const known = this.agreed.get(key);
    if (known !== undefined) return known;
    const agrees = this.passesGlance(setup) && this.passesProbe(setup) && this.passesRefuters(setup);
    this.agreed.set(key, agrees);
    return agrees;
  }

  /** Whether it agrees where others failed, then on the whole subset. */
  private passesRefuters(setup: Setup): boolean {
    if (setup.order) return agreesInOrder(this, setup, setup.order);
    const { scope } = this.refuters;
    if (scope && !this.agrees(setup, scope)) return false;
    const miss = this.firstMiss(setup, this.subset);
    if (miss < 0) return true;
    // whole values are computed as a whole
    if (setup.kind !== 'tensor') this.refuters.add(miss);
    if (scope) this.engine.forget(scope);
    return false;
  }

  /** Whether two setups compute the same on the subset: a change that changes nothing explains nothing. */
  sameOnSubset(a: Setup, b: Setup): boolean {
    const isSame = (part: Scope) => {
      const ofB = b === this.declared ? this.declaredOutputs.get(part) : undefined;
      const known = areAlike(this.asEngine, a, b, part, ofB);
      if (known !== null) return known;
      const one = this.outputs(a, part).data;
      const other = this.outputs(b, part).data;
      for (let i = 0; i < one.length; i++) if (one[i] !== other[i]) return false;
      return true;
    };
    const isAll = this.engine.wholeScopes || this.probe === this.subset;
    return (isAll || this.eachChunk(this.probe, isSame)) && this.eachChunk(this.subset, isSame);
  }

  /** Differing values of the probe, or of the whole subset, where they are kept: several causes ask beside the same changes. */
  mismatches(setup: Setup, scope: Scope = this.subset): number {
    const key = scope === this.subset ? this.keys.of(setup) : null;
    const known = key === null ? undefined : this.missed.get(key);
    if (known !== undefined) return known;
    const missed =
      setup === this.declared && scope === this.subset
        ? countOf(countsOf(this.differing, this.channels))
        : countOf(this.differences(setup, scope));
    if (key !== null) this.missed.set(key, missed);
    return missed;
  }

  /** Where the observation is larger (1) or smaller (-1) than what a setup computes; 0: equal. */
  misses(setup: Setup, scope: Scope): Int8Array {
    return signsOf(this.outputs(setup, scope), scope.observed);
  }

  /** Mismatches by channel of the scope; kept, since every estimator on a base begins with them. */
  mismatchesByChannel(setup: Setup, scope: Scope = this.subset): Counts {
    const known = this.counted.get(setup) ?? new Map<Scope, Counts>();
    this.counted.set(setup, known);
    const counts = known.get(scope) ?? this.countByChannel(setup, scope);
    known.set(scope, counts);
    return counts;
  }

  private countByChannel(setup: Setup, scope: Scope): Counts {
    if (setup === this.declared && scope === this.subset) return countsOf(this.differing, this.channels);
    return byColumn(this.differences(setup, scope), scope.channels?.length ?? this.channels);
  }

  // -------------------------------------------------------------- on every judged sample

  /**
   * Replays hypotheses that agree on the subset on every judged sample, in blocks: on those that are not in the subset. What is declared
   * is replayed there only beside one that fails: what explains all has nothing to be compared with it.
   */
  async confirm(setups: readonly Setup[]): Promise<Outcome[]> {
    const agree = await this.agreeEverywhere(setups);
    const failing = setups.filter((_, s) => !agree[s]);
    const explained = this.read.hasSmallSubset ? 0 : this.mismatches(this.declared);
    const failed = (await this.judge(failing, this.read.others(), explained)).values();
    const all = { ...noOutcome(this.channels), explained: this.data.mismatched };
    return setups.map((_, s) => (agree[s] ? all : failed.next().value!));
  }

  /** Whether hypotheses that agree on the subset agree on every judged sample: each is replayed up to its first miss. */
  async agreeEverywhere(setups: readonly Setup[]): Promise<boolean[]> {
    const firsts = this.firstAlike(setups);
    const open = new Set(firsts);
    const others = () => (this.readRowsAlone(firsts) ? this.read.unlike() : this.read.others());
    for await (const scope of this.complete ? [] : others()) {
      dropRefuted(this.asEngine, open, scope, (setup) => this.agrees(setup, scope));
      this.release(scope);
      if (open.size === 0) break;
    }
    return firsts.map((setup) => open.has(setup));
  }

  /** For each of some setups the first of them that computes the same. */
  firstAlike(setups: readonly Setup[]): Setup[] {
    return firstAlike(setups, this.keys);
  }

  /** How hypotheses fare on every judged sample. */
  async outcomes(setups: readonly Setup[]): Promise<Outcome[]> {
    const rows = this.readRowsAlone([this.declared, ...setups]) ? await this.read.distinctRows() : null;
    return this.judge(setups, rows ? [rows] : this.blocks(), 0);
  }

  /** @param explained what is known of the samples that are in no block */
  private async judge(
    setups: readonly Setup[],
    blocks: AsyncIterable<Scope> | Iterable<Scope>,
    explained: number,
  ): Promise<Outcome[]> {
    const keyed = setups.map((setup) => [this.keys.of(setup), setup] as const);
    const open = [...new Map(keyed)].filter(([key]) => !this.judged.has(key));
    const counts = open.map(() => ({ ...noOutcome(this.channels), explained }));
    for await (const scope of open.length > 0 ? blocks : []) {
      const before = this.differences(this.declared, scope);
      open.forEach(([, setup], s) => {
        count(counts[s], before, this.differences(setup, scope), scope);
      });
      this.release(scope);
    }
    open.forEach(([key], s) => {
      this.judged.set(key, counts[s]);
    });
    return keyed.map(([key]) => this.judged.get(key)!);
  }

  /** Every judged sample, block by block; the subset itself where it is complete. */
  blocks(): AsyncGenerator<Scope> {
    return this.read.all();
  }

  /** What was computed for a block is not asked for again. */
  release(scope: Scope): void {
    if (scope !== this.subset && !this.read.isKept(scope)) this.engine.forget(scope);
  }

  // -------------------------------------------------------------- parts of these

  private readRowsAlone(setups: readonly Setup[]): boolean {
    return setups.every((setup) => this.asEngine.readsRowsAlone?.(setup));
  }

  private get asEngine(): Engine {
    return this.engine;
  }

  private differences(setup: Setup, scope: Scope): Uint8Array {
    const isKept = setup.within || setup === this.declared;
    const found = isKept ? null : this.asEngine.differences?.(setup, scope);
    return found ?? differences(this.outputs(setup, scope), scope.observed);
  }

  private agrees(setup: Setup, scope: Scope): boolean {
    return this.firstMiss(setup, scope) < 0;
  }

  /** Of a setup in the declared order: the first value that it does not give; -1: none. */
  private firstMiss(setup: Setup, scope: Scope): number {
    if (setup.within) return firstMissOf(this.outputs(setup, scope), scope.observed);
    const rows = rowsOfChunk(scope, this.channels);
    let [before, miss] = [0, -1];
    this.eachChunk(scope, (part) => {
      miss = this.asEngine.firstMiss(setup, part, rows);
      if (miss >= 0) miss += before;
      before += part.observed.length;
      return miss < 0;
    });
    return miss;
  }

  /** Whether a test holds for all chunks of rows: a small one, in which most hypotheses fail, then ever larger ones. */
  eachChunk(scope: Scope, test: (part: Scope) => boolean, fewest = rowsOfChunk(scope, this.channels)): boolean {
    if (this.engine.wholeScopes || fewest >= scope.samples.length) return test(scope);
    for (let from = 0, to = fewest; from < scope.samples.length; from = to, to *= 4) {
      if (!test(this.chunk(scope, from, Math.min(scope.samples.length, to)))) return false;
    }
    return true;
  }

  /** The same object for the same rows, so that what is kept for it is shared. */
  private chunk(scope: Scope, from: number, to: number): Scope {
    let chunks = this.chunks.get(scope);
    if (!chunks) {
      chunks = new Map();
      this.chunks.set(scope, chunks);
    }
    const key = from * scope.samples.length + to;
    let chunk = chunks.get(key);
    if (!chunk) {
      chunk = sliceOf(scope, from, to);
      chunks.set(key, chunk);
      const known = this.declaredOutputs.get(scope);
      if (known) this.declaredOutputs.set(chunk, outputsOf(chunk, known));
    }
    return chunk;
  }
}

export function isProductStudy(study: Study): study is Study<'product'> {
  return study.declared.kind === 'product';
}

export function isElementwiseStudy(study: Study): study is Study<'elementwise'> {
  return study.declared.kind === 'elementwise';
}

export function isTensorStudy(study: Study): study is Study<'tensor'> {
  return study.declared.kind === 'tensor';
}

export type TensorStudy = Study<'tensor'>;
export type ProductStudy = Study<'product'>;
export type ElementwiseStudy = Study<'elementwise'>;
