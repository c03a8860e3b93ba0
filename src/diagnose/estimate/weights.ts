import { isPaired, type PairedAccumulateStep } from '../../kernels/steps/accumulate.js';
import type { Codes, Product } from '../../nouns/kernel.js';
import { isQuantized } from '../../nouns/value.js';
import { int32s } from '../../numeric/array.js';
import type { ProductSetup } from '../setup.js';
import type { Scope } from '../study/data.js';
import type { ProductStudy } from '../study/study.js';
import { isRefuted, solveAll } from './allWeights.js';
import { isBounded } from './interval.js';
import { type ChangedWeight, pairedEffort, severalUnderSaturation } from './saturatingWeights.js';
import { type Correction, effortOf, type Residuals, solveTogether } from './severalWeights.js';
import type { View } from './view.js';

export interface Patch {
  readonly channel: number;
  readonly k: number;
  readonly declared: number;
  readonly found: number;
  /** Other places that explain the channel as well. */
  readonly alternatives?: readonly { readonly k: number; readonly found: number }[];
}

/** A value of w[channel, k] that would explain a channel. */
interface Fit {
  readonly k: number;
  readonly found: number;
}

/** Possible values of a weight that are replayed: a channel whose codes are all clamped admits hundreds. */
export const MOST_ATTEMPTS = 8;
/** Of more than these none is right: the search for them ends. */
const MOST_PLACES = 3;
const MOST_ALTERNATIVES = 4;

/** The search for wrong weights in the channels of one scope, on top of one base. */
export class WeightSearch {
  private readonly zeroPoints: Int32Array;
  private readonly paired: PairedAccumulateStep | null;

  constructor(
    private readonly study: ProductStudy,
    private readonly scope: Scope,
    private readonly base: ProductSetup,
    private readonly view: View,
  ) {
    this.zeroPoints = int32s(study.engine.inputParams(base, scope), ({ zeroPoint }) => zeroPoint);
    const step = base.steps.accumulate;
    this.paired = isPaired(step) && step.applies(base.params) ? step : null;
  }

  /**
   * One weight that explains every observed value of a channel: its possible values, the middle first, each still to be
   * replayed. Null if there is none or the data do not determine it.
   * @param column the channel's place in the scope
   * @param differing values of this channel that support the search
   */
  one(column: number, differing: number): Patch[][] | null {
    if (differing < 3) return null;
    const residuals = this.residuals(column);
    const channel = this.channel(column);
    const fits = this.paired
      ? singleUnderSaturation(this.codesOf(channel), this.base, this.paired, residuals, channel, this.zeroPoints)
      : singleWeights(this.base, residuals, channel);
    const places = new Set(fits.map((fit) => fit.k));
    // with few values several places fit by accident
    if (fits.length === 0 || (places.size > 1 && (places.size > MOST_PLACES || differing <= 12))) return null;
    return patchesOf(this.base, channel, fits).map((patch) => [patch]);
  }

  /** A few weights that together do; p of them need 2p + 1 differing values. */
  several(column: number, differing: number): Patch[][] | null {
    if (this.paired) return this.severalPaired(column, differing, this.paired);
    const { inFeatures, weight } = this.base.params;
    const channel = this.channel(column);
    const found = solveTogether(this.residuals(column), differing, (k, change) => {
      const value = weight[channel * inFeatures + k] + change;
      return this.isWeight(value);
    });
    const patchOf = ({ k, change, others }: Correction): Patch => {
      const declared = weight[channel * inFeatures + k];
      const alternatives = others.slice(0, MOST_ALTERNATIVES).map((other) => ({ k, found: declared + other }));
      const patch = { channel, k, declared, found: declared + change };
      return alternatives.length === 0 ? patch : { ...patch, alternatives };
    };
    return found?.map((corrections) => corrections.map(patchOf)) ?? null;
  }

  private severalPaired(column: number, differing: number, step: PairedAccumulateStep): Patch[][] | null {
    const { params } = this.base;
    const channel = this.channel(column);
    const weights = params.weight.subarray(channel * params.inFeatures, (channel + 1) * params.inFeatures);
    const paired = {
      codes: this.codesOf(channel),
      weights,
      partner: partners(step, params),
      shift: step.codeShift(params),
      loss: (sum: number) => step.loss(sum),
      zeroPoints: this.zeroPoints,
      range: weightRange(params),
    };
    const found = severalUnderSaturation(paired, this.residuals(column), differing);
    const patchOf = ({ k, found: value, others = [] }: ChangedWeight): Patch => {
      const alternatives = others.slice(0, MOST_ALTERNATIVES).map((other) => ({ k, found: other }));
      return { channel, k, declared: weights[k], found: value, ...(alternatives.length > 0 && { alternatives }) };
    };
    return found && [found.map(patchOf)];
  }

