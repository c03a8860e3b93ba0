/**
 * Which order of weights or places the observed values follow, whatever numbers come after the sums: scales, biases and roundings that
 * are wrong besides leave what is computed and what was observed going up and down together, channel by channel.
 */

import { largestOf, smallestOf } from '../../numeric/extremes.js';
import { inEachOrder, isShift } from '../orders/matrixOrders.js';
import type { ProductChange, ProductSetup, Setup } from '../setup.js';
import { spread } from '../study/arrays.js';
import type { Scope } from '../study/data.js';
import { partOf } from '../study/part.js';
import { gridOf } from '../study/sample.js';
import { isProductStudy, type ProductStudy, type Study } from '../study/study.js';

/** Of a right order with other numbers, clamps included; a wrong order has some 0.5 at most. */
const LEAST = 0.9;
const MOST_FOLLOWED = 2;
/** Fewer rows correlate by chance. */
const FEWEST_BETWEEN = 5;
/** Weights that are put into other orders, one order after the other: of 80,000 places there are hundreds of them. */
const MOST_WEIGHTS = 5e6;
/** Thousands of orders are compared by few values first, of which a right one has far more than this; of noise one in fifty has it by chance. */
const FEW = { rows: 16, channels: 4 };
const MORE = { ...FEW, channels: 32 };
const LEAST_OF_FEW = 0.6;

/** Those that explain nearly all of the variance of most channels, best first, where the declared order does not. */
export function followed(
  study: ProductStudy,
  candidates: readonly ProductChange[],
  setupOf: (one: ProductChange) => ProductSetup,
): ProductChange[] {
  const { sketch, channels } = study;
  if (sketch.samples.length < FEWEST_BETWEEN) return [];
  if (likeness(study, study.declared, sketch) >= LEAST) return [];
  const [few, more] = [FEW, MORE].map((extent) =>
    gridOf(
      sketch,
      spread([...sketch.samples.keys()], extent.rows),
      spread([...Array(channels).keys()], extent.channels),
      channels,
    ),
  );
  const isAtOnce = (one: ProductChange) => isShift(one) && !study.data.dynamic && !study.declared.params.addend;
  const most = Math.ceil(MOST_WEIGHTS / study.declared.params.weight.length);
  const others = candidates.filter((one) => !isAtOnce(one)).slice(0, most);
  const part = partOf(study, few);
  // whole weights of each take most of the time
  const ofFew = (one: ProductChange) =>
    part && one.weightsOf
      ? likeness(study, part.setupOf(one.weightsOf), part.scope)
      : likeness(study, setupOf(one), few);
  return [
    ...shifted(study, shifted(study, candidates.filter(isAtOnce), few), more),
    ...others.filter((one) => ofFew(one) >= LEAST_OF_FEW),
  ]
    .map((one) => ({ one, likeness: likeness(study, setupOf(one), sketch) }))
    .filter((each) => each.likeness >= LEAST)
    .sort((a, b) => b.likeness - a.likeness)
    .slice(0, MOST_FOLLOWED)
    .map(({ one }) => one);
}

/** Of right sums whatever is wrong after them; of noise it is a hundredth. */
const LEAST_RELATED = 0.1;

/** Whether what was observed has nothing to do with a setup's sums: no number after them is worth an estimate. */
export function isUnrelated(study: Study, setup: Setup): boolean {
  const of = unrelated.get(study) ?? new WeakMap<Setup, boolean>();
  unrelated.set(study, of);
  const known = of.get(setup) ?? areUnrelated(study, setup);
  of.set(setup, known);
  return known;
}

const unrelated = new WeakMap<Study, WeakMap<Setup, boolean>>();

function areUnrelated(study: Study, setup: Setup): boolean {
  if (!isProductStudy(study) || setup.kind !== 'product' || study.data.dynamic || setup.order) return false;
  const { sketch, channels } = study;
  const sums = study.engine.accumulator(setup, sketch);
  let [all, moving] = [0, 0];
  for (let n = 0; n < channels; n++) {
    const own = correlation(sums, n, channels, sketch.observed, n, channels);
    if (Number.isNaN(own)) continue;
    all += own;
    moving++;
  }
  return moving > 0 && Math.abs(all / moving) < LEAST_RELATED;
}

