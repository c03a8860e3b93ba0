/** Orders along k of a matrix's weights, or of the channels in each tap of a convolution, as a rule that a person would write. */
import type { NumericArray } from '../../nouns/array.js';
import type { Codes, Product } from '../../nouns/kernel.js';
import { emptyLike, int32s } from '../../numeric/array.js';
import { weightZeroPointOf } from '../../products/exactSums.js';
import { channelsOfProduct, groupOf } from '../../products/groups.js';
import { replayProduct } from '../../replay/product.js';
import { sizeOf, strideOf } from '../../tensor/shape.js';
import { boundedIn, givingAll, TRIED } from '../alternatives/boundedValues.js';
import { FREEDOM, type ProductChange, type ProductSetup, withParams } from '../setup.js';
import type { Scope } from '../study/data.js';
import type { ProductStudy } from '../study/study.js';
import { at, inArmBlocks, interleaved, inWords, planesOf } from './packedOrders.js';

const MOST_UNTRIED = 32;
/** How an order is called of which some products are missing. */
export const LEFT_OUT = 'without';
/** Multiply-adds for shifts by ever more places. */
const MOST_EFFORT = 1e8;

/** Where weight [out, k] is taken from, in the declared matrix. */
type Order = (out: number, k: number) => number;
/** Places k from `first` to before `end` take the weight so many places on; others take none. An order within a row, which thousands are. */
interface Run {
  readonly first: number;
  readonly end: number;
  readonly by: number;
}
type Moved = readonly [order: string, of: 'weights' | 'input', places: readonly Run[]];
type Named = Moved | readonly [order: string, of: 'weights' | 'input', places: Order];

/** The orders that give some values of the sketch, nearly. */
export function matrixOrders(study: ProductStudy, base: ProductSetup): ProductChange[] {
  const { params } = study.declared;
  if (base.params.weight !== params.weight || params.inFeatures < 2) return [];
  return fittingOrders(study, base);
}

/** Of a convolution: the orders of channels that give some values of the sketch, nearly; a few where values tell no sums. */
export function channelOrders(study: ProductStudy, base: ProductSetup): ProductChange[] {
  const { params } = study.declared;
  if (base.params.weight !== params.weight) return [];
  if (study.data.dynamic || params.curve || params.addend) return someOrders(study).slice(0, MOST_UNTRIED);
  return fittingOrders(study, base);
}

function fittingOrders(study: ProductStudy, base: ProductSetup): ProductChange[] {
  const { params } = study.declared;
  return fitting(study, base, ordersOf(params)).map((order) => change(params, order));
}

/** As many of them as whole layers of weights may be made for. */
export function someOrders({ declared: { params } }: ProductStudy): ProductChange[] {
  const most = Math.floor(MOST_EFFORT / params.weight.length);
  return ordersOf(params)
    .slice(0, most)
    .map((order) => change(params, order));
}

/** All of them: beside a wrong number none gives the observed values. */
export function allOrders(study: ProductStudy): ProductChange[] {
  const { params } = study.declared;
  if (params.inFeatures < 2) return [];
  return study.data.dynamic ? someOrders(study) : ordersOf(params).map((order) => change(params, order));
}

/** The few that need no look at the data: another change may stand beside them. */
export function commonOrders({ data, declared: { params } }: ProductStudy): ProductChange[] {
  if (data.side !== 'candidate' || params.inFeatures < 2) return [];
  return wholeOrders(params).map((order) => change(params, order));
}

/** Memory of the other layout (of square layers a cause of its own), and the reverse. */
function wholeOrders({ inFeatures: inputs, outFeatures: outputs }: Product): Named[] {
  const reversed: Named = ['reversed along k', 'weights', (n, k) => n * inputs + inputs - 1 - k];
  if (inputs === outputs) return [reversed];
  return [
    ['[in, out] memory read as [out, in]', 'weights', (n, k) => at(n * inputs + k, outputs, inputs)],
    ['[out, in] memory read as [in, out]', 'weights', (n, k) => k * outputs + n],
    reversed,
  ];
}

const known = new WeakMap<Product, readonly Named[]>();

/** Thousands of a wide layer, asked for on each base. */
function ordersOf(params: Product): readonly Named[] {
  const orders = known.get(params) ?? (params.patch ? ordersOfChannels(params) : makeOrders(params));
  known.set(params, orders);
  return orders;
}

