/** Which samples are looked at: scopes from cheap to dear, so that most hypotheses fail in a cheap one. */
import { emptyLike } from '../../numeric/array.js';
import { largestFirst } from '../../numeric/extremes.js';
import { byColumn, type Counts } from './agree.js';
import { columnsOf, type Range, rowsOf, runsOf, spread, spreadOver } from './arrays.js';
import type { LayerData, Outputs, Rows, Scope } from './data.js';
import { mostImages, readImages } from './images.js';

const MOST_MULTIPLY_ADDS = 4e8;
const MOST_VALUES = 1e6;
/** Of few channels rows are dearer than values: each is a number in lists. */
const MOST_ROWS = 1 << 18;
/** And calls of a dynamic layer, each of which is quantized by itself. */
const MOST_CALLS = 1 << 15;
const MOST_INPUTS = 3.2e7;
const FEWEST_SAMPLES = 32;
/** Of these and what they read: 16 rows of a million took 16 s and 1.3 GB. */
const MOST_OF_FEWEST = 4e6;
const SKETCH_VALUES = 5e3;
const FEWEST_SKETCHED = 8;
/** Of a sketch of many more. */
const GLIMPSED = 8;
const MOST_DETAIL_CHANNELS = 32;
const MOST_DETAIL_SAMPLES = 2048;
/** Of a probe; and of a glance before it, at which nearly all of thousands of pairs fail. */
const PROBE: Extent = { samples: 24, channels: 32 };
const GLANCE: Extent = { samples: 4, channels: 8 };
/** Of few channels so many samples that noise in one value of a hundred shows. */
const SLOPE: Extent = { samples: 128, channels: 8 };
/** Values after which most refuted hypotheses are left. */
const CHUNK_VALUES = 1 << 14;
/** Values of a block when everything is replayed. */
const BLOCK_VALUES = 2 << 20;
const BLOCK_ROWS = 1 << 17;

interface Extent {
  readonly samples: number;
  readonly channels: number;
}

/** All samples if that is affordable; otherwise evenly spaced ones and some that are known to differ. */
export function readSubset(data: LayerData): Promise<Scope> {
  return readScope(data, chooseSamples(data));
}

function chooseSamples(data: LayerData): readonly number[] {
  const { from, to } = data;
  const affordable = Math.min(
    MOST_MULTIPLY_ADDS / data.effort,
    MOST_VALUES / data.observed.width,
    MOST_INPUTS / inputWidth(data),
    MOST_ROWS,
    data.dynamic ? (MOST_CALLS * (to - from)) / data.dynamic.batches : Number.POSITIVE_INFINITY,
  );
  const fewest = Math.max(2, Math.min(FEWEST_SAMPLES, MOST_OF_FEWEST / data.observed.width));
  const count = Math.min(to - from, Math.floor(Math.max(fewest, affordable)));
  if (count === to - from) return rowsFrom(from, to);
  const { witnesses, all } = inFewImages(data);
  const chosen = [...spread(witnesses, count / 2), ...spreadOver(all, count / 2), ...(data.refuting ?? [])];
  return [...new Set(chosen)].sort((a, b) => a - b);
}

interface Candidates {
  readonly witnesses: readonly number[];
  /** Never as a list: of a layer of few channels they are millions. */
  readonly all: readonly Range[];
}

/** Rows that differ, and all, of so few images that these fit into memory, half of them such that differ. */
function inFewImages({ images, witnesses: places, from, to }: LayerData): Candidates {
  const witnesses = [...new Set(places.map(({ sample }) => sample))];
  if (!images) return { witnesses, all: [[from, to]] };
  const { positions } = images;
  const imageOf = (row: number) => Math.floor(row / positions);
  const most = mostImages(images);
  const differing = [...new Set(witnesses.map(imageOf))];
  const few = new Set([
    ...spread(differing, most / 2),
    ...spreadOver([[imageOf(from), imageOf(to - 1) + 1]], most / 2),
  ]);
  const ranges = [...few]
    .sort((a, b) => a - b)
    .map((image): Range => [Math.max(from, image * positions), Math.min(to, (image + 1) * positions)]);
  return { witnesses: witnesses.filter((row) => few.has(imageOf(row))), all: ranges };
}

