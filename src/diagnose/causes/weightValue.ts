import { isPaired } from '../../kernels/steps/accumulate.js';
import type { Product } from '../../nouns/kernel.js';
import { largestOf } from '../../numeric/extremes.js';
import { cellOf } from '../../tensor/patches.js';
import { counted, printable } from '../../text.js';
import { casesByColumn } from '../alternatives/cases.js';
import { requantizedWeights } from '../alternatives/requantizedWeights.js';
import { weightRules } from '../alternatives/weightRules.js';
import type { Cause } from '../cause.js';
import { viewOf } from '../estimate/view.js';
import { MOST_ATTEMPTS, type Patch, WeightSearch } from '../estimate/weights.js';
import type { CauseEvidence, SomeChannels } from '../finding/evidence.js';
import { differsInMore, leavesAtMost } from '../search/atOnce.js';
import { resemblesDeclared } from '../search/followed.js';
import { FREEDOM, type ProductChange, type ProductSetup, withParams } from '../setup.js';
import type { Counts } from '../study/agree.js';
import { spread } from '../study/arrays.js';
import type { Scope } from '../study/data.js';
import { gridOf } from '../study/sample.js';
import type { ProductStudy, Study } from '../study/study.js';
import { COST } from '../study/work.js';
import { codeOf, exportAgain, numpy } from '../words/code.js';
import { parameterFix } from '../words/fixes.js';
import { fileOf, weightText } from '../words/parts.js';

declare module '../finding/evidence.js' {
  interface CauseEvidence {
    'weight-value': SomeChannels & {
      /** Channels of which all weights were solved together: so many of them are others. */
      readonly whole?: readonly { readonly channel: number; readonly changed: number; readonly of: number }[];
      readonly whole_omitted?: number;
      readonly weights?: readonly {
        readonly channel: number;
        readonly k: number;
        readonly declared: number;
        readonly found: number;
        /** Of a convolution: [ky, kx, c]. */
        readonly tap?: readonly number[];
        /** Other single weights of the channel that explain it as well. */
        readonly alternatives?: readonly { readonly k: number; readonly found: number }[];
      }[];
      readonly omitted?: number;
      /** Those that were solved for are the declared ones, in other places. */
      readonly moved?: true;
      /** Of all weights: what was done to each. */
      readonly rule?: string;
    };
  }
}

const MOST_LISTED = 8;
/** Of a layer whose weights are all solved for on top of each other change as well. */
const MOST_FEATURES_ON_TOP = 192;
/** Multiply-adds. */
const MOST_EFFORT = 3e9;