function makeOrders(params: Product): Named[] {
  const { inFeatures: inputs } = params;
  const planes = planesOf(inputs).map(
    ([a, b, from]): Named => [
      `k = (a, b) of ${a} x ${b} taken as (b, a): HWC for CHW or the reverse`,
      'weights',
      (n, k) => n * inputs + from(k),
    ],
  );
  const words = inWords(inputs).map(([order, from]): Named => [order, 'weights', (n, k) => n * inputs + from(k)]);
  const packed = [...interleaved(params), ...inArmBlocks(params)];
  const others = [...planes, ...otherRows(params), ...packed, ...words, ...cutShort(inputs, 'product')];
  return [...wholeOrders(params), ...others, ...shifts(inputs, inputs)];
}

/** Banks of weights that were taken for each other's; biases and multipliers are each channel's own. */
function otherRows({ inFeatures: inputs, outFeatures: outputs }: Product): Named[] {
  const named = (what: string, row: (n: number) => number): Named => {
    return [`rows ${what}`, 'weights', (n, k) => row(n) * inputs + k];
  };
  if (outputs < 2) return [];
  return [
    ...(outputs % 2 === 0 ? [named('exchanged in pairs', (n) => (n % 2 === 0 ? n + 1 : n - 1))] : []),
    named('of channel 0 for all', () => 0),
    named('from last to first', (n) => outputs - 1 - n),
    named('one further', (n) => (n + 1) % outputs),
    named('one before', (n) => (n + outputs - 1) % outputs),
  ];
}

/** A loop that begins late or ends early: a tail that fills no vector, a bound off by one. */
const MOST_LEFT_OUT = { product: 15, channel: 3 } as const;

function cutShort(inputs: number, what: keyof typeof MOST_LEFT_OUT): Moved[] {
  const most = Math.min(MOST_LEFT_OUT[what], inputs - 1);
  return Array.from({ length: most }, (_, i) => i + 1).flatMap((n): Moved[] => {
    const [early, late] = [[{ first: 0, end: inputs - n, by: 0 }], [{ first: n, end: inputs, by: 0 }]];
    const some = n > 1 ? `${n} ${what}s` : what;
    return [
      [`${LEFT_OUT} the last ${some}`, 'input', early],
      [`${LEFT_OUT} the first ${some}`, 'input', late],
    ];
  });
}

/** The same order of channels in every tap. */
function ordersOfChannels(params: Product): Named[] {
  const { inFeatures, patch } = params;
  const { inChannels, window } = patch!;
  const cut = [...cutKernel(window.kernel, inChannels), ...otherRows(params), ...interleaved(params)];
  if (inChannels < 2) return cut;
  const planes = planesOf(inChannels).map(
    ([a, b, from]): Named => [
      `channels (a, b) of ${a} x ${b} taken as (b, a)`,
      'weights',
      (out, k) => out * inFeatures + k - (k % inChannels) + from(k % inChannels),
    ],
  );
  const words = inWords(inChannels).map(
    ([order, from]): Named => [
      `channels ${order}`,
      'weights',
      (out, k) => out * inFeatures + k - (k % inChannels) + from(k % inChannels),
    ],
  );
  const taps = Array.from({ length: inFeatures / inChannels }, (_, tap) => tap * inChannels);
  const within = [...cutShort(inChannels, 'channel'), ...shifts(inChannels, inFeatures)];
  const inTaps = new Map<Run, readonly Run[]>();
  const inEachTap = (run: Run) => {
    const { first, end, by } = run;
    const all = inTaps.get(run) ?? taps.map((at): Run => ({ first: first + at, end: end + at, by }));
    inTaps.set(run, all);
    return all;
  };
  const moved = within.map(([order, of, runs]): Named => {
    return [order.startsWith(LEFT_OUT) ? order : `channels ${order}`, of, runs.flatMap(inEachTap)];
  });
  return [...cut, ...planes, ...words, ...moved];
}

