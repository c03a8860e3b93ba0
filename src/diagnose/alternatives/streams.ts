/**
 * Outputs as one multiplier computes them, one after the other: what an accumulator that is cleared at another time than between two
 * outputs holds of the one before, or of the one after.
 */

import { scriptedInt32Bias } from '../../kernels/steps/bias.js';
import type { SumData } from '../../nouns/kernel.js';
import { areSame, float64s, int32s } from '../../numeric/array.js';
import { weightZeroPointOf } from '../../products/exactSums.js';
import { viewOf } from '../estimate/view.js';
import type { Carried, ProductSetup } from '../setup.js';
import type { Scope } from '../study/data.js';
import { gridOf, readScope } from '../study/sample.js';
import type { ProductStudy } from '../study/study.js';
import { COST } from '../study/work.js';
import { REACH } from './boundedValues.js';

/** What is added to a sum: all sums before it, their biases too, or the first one's for all; the one before it; a product of a neighbour. */
export type Carry =
  | 'sums'
  | 'sums and biases'
  | 'sums, the first bias'
  | 'one sum'
  | 'last product'
  | 'last product too'
  | 'first product';

/** Between which outputs nothing is cleared, in their order: those of a place, of a line, a channel, a sample, or all. */
export type Between =
  | 'channels'
  | 'columns'
  | 'places'
  | 'channels, place by place'
  | 'places, channel by channel'
  | 'samples'
  | 'all, place by place'
  | 'all, channel by channel';

export interface Stream {
  readonly carry: Carry;
  readonly between: Between;
}

/** Numbers of all outputs in memory: 64 MB each. */
const MOST_VALUES = 2 ** 23;
/** On so few outputs nearly everything fails; what does not may be zeros at the border of an image, behind which each took 0.1 s to fail. */
const HEADS = [
  { rows: 8, channels: 8 },
  { rows: 512, channels: 8 },
];

/** The first stream that gives every value; null: none. */
export async function streamThatGives(
  study: ProductStudy,
  base: ProductSetup,
): Promise<readonly [Stream, Carried] | null> {
  const rows = study.data.to - study.data.from;
  const shape = shapeOf(study, base);
  if (rows * shape.channels > MOST_VALUES || study.data.from % shape.positions > 0) return null;
  const open = await openStreams(study, base, shape);
  if (open.length === 0) return null;
  const scopes = [];
  for await (const scope of study.blocks()) scopes.push(scope);
  const numbers = numbersOf(study, base, scopes, shape.channels);
  for (const stream of open) {
    const all = runs(stream.between, shape, rows, true);
    const carried = carriedOf(study, stream, carriesOf(stream, all, numbers, shape.channels, () => false)!);
    const setup = { ...base, carried };
    if (study.agreesOnSubset(setup) && (await study.agreeEverywhere([setup]))[0]) return [stream, carried];
  }
  return null;
}

interface Shape {
  readonly positions: number;
  /** Of the innermost axis. */
  readonly columns: number;
  readonly channels: number;
  /** These are the first ones only. */
  readonly isCut: boolean;
}

function shapeOf({ channels }: ProductStudy, { params: { patch } }: ProductSetup): Shape {
  if (!patch) return { positions: 1, columns: 1, channels, isCut: false };
  return { positions: patch.taps.positions, columns: patch.output.at(-1)!, channels, isCut: false };
}

function streamsOf({ positions, columns, channels }: Shape, hasBias: boolean): Stream[] {
  const ofPlaces = positions > 1;
  const ofChannels = channels > 1;
  const between: Between[] = [
    ...(ofChannels ? (['channels'] as const) : []),
    ...(columns > 1 && columns < positions ? (['columns'] as const) : []),
    ...(ofPlaces ? (['places'] as const) : []),
    ...(ofPlaces && ofChannels ? (['channels, place by place', 'places, channel by channel'] as const) : []),
    'samples',
    ...(ofChannels ? (['all, place by place'] as const) : []),
    ...(ofPlaces && ofChannels ? (['all, channel by channel'] as const) : []),
  ];
  const biased: Carry[] = hasBias ? ['sums and biases', 'sums, the first bias'] : [];
  const carries: Carry[] = ['sums', ...biased, 'one sum', 'last product', 'last product too', 'first product'];
  return between.flatMap((own) => carries.map((carry) => ({ carry, between: own })));
}

const heads = new WeakMap<ProductStudy, Scope[]>();

/** The first rows and channels. */
async function headOf(study: ProductStudy, i: number): Promise<Scope> {
  const own = heads.get(study) ?? [];
  heads.set(study, own);
  if (own[i]) return own[i];
  const { from, to } = study.data;
  const rows = Array.from({ length: Math.min(HEADS[i].rows, to - from) }, (_, i) => from + i);
  const channels = Array.from({ length: Math.min(HEADS[i].channels, study.channels) }, (_, n) => n);
  own[i] = gridOf(await readScope(study.data, rows), [...rows.keys()], channels, study.channels);
  return own[i];
}

/** By the sums: most changes are of what follows them. */
const known = new WeakMap<SumData, Numbers>();