/** Single weights differ (stale file, bit flip): found from the residuals of their channel. */
export const weightValue: Cause<'weight-value', 'product'> = {
  code: 'weight-value',
  kinds: ['product'],
  whose: 'model',

  estimate: (study, base, onEstimate) => {
    if (base.params.weight !== study.declared.params.weight) return [];
    // alone: beside each other change they would be as many again
    const rules = base === study.declared && study.free ? weightRules(study) : [];
    if (rules.length > 0) return rules;
    const isRule = base === study.declared && study.free && !study.data.dynamic && resemblesDeclared(study as Study);
    const again = isRule ? requantizedWeights(study) : [];
    if (again.some((change) => study.agreesOnSubset(change.apply(base)))) return again;
    const single = singleWeights(study, base, onEstimate);
    if (single.length > 0 && !onEstimate && study.agreesOnSubset(patched(base, single))) {
      return [changeTo(study, base, single, [])];
    }
    // beside another number so many free ones would make room for anything
    const isOnNumbers = base.params !== study.declared.params;
    const whole = onEstimate || isOnNumbers ? null : wholeChannels(study, base, single);
    if (whole) return [changeTo(study, base, whole.patches, whole.channels)];
    return single.length === 0 ? [] : [changeTo(study, base, single, [])];
  },

  words: {
    title: (e) => {
      if (e.rule !== undefined) return `weights ${e.rule}`;
      if (e.whole) return `${e.moved ? 'weights of other places' : 'other weights'} in ${wholeText(e)}`;
      return (e.weights?.length ?? 0) + (e.omitted ?? 0) === 1 ? 'one weight differs' : 'single weights differ';
    },
    explanation: (e) =>
      e.rule !== undefined
        ? 'Each weight is changed by one rule before it is multiplied.'
        : e.moved
          ? 'All weights were solved for together, and come out as the declared ones in another order: of another layout, or another group.'
          : e.whole
            ? 'All weights were solved for together, and come out as integers that give every value: the file is stale.'
            : areNext(e)
              ? 'Single weights are the codes beside those that the file says: float weights that were quantized by another rule at a tie, or a stale file.'
              : 'Single weights are others than the file says: a stale file, or flipped bits.',
    ofOneLayer: true,
    evidence: (e) => {
      const weights = e.weights ?? [];
      const left = Math.max(0, weights.length - 4) + (e.omitted ?? 0);
      return [
        ...(e.whole ?? []).slice(0, 4).map((w) => `channel ${w.channel}: ${w.changed} of ${w.of} weights differ`),
        ...weights
          .slice(0, 4)
          .map(
            (w) =>
              `${weightText(w)}: declared ${w.declared}, found ${w.found}${areNext(e) ? '' : flippedBit(w.declared, w.found)}${orElse(w.alternatives)}`,
          ),
        left > 0 ? `and ${counted(left, 'more weight')}` : null,
      ];
    },
    fix: (e, context) =>
      parameterFix(
        (own) => `export ${printable(own.layer)} again: ${fileOf(own)} and the capture hold different weights`,
        e.moved
          ? 'take each weight from its place in the layout of the file'
          : e.rule === undefined
            ? areNext(e)
              ? `quantize float weights as the file does${context.producer.file === 'onnx' ? ", whose QuantizeLinear divides by the scale (PyTorch's fake quantization multiplies by 1 / scale: near -127.5 one gives -127, the other -128)" : ''}; otherwise load the weights of this layer again`
              : 'load the weights of this layer again: a stale or damaged copy'
            : 'multiply by the weights of the file as they are, all 8 bits of them',
      )(e, context),
    code: (e, context) =>
      codeOf(
        (e.weights ?? [])
          .slice(0, 4)
          .map(({ channel, k, declared, tap }) =>
            numpy(
              tap
                ? `w[${[channel, tap.at(-1), ...tap.slice(0, -1)].join(', ')}] = ${declared}`
                : `w[${channel}, ${k}] = ${declared}`,
            ),
          ),
        () => exportAgain(context),
      )(context),
  },
};

function changeTo(
  study: ProductStudy,
  base: ProductSetup,
  patches: readonly Patch[],
  whole: readonly number[],
): ProductChange {
  const weights = patchedWeights(base, patches);
  return {
    cause: 'weight-value',
    coordinate: 'weights',
    freedom: whole.length > 0 ? FREEDOM.numberPerChannel : FREEDOM.permutationOrPatch,
    label: whole.length > 0 ? `channels ${whole.join(' ')}` : patches.map((p) => `${p.channel},${p.k}`).join(' '),
    channels: [...new Set(patches.map((p) => p.channel))],
    found: {
      ...evidenceOf(patches, whole, study.declared.params),
      ...(whole.length > 0 && areMoved(weights, study.declared.params.weight) && { moved: true as const }),
    },
    apply: (setup) => withParams(setup, { weight: weights }),
  };
}

/** As often each, wherever they stand. */
function areMoved(weights: Product['weight'], declared: Product['weight']): boolean {
  const counts = new Int32Array(2 ** 16);
  for (const weight of weights) counts[weight & 0xffff]++;
  for (const weight of declared) counts[weight & 0xffff]--;
  return counts.every((count) => count === 0);
}

/** One or a few weights in few channels; those of channels that they make exact. */
function singleWeights(study: ProductStudy, base: ProductSetup, onEstimate: boolean): Patch[] {
  // where many channels differ, something else is wrong
  const few = Math.max(4, study.channels / 4);
  const { glimpse, sketch } = study;
  const scope = study.detail;
  const all = differing(study.mismatchesByChannel(study.declared)).length;
  if (!leavesAtMost(study, few / all)(base)) return [];
  const isMore = (part: Scope) => differsInMore(study, base, part, few);
  if ((glimpse && isMore(glimpse)) || isMore(sketch) || isMore(scope)) return [];
  const mismatched = study.mismatchesByChannel(base, scope);
  const channels = differing(mismatched);
  if (channels.length === 0) return [];
  const weights = new WeightSearch(study, scope, base, viewOf(study, base, scope));
  const casesOf = casesByColumn(study, scope);
  study.data.work?.add(channels.length * (scope.samples.length * COST.residual + weights.effort * COST.multiplyAdd));
  const possible = findPatches(
    weights,
    channels,
    (column) => casesOf(column, mismatched[column]) - (onEstimate ? 4 : 0),
  );
  const kept = exactOnes(study, base, scope, possible);
  // a number estimated beside weights has to be needed elsewhere: alone it would only make room for them
  const patchedChannels = new Set(kept.map((p) => p.channel));
  const isRoom =
    onEstimate && differing(study.mismatchesByChannel(study.declared)).every((n) => patchedChannels.has(n));
  return isRoom ? [] : kept;
}