/** Of the thousands of shifts, those that few values do not refute. */
function shifted(study: ProductStudy, shifts: readonly ProductChange[], few: Scope): ProductChange[] {
  const columns = [...(few.channels ?? Array(study.channels)).keys()];
  const outputs = columns.map((column) => inEachOrder(study, shifts, few, column));
  const found = (shift: number) =>
    columns.map((column) => {
      return correlation(outputs[column], shift, shifts.length, few.observed, column, columns.length);
    });
  return shifts.filter((_, shift) => medianOf(found(shift)) >= LEAST_OF_FEW);
}

/** The median over channels of how far two sides correlate, by their codes or by the sums between the observed clamps; 0 where no channel moves. */
function likeness(study: ProductStudy, setup: ProductSetup, scope: Scope): number {
  const { observed } = scope;
  const channels = scope.channels?.length ?? study.channels;
  const { data } = study.outputs(setup, scope);
  const byCodes = Array.from({ length: channels }, (_, n) => correlation(data, n, channels, observed, n, channels));
  if (medianOf(byCodes) >= LEAST || study.data.dynamic) return medianOf(byCodes);
  const sums = study.engine.accumulator(setup, scope);
  const bySums = byCodes.map((_, n) => {
    const [own, seen] = betweenClamps(sums, observed, n, channels);
    return own.length < FEWEST_BETWEEN ? Number.NaN : correlation(own, 0, 1, seen, 0, 1);
  });
  return Math.max(medianOf(byCodes), medianOf(bySums));
}

/** Of a channel, the rows that hold neither its least nor its largest code: a zero point or a bias that is wrong clamps others than were seen. */
function betweenClamps(sums: ArrayLike<number>, observed: ArrayLike<number>, column: number, width: number) {
  const rows = Array.from({ length: observed.length / width }, (_, row) => row * width + column);
  const seen = rows.map((i) => observed[i]);
  const [least, most] = [smallestOf(seen), largestOf(seen)];
  const kept = rows.filter((i) => observed[i] > least && observed[i] < most);
  return [kept.map((i) => sums[i]), kept.map((i) => observed[i])] as const;
}

function medianOf(correlations: readonly number[]): number {
  const moving = correlations.filter((each) => !Number.isNaN(each)).sort((a, b) => a - b);
  return moving[Math.floor(moving.length / 2)] ?? 0;
}

/** Of right places by any rule; of noise it is a hundredth. */
const LEAST_ALIKE = 0.5;

const resembling = new WeakMap<Study, boolean>();

/** Whether what was observed goes up and down with what is declared: of noise no rule that moves it a little gives it. */
export function resemblesDeclared(study: Study): boolean {
  const known = resembling.get(study);
  if (known !== undefined) return known;
  const { declared, sketch } = study;
  const { data } = study.outputs(declared, sketch);
  const resembles = !(correlation(data, 0, 1, sketch.observed, 0, 1) < LEAST_ALIKE);
  resembling.set(study, resembles);
  return resembles;
}

/** Of a column of each of two arrays of rows; NaN where one side is constant. */
export function correlation(
  as: ArrayLike<number>,
  columnA: number,
  widthA: number,
  bs: ArrayLike<number>,
  columnB: number,
  widthB: number,
): number {
  let [n, sumA, sumB, squareA, squareB, product] = [0, 0, 0, 0, 0, 0];
  for (let i = columnA, j = columnB; j < bs.length; i += widthA, j += widthB, n++) {
    const a = as[i];
    const b = bs[j];
    sumA += a;
    sumB += b;
    squareA += a * a;
    squareB += b * b;
    product += a * b;
  }
  return (n * product - sumA * sumB) / Math.sqrt((n * squareA - sumA * sumA) * (n * squareB - sumB * sumB));
}