function numbersOfHead(study: ProductStudy, base: ProductSetup, head: Scope, channels: number): Numbers {
  const sums = study.engine.accumulator(base, head);
  const biases = scriptedInt32Bias(base.params);
  const made = known.get(sums);
  if (made && (made.biases === biases || (made.biases && biases && areSame(made.biases, biases)))) return made;
  const numbers = numbersOf(study, base, [head], channels);
  known.set(sums, numbers);
  return numbers;
}

/** Of each head the outputs in every order: they are asked for beside a thousand changes. */
const inOrder = new WeakMap<Scope, Map<Between, readonly Run[]>>();

function runsOfHead(study: ProductStudy, shape: Shape, head: Scope, channels: number) {
  const isCut = channels < shape.channels;
  const isAll = !isCut && head.samples.length === study.data.to - study.data.from;
  const made = inOrder.get(head) ?? new Map<Between, readonly Run[]>();
  inOrder.set(head, made);
  return (between: Between): readonly Run[] => {
    const own = made.get(between) ?? [...runs(between, { ...shape, channels, isCut }, head.samples.length, isAll)];
    made.set(between, own);
    return own;
  };
}

/** Those that give the first values, as far as these are known; on the second head only what the first one leaves. */
async function openStreams(study: ProductStudy, base: ProductSetup, shape: Shape): Promise<readonly Stream[]> {
  study.data.work?.add(COST.streams);
  let open: readonly Stream[] = streamsOf(shape, scriptedInt32Bias(base.params) !== null);
  for (let i = 0; i < HEADS.length && open.length > 0; i++)
    open = openOn(study, base, shape, await headOf(study, i), open);
  return open;
}

/** Of which enough is known: two values at least, and something is carried. */
function openOn(
  study: ProductStudy,
  base: ProductSetup,
  shape: Shape,
  head: Scope,
  streams: readonly Stream[],
): Stream[] {
  const width = head.channels?.length ?? shape.channels;
  const outputs = (carried?: Carried) => study.outputs({ ...base, ...(carried && { carried }) }, head).data;
  const own = outputs();
  const isOwn = own.map((code, i) => Number(code === head.observed[i]));
  const admits = bounded(study, base, head);
  const numbers = numbersOfHead(study, base, head, width);
  const runsOf = runsOfHead(study, shape, head, width);
  const isRefuted = (i: number, carry: number) => (carry === 0 ? !isOwn[i] : !admits(i, carry));
  return streams.filter((stream) => {
    const carries = carriesOf(stream, runsOf(stream.between), numbers, width, isRefuted);
    if (!carries) return false;
    const held = int32s({ length: carries.length }, (_, i) => i).filter(
      (i) => carries[i] !== 0 && !Number.isNaN(carries[i]),
    );
    const free = carries.filter((carry) => carry === 0).length;
    if (held.length + free < 2 || held.length === 0) return false;
    const of = (sample: number, n: number) => carries[(sample - study.data.from) * width + n] || 0;
    const data = outputs(carriedBy(`${nameOf(stream)}, first values`, of));
    return held.every((i) => data[i] === head.observed[i]);
  });
}

/** Whether a sum may be so much more, nearly: of hundreds of bases each stream was replayed. */
function bounded(study: ProductStudy, base: ProductSetup, head: Scope): (i: number, carry: number) => boolean {
  const { acc, channels, rowUnits, stepsPerUnit, biasSteps, lo, hi } = viewOf(study, base, head);
  // codes or products that wrap are bounded by those that are computed
  if (rowUnits || base.stores || 'inFull' in base.steps.multiplier) return () => true;
  return (i, carry) => {
    const n = i % channels;
    const steps = (acc[i] + carry) * stepsPerUnit[n] + biasSteps[n];
    return steps > lo[i] - REACH && steps < hi[i] + REACH;
  };
}

/** Of each output, [rows, channels]: its sum, its first and its last product; of each channel its bias in their units. */
interface Numbers {
  readonly sums: Float64Array;
  readonly first: Float64Array;
  readonly last: Float64Array;
  readonly biases: Int32Array | null;
}

/** channels: how many the scopes have, from the first on. */
function numbersOf({ engine }: ProductStudy, base: ProductSetup, scopes: readonly Scope[], channels: number): Numbers {
  const { params } = base;
  const length = scopes.reduce((count, { samples }) => count + samples.length, 0) * channels;
  const [sums, first, last] = [length, length, length].map((own) => new Float64Array(own));
  let at = 0;
  for (const scope of scopes) {
    sums.set(engine.accumulator(base, scope), at);
    for (let n = 0; n < channels; n++) {
      const { data, cols } = engine.codesOf(base, scope, n);
      const [x0, w0, row] = [params.input.zeroPoint, weightZeroPointOf(params, n), n * params.inFeatures];
      const [begin, end] = [params.weight[row] - w0, params.weight[row + cols - 1] - w0];
      for (let r = 0; r < scope.samples.length; r++) {
        first[at + r * channels + n] = (data[r * cols] - x0) * begin;
        last[at + r * channels + n] = (data[(r + 1) * cols - 1] - x0) * end;
      }
    }
    at += scope.samples.length * channels;
  }
  return { sums, first, last, biases: scriptedInt32Bias(base.params) };
}