/** Every weight of the channels that differ otherwise: all of them have to come out as integers that give every value. */
function wholeChannels(study: ProductStudy, base: ProductSetup, single: readonly Patch[]) {
  const { subset, glimpse, sketch } = study;
  const repaired = new Set(single.map((p) => p.channel));
  const { inFeatures } = base.params;
  if (isPaired(base.steps.accumulate) && base.steps.accumulate.applies(base.params)) return null; // no linear equations
  if (inFeatures > MOST_FEATURES_ON_TOP && base.steps !== study.declared.steps) return null;
  const isLeft = (n: number) => !repaired.has(n);
  const isTooMuch = (columns: readonly number[]) => columns.length * subset.samples.length * inFeatures > MOST_EFFORT;
  for (const scope of glimpse ? [glimpse, sketch] : [sketch]) {
    const channels = differing(study.mismatchesByChannel(base, scope));
    if (isTooMuch(channels) || isNoise(study, base, channels.filter(isLeft))) return null;
  }
  if (isUnsolved(study, base, differing(study.mismatchesByChannel(base, sketch)).filter(isLeft))) return null;
  const columns = differing(study.mismatchesByChannel(base)).filter(isLeft);
  if (isTooMuch(columns)) return null;
  const casesOf = casesByColumn(study, subset);
  const fewest = Math.min(2 * inFeatures + 1, inFeatures + SPARE_CASES);
  if (columns.some((n) => casesOf(n, fewest) < Math.min(fewest, MOST_CASES))) return null;
  const weights = new WeightSearch(study, subset, base, viewOf(study, base, subset));
  const patches: Patch[] = [...single];
  for (const column of columns) {
    const all = weights.all(column);
    if (!isSolved(all) || isShift(all, base.params)) return null;
    for (const patch of all) patches.push(patch);
  }
  return columns.length > 0 ? { patches, channels: columns } : null;
}

/** Of a channel, more than it has weights: rows that repeat are one. */
const [SPARE_CASES, MOST_CASES] = [8, 16];

/** Samples of one channel for each of its weights: of noise more is left in them than rounding can leave. */
const SAMPLES_EACH = 2;
const SPARE_SAMPLES = 16;

/** Whether all samples of the first of these channels leave it as it is: then no other is solved for. */
function isUnsolved(study: ProductStudy, base: ProductSetup, [channel]: readonly number[]): boolean {
  if (channel === undefined) return false;
  const scope = ofChannel(study, channel, study.subset.samples.length);
  return !isSolved(new WeightSearch(study, scope, base, viewOf(study, base, scope)).all(0));
}

function isSolved(all: ReturnType<WeightSearch['all']>): all is Patch[] {
  return all !== null && !('samples' in all) && all.length > 0;
}

const noted = new WeakMap<ProductStudy, Map<string, Scope>>();

/** So many samples of one channel; the same object for the same ones. */
function ofChannel(study: ProductStudy, channel: number, samples: number): Scope {
  const known = noted.get(study) ?? new Map<string, Scope>();
  noted.set(study, known);
  const key = `${channel} ${Math.min(samples, study.subset.samples.length)}`;
  const scope = known.get(key) ?? gridOf(study.subset, rowsOf(study, channel, samples), [channel], study.channels);
  known.set(key, scope);
  return scope;
}

/** Half of them such that differ: where few do, noise shows in no others. */
function rowsOf({ subset, channels, differing: differs }: ProductStudy, channel: number, most: number): number[] {
  const all = [...subset.samples.keys()];
  if (all.length <= most) return all;
  const differ = all.filter((row) => differs[row * channels + channel] === 1);
  return [...new Set([...spread(differ, most / 2), ...spread(all, most / 2)])].sort((a, b) => a - b);
}