/** More samples of the few channels that differ; null where the subset is all there is, or where too many do for this to be their own matter. */
export async function readDetail(data: LayerData, subset: Scope): Promise<Scope | null> {
  const { width } = data.observed;
  const channels = [...new Set(data.witnesses.map(({ channel }) => channel))].sort((a, b) => a - b);
  if (data.declared.kind === 'tensor') return null;
  const few = Math.min(MOST_DETAIL_CHANNELS, Math.max(4, width / 4));
  if (subset.samples.length === data.to - data.from || channels.length === 0 || channels.length > few) return null;
  const affordable = Math.min(
    (MOST_MULTIPLY_ADDS * width) / (channels.length * data.effort),
    MOST_INPUTS / inputWidth(data),
    MOST_DETAIL_SAMPLES,
  );
  const { witnesses, all } = inFewImages(data);
  const chosen = [...spread(witnesses, affordable / 2), ...spreadOver(all, affordable / 2)];
  const samples = [...new Set(chosen)].sort((a, b) => a - b);
  const whole = await readScope(data, samples);
  return { ...whole, channels, observed: columnsOf(whole.observed, samples.length, width, channels) };
}

/** Every judged sample, block by block. */
export async function* readBlocks(data: LayerData): AsyncGenerator<Scope> {
  const { from, to, observed } = data;
  const rows = Math.max(1, Math.min(BLOCK_ROWS, Math.floor(BLOCK_VALUES / (inputWidth(data) + observed.width))));
  for (let start = from; start < to; start += rows) {
    const end = Math.min(to, start + rows);
    yield readScope(data, rowsFrom(start, end), [[start, end]]);
  }
}

/** Evenly spaced rows of a scope. */
export function sketchOf(scope: Scope, width: number): Scope {
  const all = scope.samples.map((_, row) => row);
  const rows = spread(all, Math.max(FEWEST_SKETCHED, SKETCH_VALUES / width));
  return rows.length === all.length ? scope : pickRows(scope, rows, width);
}

/** Fewer rows of a sketch: of noise they tell as much. */
export function glimpseOf(sketch: Scope, width: number): Scope | null {
  const all = [...sketch.samples.keys()];
  return all.length < 3 * GLIMPSED ? null : pickRows(sketch, spread(all, GLIMPSED), width);
}

/** Many rows of the channels that differ most: whether their codes rise with sums. */
export function slopeOf(subset: Scope, differing: Uint8Array, width: number): Scope {
  const channels = largestFirst(countsOf(differing, width), SLOPE.channels).sort((a, b) => a - b);
  return gridOf(subset, probeRows(subset, differing, width, channels, SLOPE), channels, width);
}

/** Some rows and channels, of those that differ and of those that agree. */
export function probeOf(subset: Scope, differing: Uint8Array, { observed, declared }: LayerData): Scope {
  const { width } = observed;
  // whole values are computed as a whole
  const channels = declared.kind === 'tensor' ? null : probeChannels(differing, width, PROBE);
  return gridOf(subset, probeRows(subset, differing, width, channels, PROBE), channels, width);
}

/** Fewer of them: of a product some rows and channels, of whole values one sample; null where they would not be half as many. */
export function glanceOf(
  subset: Scope,
  differing: Uint8Array,
  { observed, declared, dynamic }: LayerData,
): Scope | null {
  const { width } = observed;
  if (declared.kind === 'tensor') {
    const [row] = probeRows(subset, differing, width, null, { samples: 2, channels: width });
    return subset.samples.length > 1 ? pickRows(subset, [row], width) : null;
  }
  if (declared.kind !== 'product' || dynamic) return null;
  const samples = Math.min(GLANCE.samples, Math.ceil(subset.samples.length / 2));
  const channels = probeChannels(differing, width, GLANCE);
  const probed = Math.min(subset.samples.length, PROBE.samples) * Math.min(width, PROBE.channels);
  if (2 * samples * channels.length > probed) return null;
  return gridOf(subset, probeRows(subset, differing, width, channels, { ...GLANCE, samples }), channels, width);
}

/** Some rows of a scope that has every channel, and some of their channels; the scope itself where these are all. */
export function gridOf(
  scope: Scope,
  rows: readonly number[],
  channels: readonly number[] | null,
  width: number,
): Scope {
  const isAll = rows.length === scope.samples.length && (channels === null || channels.length === width);
  if (isAll) return scope;
  // all rows are not copied: there may be two of 20 million
  const picked = rows.length === scope.samples.length ? scope : pickRows(scope, rows, width);
  if (channels === null || channels.length === width) return picked;
  const { samples, inputs, images } = picked;
  const observed = columnsOf(picked.observed, rows.length, width, channels);
  return { samples, channels, inputs, observed, ...(images && { images }) };
}

function probeChannels(differing: Uint8Array, width: number, { channels: most }: Extent): number[] {
  if (width <= most) return everyChannel(width);
  const counts = countsOf(differing, width);
  const chosen = spreadWhere(counts, true, (most * 3) / 4);
  const agreeing = spreadWhere(counts, false, most - chosen.length);
  return [...chosen, ...agreeing].sort((a, b) => a - b);
}