  /** Whatever a channel's weights are; or about how many samples it would take to tell. Null: no weights give its values. */
  all(column: number): Patch[] | { readonly samples: number } | null {
    if (this.paired) return null;
    const { inFeatures, weight } = this.base.params;
    const channel = this.channel(column);
    const declared = weight.subarray(channel * inFeatures, (channel + 1) * inFeatures);
    const solved = solveAll(this.residuals(column), (k, change) => {
      return this.isWeight(declared[k] + change);
    });
    if (!solved || 'samples' in solved) return solved;
    const changed = [...solved.changes.keys()].filter((k) => solved.changes[k] !== 0);
    return changed.map((k) => ({ channel, k, declared: declared[k], found: declared[k] + solved.changes[k] }));
  }

  /** Whether no weights at all give a channel's values. */
  refutesAll(column: number): boolean {
    return !this.paired && isRefuted(this.residuals(column));
  }

  /** Multiply-adds of a search for several weights in one channel. */
  get effort(): number {
    if (this.paired) return pairedEffort(this.base.params.inFeatures);
    return effortOf(this.view.rows, this.base.params.inFeatures);
  }

  private isWeight(code: number): boolean {
    const [least, most] = weightRange(this.base.params);
    return code >= least && code <= most;
  }

  private codesOf(channel: number): Codes {
    return this.study.engine.codesOf(this.base, this.scope, channel);
  }

  private channel(column: number): number {
    return this.scope.channels?.[column] ?? column;
  }

  private residuals(column: number): Residuals {
    const { view } = this;
    const bias = view.biasSteps[column];
    // 1e-3 of a step: the kernel's float32 roundings, which the bounds of float outputs hold already
    const rounded = isQuantized(this.base.params.output);
    const slack = rounded ? 1e-3 : 0;
    const lo = new Float64Array(view.rows);
    const hi = new Float64Array(view.rows);
    for (let row = 0; row < view.rows; row++) {
      const i = row * view.channels + column;
      const rowUnit = view.rowUnits?.[row] ?? 1;
      const unit = view.stepsPerUnit[column] * rowUnit;
      const acc = view.acc[i] / rowUnit;
      lo[row] = (view.lo[i] - bias - slack) / unit - acc;
      hi[row] = (view.hi[i] - bias + slack) / unit - acc;
    }
    const codes = this.codesOf(this.channel(column));
    const { zeroPoints } = this;
    return {
      lo,
      hi,
      rounded,
      rows: view.rows,
      inFeatures: this.base.params.inFeatures,
      codes: codes.data,
      zeroPoints,
      get centred() {
        return centredCodes(codes, zeroPoints);
      },
    };
  }
}

function weightRange({ weightDtype }: Product): readonly [least: number, most: number] {
  return weightDtype === 'uint8' ? [0, 255] : [-128, 127];
}

function patchesOf({ params }: ProductSetup, channel: number, fits: readonly Fit[]): Patch[] {
  const middle = fits[Math.floor((fits.length - 1) / 2)];
  const byDistance = (from: Fit) => (a: Fit, b: Fit) =>
    Math.abs(a.found - from.found) - Math.abs(b.found - from.found) || Number(b.k === from.k) - Number(a.k === from.k);
  const nearest = [...fits].sort(byDistance(middle)).slice(0, MOST_ATTEMPTS);
  return nearest.map((fit) => {
    const { k, found } = fit;
    const alternatives = fits
      .filter((other) => other !== fit)
      .sort(byDistance(fit))
      .slice(0, MOST_ALTERNATIVES);
    const patch = { channel, k, declared: params.weight[channel * params.inFeatures + k], found };
    return alternatives.length === 0 ? patch : { ...patch, alternatives };
  });
}

const centredOf = new WeakMap<object, { zeroPoints: Int32Array; centred: Int32Array }>();

/** The same for every base of a scope that leaves the zero points as they are. */
function centredCodes({ data, cols }: Codes, zeroPoints: Int32Array): Int32Array {
  const known = centredOf.get(data);
  if (known?.zeroPoints.every((zp, row) => zp === zeroPoints[row])) return known.centred;
  const centred = new Int32Array(data.length);
  for (let row = 0, i = 0; i < centred.length; row++)
    for (const end = i + cols; i < end; i++) centred[i] = data[i] - zeroPoints[row];
  centredOf.set(data, { zeroPoints, centred });
  return centred;
}

/** Every (k, value) that alone explains the channel: dw * (x_k - x_zero_point) within the residual bounds of all rows. */
function singleWeights({ params }: ProductSetup, residuals: Residuals, channel: number): Fit[] {
  const { lo, hi, centred, rows, inFeatures } = residuals;
  const [least, most] = weightRange(params);
  const fits: Fit[] = [];
  for (let k = 0; k < inFeatures && !isAnywhere(fits); k++) {
    let from = Number.NEGATIVE_INFINITY;
    let to = Number.POSITIVE_INFINITY;
    for (let row = 0; row < rows && from <= to; row++) {
      const slope = centred[row * inFeatures + k];
      if (slope === 0) {
        if (lo[row] > 0 || hi[row] < 0) to = Number.NEGATIVE_INFINITY;
        continue;
      }
      const a = lo[row] / slope;
      const b = hi[row] / slope;
      from = Math.max(from, slope > 0 ? a : b);
      to = Math.min(to, slope > 0 ? b : a);
    }
    if (!isBounded({ lo: from, hi: to }) || from > to) continue;
    const declared = params.weight[channel * inFeatures + k];
    for (let found = Math.max(least, Math.ceil(declared + from)); found <= Math.min(most, declared + to); found++) {
      if (found !== declared) fits.push({ k, found });
    }
  }
  return fits;
}