/** Whether some samples show that the first of these channels has no weights that give its values. */
function isNoise(study: ProductStudy, base: ProductSetup, [channel]: readonly number[]): boolean {
  if (channel === undefined) return false;
  const scope = ofChannel(study, channel, SAMPLES_EACH * base.params.inFeatures + SPARE_SAMPLES);
  return new WeightSearch(study, scope, base, viewOf(study, base, scope)).refutesAll(0);
}

/** All weights of a channel by one number: its zero point is another, not its weights. */
function isShift(patches: readonly Patch[], { inFeatures }: Product): boolean {
  const by = patches.map(({ declared, found }) => found - declared);
  return patches.length > 1 && patches.length === inFeatures && by.every((change) => change === by[0]);
}

/** About how many samples it would take to tell whether a channel's weights are others; null: it can be told, or nothing tells. */
export function samplesForWeights(study: ProductStudy): { readonly channel: number; readonly samples: number } | null {
  const { subset, declared } = study;
  if (!study.complete || declared.steps.float) return null;
  const mismatched = study.mismatchesByChannel(declared);
  const channel = mismatched.indexOf(largestOf(mismatched));
  if (mismatched[channel] * 2 < subset.samples.length) return null;
  const found = new WeightSearch(study, subset, declared, viewOf(study, declared, subset)).all(channel);
  return found && 'samples' in found ? { channel, samples: found.samples } : null;
}

/** Of each channel's possible patches the first that makes it exact: a bound may admit what the replay rounds otherwise. */
function exactOnes(study: ProductStudy, base: ProductSetup, scope: Scope, possible: readonly Patch[][][]): Patch[] {
  const kept: Patch[] = [];
  let open = possible;
  for (let attempt = 0; attempt < MOST_ATTEMPTS && open.length > 0; attempt++) {
    const tried = open.map((patches) => patches[attempt]);
    const after = study.mismatchesByChannel(patched(base, tried.flat()), scope);
    const isExact = ([{ channel }]: readonly Patch[]) => after[scope.channels?.indexOf(channel) ?? channel] === 0;
    for (const own of tried.filter(isExact)) for (const patch of own) kept.push(patch);
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

function differing(mismatched: Counts): number[] {
  const channels: number[] = [];
  for (let n = 0; n < mismatched.length; n++) if (mismatched[n] > 0) channels.push(n);
  return channels;
}

function patched(base: ProductSetup, patches: readonly Patch[]): ProductSetup {
  return withParams(base, { weight: patchedWeights(base, patches) });
}

function patchedWeights({ params }: ProductSetup, patches: readonly Patch[]) {
  const weight = params.weight.slice();
  for (const { channel, k, found } of patches) weight[channel * params.inFeatures + k] = found;
  return weight;
}

function evidenceOf(
  patches: readonly Patch[],
  whole: readonly number[],
  { patch, inFeatures }: Product,
): CauseEvidence['weight-value'] {
  const listed = patches.slice(0, MOST_LISTED);
  const weights = listed.map((found) => ({ ...found, ...(patch && { tap: cellOf(patch, 0, found.k).tap }) }));
  const changed = (channel: number) => patches.reduce((count, one) => count + Number(one.channel === channel), 0);
  const channels = whole
    .slice(0, MOST_LISTED)
    .map((channel) => ({ channel, changed: changed(channel), of: inFeatures }));
  return {
    weights,
    omitted: patches.length - listed.length,
    ...(whole.length > 0 && { whole: channels, whole_omitted: whole.length - channels.length }),
  };
}

/** "channel 3", "24 channels". */
function wholeText({ whole = [], whole_omitted = 0 }: Partial<CauseEvidence['weight-value']>): string {
  const count = whole.length + whole_omitted;
  return count === 1 ? `channel ${whole[0].channel}` : counted(count, 'channel');
}

/** Where few samples leave more than one place. */
function orElse(alternatives: readonly { readonly k: number; readonly found: number }[] = []): string {
  return alternatives.map(({ k, found }) => ` or weight ${k} = ${found}`).join('');
}

/** As at a tie, where one of two rules rounds up. */
function areNext({ weights = [], whole }: CauseEvidence['weight-value']): boolean {
  return !whole && weights.length > 0 && weights.every(({ declared, found }) => Math.abs(declared - found) === 1);
}

/** ", bit 3 flipped", where the two bytes differ in one bit. */
function flippedBit(declared: number, found: number): string {
  const bits = (declared ^ found) & 0xff;
  return bits !== 0 && (bits & (bits - 1)) === 0 ? ` (bit ${Math.log2(bits)} flipped)` : '';
}