/** Of the channels that differ, or of the others; never as a list, which may be of 20 million. */
function spreadWhere(counts: Counts, differ: boolean, most: number): number[] {
  let all = 0;
  for (let n = 0; n < counts.length; n++) if (counts[n] > 0 === differ) all++;
  const places = spreadOver([[0, all]], most);
  const chosen: number[] = [];
  for (let n = 0, place = 0; chosen.length < places.length; n++)
    if (counts[n] > 0 === differ && place++ === places[chosen.length]) chosen.push(n);
  return chosen;
}

const counted = new WeakMap<Uint8Array, Counts>();

/** How many values of each channel differ; asked for by each scope. */
export function countsOf(differing: Uint8Array, width: number): Counts {
  const counts = counted.get(differing) ?? byColumn(differing, width);
  counted.set(differing, counts);
  return counts;
}

function everyChannel(width: number): number[] {
  return Array.from({ length: width }, (_, n) => n);
}

function probeRows(
  subset: Scope,
  differing: Uint8Array,
  width: number,
  channels: readonly number[] | null,
  { samples: most }: Extent,
): number[] {
  const all = rowsFrom(0, subset.samples.length);
  if (all.length <= most) return all;
  const differ: number[] = [];
  for (let row = 0; row < all.length; row++) if (rowDiffers(row, differing, width, channels)) differ.push(row);
  const chosen = new Set([...spread(differ, most / 2), ...spread(all, most / 2)]);
  return [...chosen].sort((a, b) => a - b);
}

function rowDiffers(row: number, differing: Uint8Array, width: number, channels: readonly number[] | null): boolean {
  const start = row * width;
  if (!channels) return differing.subarray(start, start + width).includes(1);
  for (let i = 0; i < channels.length; i++) if (differing[start + channels[i]] === 1) return true;
  return false;
}

/** Rows [from, to) of a scope, as views of its memory. */
export function sliceOf(scope: Scope, from: number, to: number): Scope {
  const width = scope.observed.length / scope.samples.length;
  return {
    samples: scope.samples.slice(from, to),
    channels: scope.channels,
    inputs: scope.inputs.map(({ cols, data }) => ({
      rows: to - from,
      cols,
      data: data.subarray(from * cols, to * cols),
    })),
    observed: scope.observed.subarray(from * width, to * width),
    slice: { of: scope, from },
    ...(scope.images && { images: { ...scope.images, of: scope.images.of.subarray(from, to) } }),
  };
}

/** Of a slice, by what the whole scope gives. */
export function outputsOf({ slice, observed, samples }: Scope, { data, low, high }: Outputs): Outputs {
  const first = (slice!.from * observed.length) / samples.length;
  const last = first + observed.length;
  return {
    data: data.subarray(first, last),
    low: low?.subarray(first, last) ?? null,
    high: high?.subarray(first, last) ?? null,
  };
}

/** Rows of a scope that are judged before more are computed. */
export function rowsOfChunk({ channels }: Scope, width: number): number {
  return Math.max(1, Math.floor(CHUNK_VALUES / (channels?.length ?? width)));
}

/** Some rows of a scope. */
export function pickRows(scope: Scope, rows: readonly number[], width: number): Scope {
  return {
    samples: rows.map((row) => scope.samples[row]),
    channels: scope.channels,
    inputs: scope.inputs.map(({ cols, data }) => ({ rows: rows.length, cols, data: rowsOf(data, rows, cols) })),
    observed: rowsOf(scope.observed, rows, width),
    ...(scope.images && { images: { ...scope.images, of: rowsOf(scope.images.of, rows, 1) } }),
  };
}

/** These rows, with every channel; runs: of neighbours among them. */
export async function readScope(
  data: LayerData,
  samples: readonly number[],
  runs: readonly Range[] = runsOf(samples),
): Promise<Scope> {
  const read = async (rows: Rows) => {
    const first = await rows.read(...runs[0]);
    if (runs.length === 1) return first;
    // copied at once: a part may be a view of much more
    const whole = emptyLike(first, samples.length * rows.width);
    whole.set(first);
    let at = first.length;
    for (const [from, to] of runs.slice(1)) {
      const part = await rows.read(from, to);
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  };
  const images = data.images && (await readImages(data.images, samples.length, runs));
  const inputs = [];
  for (const rows of data.inputs) inputs.push({ rows: samples.length, cols: rows.width, data: await read(rows) });
  return { samples, channels: null, inputs, observed: await read(data.observed), ...(images && { images }) };
}

function rowsFrom(from: number, to: number): number[] {
  const rows = new Array<number>(to - from);
  for (let i = 0; i < rows.length; i++) rows[i] = from + i;
  return rows;
}

function inputWidth({ inputs }: LayerData): number {
  return inputs.reduce((sum, { width }) => sum + width, 0);
}