/** The same where pair sums saturate: w is not linear there, so each value of each weight re-sums its own pair. */
function singleUnderSaturation(
  codes: Codes,
  base: ProductSetup,
  step: PairedAccumulateStep,
  residuals: Residuals,
  channel: number,
  zeroPoints: Int32Array,
): Fit[] {
  const { lo, hi, rows, inFeatures } = residuals;
  const x = codes.data;
  const { weight } = base.params;
  const partner = partners(step, base.params);
  const shift = step.codeShift(base.params);
  // those that refute most come first
  const order = Uint32Array.from({ length: rows }, (_, row) => row).sort(
    (a, b) => badness(lo[b], hi[b]) - badness(lo[a], hi[a]),
  );
  const offset = channel * inFeatures;
  const explainsRow = (row: number, k: number, found: number) => {
    const declared = weight[offset + k];
    const other = partner[k];
    const rest = other < 0 ? 0 : (x[row * inFeatures + other] + shift) * weight[offset + other];
    const code = x[row * inFeatures + k] + shift;
    const kept = (sum: number) => sum - step.loss(sum);
    const change = kept(code * found + rest) - kept(code * declared + rest);
    const corrected = change - (zeroPoints[row] + shift) * (found - declared);
    return corrected >= lo[row] && corrected <= hi[row];
  };
  const [least, most] = weightRange(base.params);
  const fits: Fit[] = [];
  const [worst] = order;
  for (let k = 0; k < inFeatures && !isAnywhere(fits); k++) {
    const declared = weight[offset + k];
    const code = x[worst * inFeatures + k] + shift;
    const slopes = [-(zeroPoints[worst] + shift), code - zeroPoints[worst] - shift] as const;
    const ranges = (step.clamps ? reaching : reachingWrapped)(slopes, lo[worst], hi[worst]);
    const tried = new Set<number>([declared]);
    for (const [from, to] of ranges) {
      for (let found = Math.max(least, declared + from); found <= Math.min(most, declared + to); found++) {
        if (tried.has(found)) continue;
        tried.add(found);
        let explained = 0;
        while (explained < rows && explainsRow(order[explained], k, found)) explained++;
        if (explained === rows) fits.push({ k, found });
      }
    }
  }
  return fits;
}

type Changes = readonly [from: number, to: number];

/**
 * Changes of a weight that may bring a row into its bounds: what one adds lies between the change times either slope, that of a
 * sum that is clamped and stays as it is, and that of one that is not.
 */
export function reaching([a, b]: readonly [number, number], lo: number, hi: number): Changes[] {
  const [least, most] = [Math.min(a, b), Math.max(a, b)];
  const [downFrom, downTo] = upwards(-most, -least, lo, hi);
  return [[-downTo, -downFrom], upwards(least, most, lo, hi)];
}

/** The same where sums wrap at 16 bits: a change may take one round, or out of one, on either side. */
export function reachingWrapped([, slope]: readonly [number, number], lo: number, hi: number): Changes[] {
  return [-2, -1, 0, 1, 2].flatMap((rounds) => reaching([slope, slope], lo - rounds * 65536, hi - rounds * 65536));
}

/** c from 1 on with c * most >= lo and c * least <= hi; 1e-6: the quotients are rounded. */
function upwards(least: number, most: number, lo: number, hi: number): Changes {
  let [from, to] = [1, 255];
  if (most > 0) from = Math.max(from, Math.ceil(lo / most - 1e-6));
  else if (lo > 0 && most === 0) to = 0;
  else if (most < 0) to = Math.min(to, Math.floor(lo / most + 1e-6));
  if (least > 0) to = Math.min(to, Math.floor(hi / least + 1e-6));
  else if (hi < 0 && least === 0) to = 0;
  else if (least < 0) from = Math.max(from, Math.ceil(hi / least - 1e-6));
  return [from, to];
}

/** Codes that are all clamped admit any value of any weight: hundreds for each. */
function isAnywhere(fits: readonly Fit[]): boolean {
  let places = 0;
  for (let i = 0; i < fits.length && places <= MOST_PLACES; i++) if (fits[i].k !== fits[i - 1]?.k) places++;
  return places > MOST_PLACES;
}

/** How far the declared weight is outside of what a row allows. */
function badness(lo: number, hi: number): number {
  return Math.max(lo, -hi, 0);
}

/** partner[k]: the other k of k's pair, or -1. */
function partners(step: PairedAccumulateStep, product: Product): Int32Array {
  const { first, second } = step.pairs(product);
  const partner = new Int32Array(product.inFeatures).fill(-1);
  first.forEach((k, p) => {
    if (second[p] < 0) return;
    partner[k] = second[p];
    partner[second[p]] = k;
  });
  return partner;
}
