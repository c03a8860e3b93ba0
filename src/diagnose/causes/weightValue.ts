import type { Product } from '../../nouns/kernel.js';
import { cellOf } from '../../tensor/patches.js';
import type { Cause } from '../cause.js';
import { viewOf } from '../estimate/view.js';
import { MOST_ATTEMPTS, type Patch, WeightSearch } from '../estimate/weights.js';
import type { CauseEvidence } from '../evidence.js';
import { FREEDOM, type ProductSetup, withParams } from '../setup.js';
import type { Scope } from '../study/data.js';
import type { ProductStudy } from '../study/study.js';

const MOST_LISTED = 8;
/** Multiply-adds. */
const MOST_EFFORT = 3e9;

/** Single weights differ (stale file, bit flip): found from the residuals of their channel. */
export const weightValue: Cause<'weight-value', 'product'> = {
  code: 'weight-value',
  kinds: ['product'],
  whose: 'model',

  estimate: (study, base, onEstimate) => {
    if (base.params.weight !== study.declared.params.weight) return [];
    // weights are the last resort: where many channels differ, something else is wrong
    const few = Math.max(4, study.channels / 4);
    if (differing(study.mismatchesByChannel(base, study.sketch)).length > few) return [];
    const scope = study.detail;
    const mismatched = study.mismatchesByChannel(base, scope);
    const channels = differing(mismatched);
    if (channels.length === 0 || channels.length > few) return [];
    const possible = findPatches(
      new WeightSearch(study, scope, base, viewOf(study, base, scope)),
      channels,
      (column) => mismatched[column] - (onEstimate ? 4 : 0),
    );
    const kept = exactOnes(study, base, scope, possible);
    if (kept.length === 0) return [];
    // a number estimated beside weights has to be needed elsewhere: alone it would only make room for them
    const patchedChannels = new Set(kept.map((p) => p.channel));
    if (onEstimate && differing(study.mismatchesByChannel(study.declared)).every((n) => patchedChannels.has(n)))
      return [];
    const weights = patchedWeights(base, kept);
    return [
      {
        cause: 'weight-value',
        coordinate: 'weights',
        freedom: FREEDOM.permutationOrPatch,
        label: kept.map((p) => `${p.channel},${p.k}`).join(' '),
        channels: [...patchedChannels],
        found: evidenceOf(kept, study.declared.params),
        apply: (setup) => withParams(setup, { weight: weights }),
      },
    ];
  },
};

/** Of each channel's possible patches the first that makes it exact: a bound may admit what the replay rounds otherwise. */
function exactOnes(study: ProductStudy, base: ProductSetup, scope: Scope, possible: readonly Patch[][][]): Patch[] {
  const kept: Patch[] = [];
  let open = possible;
  for (let attempt = 0; attempt < MOST_ATTEMPTS && open.length > 0; attempt++) {
    const tried = open.map((patches) => patches[attempt]);
    const after = study.mismatchesByChannel(patched(base, tried.flat()), scope);
    const isExact = ([{ channel }]: readonly Patch[]) => after[scope.channels?.indexOf(channel) ?? channel] === 0;
    kept.push(...tried.filter(isExact).flat());
    open = open.filter((patches, i) => !isExact(tried[i]) && patches.length > attempt + 1);
  }
  return kept.sort((a, b) => a.channel - b.channel);
}

/** Several weights of a channel are sought only as long as every channel before has been repaired: one that is not refutes all. */
function findPatches(
  weights: WeightSearch,
  columns: readonly number[],
  support: (column: number) => number,
): Patch[][][] {
  const single = columns.map((column) => weights.one(column, support(column)));
  const patches = single.filter((possible) => possible !== null);
  const left = columns.filter((_, i) => !single[i]);
  if (left.length * weights.effort > MOST_EFFORT) return patches;
  for (const column of left) {
    const several = weights.several(column, support(column));
    if (!several) break;
    patches.push(several);
  }
  return patches;
}

function differing(mismatched: Float64Array): number[] {
  return [...mismatched.keys()].filter((n) => mismatched[n] > 0);
}

function patched(base: ProductSetup, patches: readonly Patch[]): ProductSetup {
  return withParams(base, { weight: patchedWeights(base, patches) });
}

function patchedWeights({ params }: ProductSetup, patches: readonly Patch[]) {
  const weight = params.weight.slice();
  for (const { channel, k, found } of patches) weight[channel * params.inFeatures + k] = found;
  return weight;
}

function evidenceOf(patches: readonly Patch[], { patch }: Product): CauseEvidence['weight-value'] {
  const weights = patches.slice(0, MOST_LISTED).map((found) => ({
    ...found,
    ...(patch && { tap: cellOf(patch, 0, found.k).tap }),
  }));
  return { weights, omitted: Math.max(0, patches.length - MOST_LISTED) };
}