/** Of an output that precedes or follows: none does, or it is not among these. */
const [NONE, UNKNOWN] = [-1, -2];

const numberAt = (numbers: Float64Array, i: number) => (i === NONE ? 0 : i === UNKNOWN ? Number.NaN : numbers[i]);

/** What each carry but the sums' own adds to output i. */
const OF_NEIGHBOURS: Partial<Record<Carry, (numbers: Numbers, i: number, before: number, after: number) => number>> = {
  'last product': ({ last }, i, before) => numberAt(last, before) - last[i],
  'last product too': ({ last }, _, before) => numberAt(last, before),
  'first product': ({ first }, i, _, after) => numberAt(first, after) - first[i],
  'one sum': ({ sums }, _, before) => numberAt(sums, before),
};

/** What is added to each sum; NaN where that depends on rows that are not among these. Null: one of them is refuted, nearly always the first. */
function carriesOf(
  { carry }: Stream,
  runs: Iterable<Run>,
  numbers: Numbers,
  channels: number,
  isRefuted: (i: number, carry: number) => boolean,
): Float64Array | null {
  const { sums, biases } = numbers;
  const carries = new Float64Array(sums.length).fill(Number.NaN);
  const biasOf = (i: number) => biases?.[i % channels] ?? 0;
  const ofNeighbours = OF_NEIGHBOURS[carry];
  for (const { outputs, isEnded } of runs) {
    const end = outputs.length - 1;
    let held = 0;
    for (let place = 0; place <= end; place++) {
      const i = outputs[place];
      if (ofNeighbours) {
        const after = place < end ? outputs[place + 1] : isEnded ? NONE : UNKNOWN;
        carries[i] = ofNeighbours(numbers, i, place > 0 ? outputs[place - 1] : NONE, after);
      } else {
        carries[i] = carry === 'sums, the first bias' ? held + biasOf(outputs[0]) - biasOf(i) : held;
        held += sums[i] + (carry === 'sums and biases' ? biasOf(i) : 0);
      }
      if (!Number.isNaN(carries[i]) && isRefuted(i, carries[i])) return null;
    }
  }
  return carries;
}

/** Outputs, as indices into [rows, channels], between which nothing is cleared, in their order; isEnded: no other follows. */
interface Run {
  readonly outputs: Int32Array;
  readonly isEnded: boolean;
}

/** isAll: these are all rows of the layer. */
function* runs(between: Between, shape: Shape, rows: number, isAll: boolean): Generator<Run> {
  const { positions, columns, channels, isCut } = shape;
  const each = between === 'channels' ? 1 : between === 'columns' ? columns : ENDLESS.has(between) ? rows : positions;
  for (let from = 0; from < rows; from += each) {
    const to = Math.min(rows, from + each);
    const isEnded = ENDLESS.has(between) ? isAll : to === from + each;
    if (between.endsWith('channel by channel')) {
      yield { outputs: inPlanes(shape, from, isCut ? Math.min(to, from + positions) : to), isEnded: isAll };
    } else if (between === 'channels' || between.endsWith('place by place')) {
      // what follows channels that are not here is not known
      const outputs = int32s({ length: (isCut ? 1 : to - from) * channels }, (_, i) => from * channels + i);
      yield { outputs, isEnded: isEnded && !isCut };
    } else for (let n = 0; n < channels; n++) yield { outputs: ofChannel(shape, from, to, n), isEnded };
  }
}

const ENDLESS: ReadonlySet<Between> = new Set(['samples', 'all, place by place', 'all, channel by channel']);

function ofChannel({ channels }: Shape, from: number, to: number, n: number): Int32Array {
  return int32s({ length: to - from }, (_, i) => (from + i) * channels + n);
}

/** Sample by sample its channels; of a sample that is not whole the first one: what precedes the others is not known. */
function inPlanes(shape: Shape, from: number, to: number): Int32Array {
  const { positions, channels } = shape;
  if (to - from < positions) return ofChannel(shape, from, to, 0);
  const outputs = new Int32Array(Math.floor((to - from) / positions) * positions * channels);
  for (let start = from, at = 0; at < outputs.length; start += positions) {
    for (let n = 0; n < channels; n++) for (let p = 0; p < positions; p++) outputs[at++] = (start + p) * channels + n;
  }
  return outputs;
}

function carriedOf({ data: { from }, channels }: ProductStudy, stream: Stream, carries: Float64Array): Carried {
  return carriedBy(nameOf(stream), (sample, n) => carries[(sample - from) * channels + n]);
}

function carriedBy(name: string, of: (sample: number, channel: number) => number): Carried {
  return { name, inChannel: (n, samples) => float64s(samples, (sample) => of(sample, n)) };
}

function nameOf({ carry, between }: Stream): string {
  return `${carry} carried between ${between}`;
}
