/** Products that a kernel adds in pairs at int16, and the pair that leaves it farthest. */

import { takes } from '../../kernels/kernel.js';
import { kernelsOfProduct } from '../../kernels/registry.js';
import {
  isPaired,
  isSaturating,
  isWrapping,
  type PairedAccumulateStep,
  type Pairs,
} from '../../kernels/steps/accumulate.js';
import type { Kernel, Product } from '../../nouns/kernel.js';
import type { Layer } from '../../nouns/model.js';
import { areSame } from '../../numeric/array.js';
import { linear } from '../../ops/linear.js';
import type { Range } from './range.js';

type Ran = Pick<Layer, 'op' | 'arithmetic'>;

export interface PairGroup {
  readonly step: PairedAccumulateStep;
  readonly pairs: Pairs;
  readonly kernels: readonly string[];
}

export interface WorstPair {
  readonly k: [number, number];
  readonly x: [number, number];
  readonly w: [number, number];
  readonly sum: number;
  readonly saturated: number;
}

export interface LosingPairs {
  readonly pair: WorstPair;
  /** How many pairs can leave int16, and how many there are. */
  readonly pairs: number;
  readonly total: number;
}

/** x86: vpmaddubsw saturates. */
export function saturatingGroups(product: Product, layer: Ran, declared: Kernel): PairGroup[] {
  return groupsOf(product, layer, declared, isSaturating);
}

/** ARM without dot product: smlal wraps. */
export function wrappingGroups(product: Product, layer: Ran, declared: Kernel): PairGroup[] {
  return groupsOf(product, layer, declared, isWrapping);
}

/** Kernels that pair this layer's products in the same way: K blocks of oneDNN shift pairs in some widths only. */
function groupsOf(
  product: Product,
  layer: Ran,
  declared: Kernel,
  selects: (step: PairedAccumulateStep) => boolean,
): PairGroup[] {
  const groups: Kernels[] = [];
  const ofStep = new Map<PairedAccumulateStep, Kernels>(); // a step pairs millions of products
  // a dynamic layer adds its products as the static one does
  const op = product.patch ? layer.op : linear.name;
  for (const { kernel, steps } of kernelsOfProduct(layer, op, declared)) {
    const step = steps.accumulate;
    // of uint8 weights and int32 outputs not every kernel has one
    if (!isPaired(step) || !selects(step) || !step.applies(product) || !takes(steps, product)) continue;
    let group = ofStep.get(step);
    if (!group) {
      const own: Kernels = { step, pairs: step.pairs(product), kernels: [] };
      group = groups.find((other) => pairAlike(product, other, own)) ?? own;
      if (group === own) groups.push(own);
      ofStep.set(step, group);
    }
    group.kernels.push(kernel.name);
  }
  return groups;
}

type Kernels = PairGroup & { readonly kernels: string[] };

function pairAlike(product: Product, one: PairGroup, other: PairGroup): boolean {
  return (
    areSame(one.pairs.first, other.pairs.first) &&
    areSame(one.pairs.second, other.pairs.second) &&
    one.step.leavesHolesOut(product) === other.step.leavesHolesOut(product)
  );
}

/** Over a range of codes; null where no pair leaves int16. */
export function worstPair(product: Product, group: PairGroup, channel: number, codes: Range): LosingPairs | null {
  const total = group.pairs.first.length;
  const shift = group.step.codeShift(product);
  const shifted = { lo: codes.lo + shift, hi: codes.hi + shift };
  let worst: WorstPair | null = null;
  let pairs = 0;
  const start = channel * product.inFeatures;
  const capable = (from: number) => nextCapable(product.weight, start, group.pairs, shifted, from);
  for (let p = capable(0); p < total; p = capable(p + 1)) {
    const above = lossAt(product, group, channel, shifted, p, 1);
    const below = lossAt(product, group, channel, shifted, p, -1);
    if (above === 0 && below === 0) continue;
    pairs++;
    if (!worst || above > lossOf(worst)) worst = extremePair(product, group, channel, shifted, p, 1);
    if (below > lossOf(worst)) worst = extremePair(product, group, channel, shifted, p, -1);
  }
  return worst && { pair: worst, pairs, total };
}

/** The first pair, from one on, that may leave int16: of a billion weights that fit a small file nearly none does. */
function nextCapable(
  weight: Product['weight'],
  start: number,
  { first, second }: Pairs,
  { lo, hi }: Range,
  from: number,
): number {
  for (let p = from; p < first.length; p++) {
    const a = weight[start + first[p]];
    const b = second[p] < 0 ? 0 : weight[start + second[p]];
    const positive = Math.max(a, 0) + Math.max(b, 0);
    const negative = a + b - positive;
    if (!(positive * hi + negative * lo <= 32767 && positive * lo + negative * hi >= -32768)) return p;
  }
  return first.length;
}

function lossOf({ sum, saturated }: WorstPair): number {
  return Math.abs(sum - saturated);
}

/** What pair p loses where its sum is largest (sign: 1), or smallest (-1): most lose nothing, and are no object. */
function lossAt(
  { weight, inFeatures }: Product,
  { step, pairs }: PairGroup,
  channel: number,
  { lo, hi }: Range,
  p: number,
  sign: number,
): number {
  let sum = 0;
  for (const index of [pairs.first[p], pairs.second[p]]) {
    const w = index < 0 ? 0 : weight[channel * inFeatures + index];
    sum += w * (w * sign > 0 ? hi : lo);
  }
  return Math.abs(step.loss(sum));
}

/** That pair; codes shifted as the step wants them. */
function extremePair(
  { weight, inFeatures }: Product,
  { step, pairs }: PairGroup,
  channel: number,
  { lo, hi }: Range,
  p: number,
  sign: number,
): WorstPair {
  const k: [number, number] = [pairs.first[p], pairs.second[p]];
  const at = (index: number) => (index < 0 ? 0 : weight[channel * inFeatures + index]);
  const w: [number, number] = [at(k[0]), at(k[1])];
  const x: [number, number] = [w[0] * sign > 0 ? hi : lo, w[1] * sign > 0 ? hi : lo];
  const sum = x[0] * w[0] + x[1] * w[1];
  return { k, x, w, sum, saturated: sum - step.loss(sum) };
}
