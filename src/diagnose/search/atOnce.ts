/** What a few values tell of a change, whatever stands beside it. */
import type { Change, ProductSetup, Setup } from '../setup.js';
import type { Scope } from '../study/data.js';
import { callsIn } from '../study/data.js';
import type { ProductStudy, Study } from '../study/study.js';

/** Beyond the share that is sought, of two dozen channels: so many more are no chance. */
const ROOM = 3 / 8;

/** Whether a setup may leave no more than a share of the channels that differ in what is declared, by those of the probe. */
export function leavesAtMost(study: ProductStudy, share: number): (setup: ProductSetup) => boolean {
  const most = differing(study, study.declared, study.probe) * Math.min(1, share + ROOM);
  return (setup) => differing(study, setup, study.probe) <= most;
}

/** Whether a setup gives half of the channels that differ in what is declared: the rest may have reasons of their own. */
export function halving(study: ProductStudy): (setup: ProductSetup) => boolean {
  const { glimpse, sketch, declared } = study;
  const mayHalve = leavesAtMost(study, 1 / 2);
  const most = differing(study, declared, sketch) / 2;
  const scopes = glimpse ? [glimpse, sketch] : [sketch];
  return (setup) => mayHalve(setup) && scopes.every((scope) => differing(study, setup, scope) <= most);
}

/** Of what differs in what is declared. */
const FEW = 1 / 4;

/** Whether a setup leaves few of the values that differ in what is declared. */
export function leavingLittle(study: Study): (setup: Setup) => boolean {
  const most = [study.probe, study.sketch].map((scope) => ({
    scope,
    most: study.mismatches(study.declared, scope) * FEW,
  }));
  return (setup) => most.every((own) => study.mismatches(setup, own.scope) <= own.most);
}

/** A search, of which so much is asked. */
interface Asked {
  readonly study: Study;
  isStopped(): boolean;
  hypothesis(changes: readonly Change[]): { readonly setup: Setup };
}

/** Those that leave the fewest of the probe's values first: of two that belong together each takes some away. Last, what may not be asked any more. */
export function likeliestFirst(run: Asked, changes: readonly Change[]): Change[] {
  const { probe } = run.study;
  const missed = (change: Change) =>
    run.isStopped() ? Number.MAX_VALUE : run.study.mismatches(run.hypothesis([change]).setup, probe);
  const misses = new Map(changes.map((change) => [change, missed(change)]));
  return [...changes].sort((a, b) => misses.get(a)! - misses.get(b)!);
}

/** Each two of what is sorted so, those first that both come early. */
export function* likeliestPairs<C>(sorted: readonly C[]): Generator<[C, C]> {
  for (let both = 1; both < 2 * sorted.length - 2; both++)
    for (let i = Math.max(0, both - sorted.length + 1); 2 * i < both; i++) yield [sorted[i], sorted[both - i]];
}

/** How many more of the probe's values a setup may miss than one that it lessens in all. */
const BY_CHANCE = 1 / 8;

/** Whether a setup misses fewer values than another: of noise the probe says that it misses many more. */
export function missesLess(study: Study, setup: Setup, than: Setup): boolean {
  const { probe } = study;
  const most = study.mismatches(than, probe) + BY_CHANCE * probe.observed.length;
  return study.mismatches(setup, probe) <= most && study.mismatches(setup) < study.mismatches(than);
}

/** Whether more channels than these have mismatches: of noise a few rows say so. */
export function differsInMore(study: ProductStudy, setup: ProductSetup, scope: Scope, channels: number): boolean {
  const differ = new Set<number>();
  return !study.eachChunk(scope, (part) => {
    study.mismatchesByChannel(setup, part).forEach((count, column) => {
      if (count > 0) differ.add(column);
    });
    return differ.size <= channels;
  });
}

/** Whether all that differs is in one channel. */
export function differsInOne(study: ProductStudy): boolean {
  return differing(study, study.declared, study.subset) === 1;
}

function differing(study: ProductStudy, setup: ProductSetup, scope: Scope): number {
  return study.mismatchesByChannel(setup, scope).filter((mismatches) => mismatches > 0).length;
}

/** Whether nothing gives what was observed after the sums that a change makes: asked for it beside each of what moves no sums. */
export function refutedBySums(study: Study, setupOf: (changes: readonly Change[]) => Setup) {
  const declared = setupOf([]);
  const keepsSums = known((change) => study.sameSums(setupOf([change]), declared));
  const isRefuted = known((change) => !study.mayFollow(setupOf([change]), true));
  return (change: Change, beside: readonly Change[]): boolean => beside.every(keepsSums) && isRefuted(change);
}

export function known(of: (change: Change) => boolean): (change: Change) => boolean {
  const answers = new WeakMap<Change, boolean>();
  return (change) => {
    const answer = answers.get(change) ?? of(change);
    answers.set(change, answer);
    return answer;
  };
}

/** Multiply-adds; a call takes as long as so many, and a value of what is no product. */
const MOST_REPLAYED = 1e8;
const [OF_CALL, OF_VALUE] = [2e3, 16];

/** Whether a layer is so small that each change may be replayed on every sample. */
export function mayReplayEach({ data, channels, declared }: Study, changes: readonly Change[]): boolean {
  const terms = 'inFeatures' in declared.params ? declared.params.inFeatures : OF_VALUE;
  const calls = callsIn(data);
  return ((data.to - data.from) * channels * terms + calls * OF_CALL) * changes.length <= MOST_REPLAYED;
}

/** The first, and of multipliers the first that rounds otherwise: either may be what a second change stands on. */
export function eachRounding(changes: readonly Change[], base: Setup): Change[] {
  const roundOf = (change: Change) => {
    const { steps } = change.apply(base);
    return 'round' in steps ? steps.round : null;
  };
  const [first] = changes;
  if (first?.coordinate !== 'multiplier') return changes.slice(0, 1);
  const other = changes.find((change) => roundOf(change) !== roundOf(first));
  return other ? [first, other] : [first];
}