/** Loops over a kernel that are one short: of all its products, or along an axis. */
function cutKernel(kernel: readonly number[], inChannels: number): Named[] {
  const inFeatures = sizeOf(kernel) * inChannels;
  const named = (order: string, runs: Run[]): Named => [`${LEFT_OUT} the ${order}`, 'input', runs];
  const ofAxes = [...kernel.keys()].flatMap((axis): Named[] => {
    const size = strideOf(kernel, axis) * inChannels;
    const all = size * kernel[axis];
    if (kernel[axis] < 2) return [];
    const what = axis === kernel.length - 1 ? 'column' : axis === kernel.length - 2 ? 'row' : 'slice';
    const without = (first: number) =>
      Array.from({ length: inFeatures / all }, (_, i) => {
        return { first: i * all + first, end: (i + 1) * all - size + first, by: 0 };
      });
    return [named(`last kernel ${what}`, without(0)), named(`first kernel ${what}`, without(size))];
  });
  if (sizeOf(kernel) === 1) return ofAxes;
  const last = { first: 0, end: inFeatures - inChannels, by: 0 };
  const first = { first: inChannels, end: inFeatures, by: 0 };
  // with one channel a tap is a product
  const taps = inChannels === 1 ? [] : [named('last tap', [last]), named('first tap', [first])];
  return [...cutShort(inFeatures, 'product').slice(0, 2), ...taps, ...ofAxes];
}

/** By so many places every shift is meant; by more it is of whole lines of memory: thousands of shifts take a wide layer's time. */
const MOST_BY_ONE = 256;
const LINE = 16;

/** The input by n places early or late, with nothing before it, or with its end, of the same runs; length: of the sums on which they are tried. */
function shifts(inputs: number, length: number): Moved[] {
  const most = Math.min(inputs - 1, Math.max(16, Math.floor(MOST_EFFORT / (TRIED * length * 4))));
  const places = Array.from({ length: most }, (_, i) => i + 1).filter((n) => n <= MOST_BY_ONE || n % LINE === 0);
  const runs = new Map<number, Run>();
  const runOf = (by: number) => {
    const run = runs.get(by) ?? { first: Math.max(0, -by), end: inputs - Math.max(0, by), by };
    runs.set(by, run);
    return run;
  };
  return places.flatMap((n) =>
    [n, -n].flatMap((by): Moved[] => {
      const around = runOf(by > 0 ? by - inputs : by + inputs);
      return [
        [`shifted by ${by}`, 'input', [runOf(by)]],
        [`rotated by ${by}`, 'input', [runOf(by), around]],
      ];
    }),
  );
}

/** Orders that give some values, nearly. */
function fitting(study: ProductStudy, base: ProductSetup, orders: readonly Named[]): Named[] {
  const { scope, tried } = boundedIn(study, base);
  if (tried.length <= 8) return [];
  const codes = study.engine.codes(base, scope);
  const inputs = study.engine.inputParams(base, scope);
  const sumsOf = sumsIn(base.params, codes, (row) => inputs[row].zeroPoint);
  return givingAll(orders, tried, { codes, params: base.params }, ({ row, channel }) => {
    const sumOf = sumsOf(row, channel);
    return ([, , places]) => sumOf(places);
  });
}

/** Of one row and channel the sum with its weights in another order. Shifts and rotations share their runs. */
function sumsIn(
  { weight, inFeatures, ...params }: Product,
  { cols, data }: Codes,
  zeroPointOf: (row: number) => number,
) {
  return (row: number, n: number) => {
    const zeroPoint = zeroPointOf(row);
    const group = cols === inFeatures ? 0 : groupOf({ ...params, weight, inFeatures } as Product, n);
    const [x, w, own] = [row * cols + group * inFeatures, n * inFeatures, weightZeroPointOf(params, n)];
    const values = int32s({ length: inFeatures }, (_, k) => data[x + k] - zeroPoint);
    const weights = int32s({ length: inFeatures }, (_, k) => weight[w + k] - own);
    const known = new Map<Run, number>();
    const sumOfRun = (run: Run) => {
      let sum = known.get(run);
      if (sum !== undefined) return sum;
      sum = sumOf(values, weights, run);
      known.set(run, sum);
      return sum;
    };
    return (places: Order | readonly Run[]): number => {
      let sum = 0;
      if (typeof places !== 'function') {
        for (let i = 0; i < places.length; i++) sum += sumOfRun(places[i]);
        return sum;
      }
      for (let k = 0; k < inFeatures; k++) sum += values[k] * (weight[places(n, k)] - own);
      return sum;
    };
  };
}

function sumOf(values: Int32Array, weights: Int32Array, { first, end, by }: Run): number {
  let sum = 0;
  for (let k = first; k < end; k++) sum += values[k] * weights[k + by];
  return sum;
}

const runsOf = new WeakMap<ProductChange, readonly Run[]>();

/** Whether it is one of thousands. */
export function isShift(order: ProductChange): boolean {
  return runsOf.has(order);
}

/** What one channel of a scope computes with its weights shifted in each of these ways, [rows, orders]: the channels of one product. */
export function inEachOrder(
  study: ProductStudy,
  shifts: readonly ProductChange[],
  scope: Scope,
  column: number,
): NumericArray {
  const { declared, engine, data } = study;
  const channel = scope.channels?.[column] ?? column;
  const own = channelsOfProduct(declared.params, channel, channel + 1);
  const weight = emptyLike(own.weight, shifts.length * own.inFeatures).fill(weightZeroPointOf(own, 0));
  shifts.forEach((shift, i) => {
    for (const { first, end, by } of runsOf.get(shift)!)
      weight.set(own.weight.subarray(first + by, end + by), i * own.inFeatures + first);
  });
  const repeated = <A extends NumericArray>(numbers: A) => emptyLike(numbers, shifts.length).fill(numbers[0]) as A;
  const product: Product = {
    ...own,
    outFeatures: shifts.length,
    perChannel: true,
    weight,
    weightScale: repeated(own.weightScale),
    weightZeroPoint: repeated(own.weightZeroPoint),
    bias: own.bias && repeated(own.bias),
    biasInt32: own.biasInt32 && repeated(own.biasInt32),
    ...(own.biasInt64 && { biasInt64: repeated(own.biasInt64) }),
  };
  return replayProduct(declared.steps, product, engine.codesOf(declared, scope, channel), data.fast).data;
}

function change(params: Product, [order, of, places]: Named): ProductChange {
  const isInRows = typeof places !== 'function';
  // rows move as they do in a part of the channels, all else in the whole
  const weightsOf = (part: Product, channels: readonly number[]) =>
    isInRows ? moved(part, places) : ordered(params, places, channels);
  let taken: Product['weight'] | null = null;
  const made: ProductChange = {
    cause: 'k-order',
    coordinate: 'weights',
    freedom: FREEDOM.none,
    label: order,
    found: { of, order, ...(params.patch ? {} : { matrix: true as const }) },
    weightsOf,
    apply: (setup) => {
      taken ??= weightsOf(params, [...Array(params.outFeatures).keys()]);
      return withParams(setup, { weight: taken });
    },
  };
  if (isInRows) runsOf.set(made, places);
  return made;
}

/** channels: those that are wanted. */
function ordered(params: Product, from: Order, channels: readonly number[]): Product['weight'] {
  const { weight, inFeatures } = params;
  const taken = emptyLike(weight, channels.length * inFeatures);
  channels.forEach((out, row) => {
    for (let k = 0, i = row * inFeatures; k < inFeatures; k++, i++) taken[i] = weight[from(out, k)];
  });
  return taken;
}

/** The same by stretches of a row: those that move as far as the first all at once, what is beside them value by value. */
function moved(params: Product, runs: readonly Run[]): Product['weight'] {
  const { weight, inFeatures, outFeatures } = params;
  const { by } = runs[0];
  const taken = by === 0 ? weight.slice() : emptyLike(weight, weight.length);
  if (by > 0) taken.set(weight.subarray(by));
  if (by < 0) taken.set(weight.subarray(0, by), -by);
  const others = runs.filter((run) => run.by !== by);
  const left = gapsOf(runs, inFeatures);
  for (let out = 0; out < outFeatures; out++) {
    const row = out * inFeatures;
    const zeroPoint = weightZeroPointOf(params, out);
    for (const [first, end] of left) for (let i = row + first; i < row + end; i++) taken[i] = zeroPoint;
    for (const run of others) for (let i = row + run.first; i < row + run.end; i++) taken[i] = weight[i + run.by];
  }
  return taken;
}

/** Places that are in no run. */
function gapsOf(runs: readonly Run[], inFeatures: number): [first: number, end: number][] {
  const gaps: [number, number][] = [];
  let first = 0;
  for (const run of runs.toSorted((a, b) => a.first - b.first)) {
    if (run.first > first) gaps.push([first, run.first]);
    first = Math.max(first, run.end);
  }
  return first < inFeatures ? [...gaps, [first, inFeatures]] : gaps;
}
