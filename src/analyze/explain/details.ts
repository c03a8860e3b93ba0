/** What a page shows beside the report: single values of the worst channels. Bounded, whatever the model's size. */

import { type AcceleratorSettings, acceleratorFor } from '../../compare/accelerator.js';
import { rectified } from '../../compare/layerReport.js';
import type { ExplainDocument } from '../../documents/explain.js';
import { productSteps } from '../../kernels/kernel.js';
import { formOf, type Reference } from '../../kernels/reference.js';
import { kernelByName } from '../../kernels/registry.js';
import type { NumericArray } from '../../nouns/array.js';
import type { Capture, ValueReader } from '../../nouns/capture.js';
import type { Fast } from '../../nouns/kernel.js';
import { isProduct, type Layer, type Model } from '../../nouns/model.js';
import type { LayerReport, Report } from '../../nouns/report.js';
import { isQuantized, type Shape } from '../../nouns/value.js';
import { emptyLike } from '../../numeric/array.js';
import { blockRows } from '../../replay/blocks.js';
import { replayProduct } from '../../replay/product.js';
import { replayedCapture } from '../../replay/reference.js';
import { layerRows } from '../../replay/rows.js';
import { type LayerRun, ReplaySession } from '../../replay/session.js';
import { inRows } from '../../tensor/rows.js';
import { coordinatesOf, positionDims, positionsOf, sizeOf } from '../../tensor/shape.js';
import { explain } from './explain.js';
import { inputsOnly } from './inputsOnly.js';
import { type ChannelMap, mapOf, type RowValue } from './map.js';
import { runOnOwn } from './ownRun.js';
import { explainedProduct, kernelsToExplain, productAt } from './place.js';

/** Of the first layers that differ the worst channels; of further ones the worst, where there is little to read. */
const [FIRST_LAYERS, MOST_LAYERS] = [24, 240];
const MOST_CHANNELS = 6;
const MOST_VALUES_OF_FURTHER = 1e5;
const MOST_POINTS_OF_A_CHANNEL = 200;
/** Multiply-adds to look for a channel's worst value; beyond, only every n-th sample is looked at. */
const MOST_PRODUCTS = 5e7;

export interface ChannelDetails {
  readonly channel: number;
  /** Captured and actual values of some samples, and of the worst. */
  readonly points: readonly Point[];
  /** The sample with the worst value, place by place; null where a channel has one value, or too many. */
  readonly map: ChannelMap | null;
  /** The worst value, worked out; null for layers without products. */
  readonly explained: ExplainDocument | null;
}

export interface LayerDetails {
  readonly name: string;
  /** The worst channels, worst first. */
  readonly channels: readonly ChannelDetails[];
}

export interface DetailsInput {
  readonly model: Model;
  readonly capture: Capture;
  readonly candidate?: Capture;
  readonly report: Report;
  /** Samples [from, to) that were compared. */
  readonly from: number;
  readonly to: number;
  /** As the comparison had them. */
  readonly settings?: AcceleratorSettings;
  /** The channels of a layer, worst first. */
  readonly worstFirst: (layer: LayerReport) => readonly number[];
}

/** A command's own options hold more, by the same names. */
function settingsOf({ settings: { threads, accelerator } = {} }: DetailsInput): AcceleratorSettings {
  return { threads, accelerator };
}

/** How many channels of a layer are kept that is so many layers behind the first that differs. */
export function channelsKept(position: number, { values }: Pick<LayerReport, 'values'>): number {
  if (position < FIRST_LAYERS) return MOST_CHANNELS;
  return position < MOST_LAYERS && values! <= MOST_VALUES_OF_FURTHER ? 1 : 0;
}

/** Layers that differ, in the report's order. */
export async function detailsOf(input: DetailsInput): Promise<LayerDetails[]> {
  const { model, candidate, report } = input;
  const fast = await acceleratorFor(model, input.capture, settingsOf(input));
  const { session, capture, expected } = judgeOf(input, fast);
  const byName = new Map(model.layers.map((layer) => [layer.name, layer]));
  const judged = (report.candidate_layers ?? report.layers).filter(({ status }) => status === 'mismatch');
  const details: LayerDetails[] = [];
  for (const [position, layerReport] of judged.entries()) {
    const kept = channelsKept(position, layerReport);
    if (kept === 0) continue;
    const layer = byName.get(layerReport.name)!;
    const run = session.whyNotReplayed(layer) === null ? await session.open(layer) : null; // a candidate may have it
    const { diagnosis } = layerReport;
    const ownRun =
      run && candidate && isProduct(layer)
        ? await runOnOwn({ model, capture, candidate }, run, session, diagnosis)
        : null;
    const channels: ChannelDetails[] = [];
    for (const channel of input.worstFirst(layerReport).slice(0, kept)) {
      const sides = { capture: expected, candidate };
      const series = { ...seriesOf(sides, layer, layerReport, run, { channel, fast }), ownRun };
      channels.push(await channelDetails({ ...input, capture }, series));
    }
    details.push({ name: layer.name, channels });
  }
  return details;
}

/** What layers are replayed from, and whose values are expected: the capture's, or what the replay makes of the inputs. */
function judgeOf({ model, capture: whole, report }: DetailsInput, fast: Fast) {
  const reference = referenceOf(report, model);
  const capture = report.against === 'replay' ? inputsOnly(model, whole, reference) : whole;
  const session = new ReplaySession(model, capture, reference, report.mode, fast);
  if (report.against !== 'replay') return { session, capture, expected: capture };
  const chained = new ReplaySession(model, capture, reference, 'propagated', fast);
  return { session, capture, expected: replayedCapture(model, capture, chained) };
}

/** As the comparison had it: each layer's row names its kernel, which may have a form of its own for the layer. */
function referenceOf({ kernel, layers }: Report, { producer }: Model): Reference {
  const names = new Map(layers.map((layer) => [layer.name, layer.kernel]));
  return {
    kernel: kernelByName(kernel),
    readings: (layer) => [formOf(kernelByName(names.get(layer.name) ?? kernel), layer, producer)],
  };
}

function seriesOf(
  { capture, candidate }: Pick<DetailsInput, 'capture' | 'candidate'>,
  layer: Layer,
  layerReport: LayerReport,
  run: LayerRun | null,
  { channel, fast }: { readonly channel: number; readonly fast: Fast },
): Omit<Series, 'ownRun'> {
  const expected = capture.values.get(layer.name)!;
  const { shape } = expected;
  const own = candidate?.values.get(layer.name);
  // of a layer that is not replayed nothing but the capture tells the shape
  const actual = actualOf(layer, run, own && inRows(own, shape), channel, fast);
  const rowLength = run ? layerRows(run, run.input).input.features : 1;
  return { layer, layerReport, run, channel, shape, rowLength, expected: inRows(expected, shape), actual };
}

interface Series {
  readonly layer: Layer;
  readonly layerReport: LayerReport;
  readonly run: LayerRun | null;
  /** On what the candidate read; null: not known. */
  readonly ownRun: LayerRun | null;
  readonly channel: number;
  readonly shape: Shape;
  /** Values that a row is computed from. */
  readonly rowLength: number;
  /** The captured value, in rows. */
  readonly expected: ValueReader;
  /** The channel's actual values in rows [from, to). */
  readonly actual: (from: number, to: number) => Promise<NumericArray>;
}

interface Point {
  readonly sample: number;
  readonly at?: readonly number[];
  readonly expected: number;
  readonly actual: number;
}

async function channelDetails(input: DetailsInput, series: Series): Promise<ChannelDetails> {
  const { from, to } = input;
  const { shape, channel, rowLength } = series;
  const each = positionsOf(shape);
  const rows = (to - from) * each;
  const step = Math.max(1, Math.ceil((rows * rowLength) / MOST_PRODUCTS));
  const keepEvery = Math.max(1, Math.ceil(rows / step / MOST_POINTS_OF_A_CHANNEL));
  const points: Point[] = [];
  let worst = { row: from * each, expected: Number.NaN, actual: Number.NaN, off: -1 };
  let seen = 0;
  const pointOf = ({ row, expected, actual }: RowValue): Point => {
    const at = each === 1 ? {} : { at: coordinatesOf(shape, row % each) };
    return { sample: Math.floor(row / each), ...at, expected, actual };
  };
  const kept = new Set<number>();
  for await (const { first, expected, actual } of columns(series, from * each, to * each, step)) {
    for (let i = 0; i < expected.length; i++) {
      const off = Math.abs(actual[i] - expected[i]);
      const value = { row: first + i, expected: expected[i], actual: actual[i] };
      if (off > worst.off) worst = { ...value, off };
      if (seen++ % keepEvery !== 0) continue;
      points.push(pointOf(value));
      kept.add(value.row);
    }
  }
  if (worst.off >= 0 && !kept.has(worst.row)) points.push(pointOf(worst));
  const place = { sample: Math.floor(worst.row / each), position: worst.row % each };
  const map = await mapOf({
    dims: positionDims(shape),
    rowLength,
    sample: place.sample,
    read: (a, b) => values(series, a, b),
  });
  return { channel, points, map, explained: await explained(input, series, place) };
}

/** Captured and actual values of one channel in a block of rows. */
interface Columns {
  readonly first: number;
  readonly expected: NumericArray;
  readonly actual: NumericArray;
}

/** Of all rows, or of every step-th; by blocks, since a row of millions at a time takes longer than its values. */
async function* columns(series: Series, from: number, to: number, step: number): AsyncGenerator<Columns> {
  const { layer, layerReport, expected, channel, rowLength } = series;
  const after = rectifier(layer, layerReport);
  const rows = step > 1 ? 1 : blockRows(rowLength + expected.features);
  for (let first = from; first < to; first += step > 1 ? step : rows) {
    const end = step > 1 ? first + 1 : Math.min(to, first + rows);
    const wanted = column(await expected.read(first, end), expected.features, channel);
    yield { first, expected: after(wanted), actual: after(await series.actual(first, end)) };
  }
}

async function* values(series: Series, from: number, to: number): AsyncGenerator<RowValue> {
  for await (const { first, expected, actual } of columns(series, from, to, 1))
    for (let i = 0; i < expected.length; i++) yield { row: first + i, expected: expected[i], actual: actual[i] };
}

/** Where one side was captured on the other side of ReLU, both are shown after it. */
function rectifier({ output }: Layer, { aligned }: LayerReport): (values: NumericArray) => NumericArray {
  if (aligned === null) return (values) => values;
  return (values) => rectified(values, output && isQuantized(output) ? output.zeroPoint : 0);
}

/** The channel's values in rows: the candidate's (own, in rows), or the replay's. */
function actualOf(layer: Layer, run: LayerRun | null, own: ValueReader | undefined, channel: number, fast: Fast) {
  const columnOf = (value: ValueReader) => async (from: number, to: number) =>
    column(await value.read(from, to), value.features, channel);
  if (own) return columnOf(own);
  if (!run) throw new Error(`${layer.name} is neither replayed nor in the candidate`);
  const rows = layerRows(run, run.input);
  const steps = productSteps(run.kernel, layer);
  if (!isProduct(layer) || run.ready.patch || !steps || run.batches || steps.multiplier.ofCall) {
    const { output: shape } = run.ready.shapes;
    const replayed = {
      features: sizeOf(shape.dims),
      read: async (a: number, b: number) => (await run.replay(a, b)).data,
    };
    return columnOf(inRows(replayed, shape));
  }
  const product = productAt(layer, run, run.kernel, channel, 0);
  return async (from: number, to: number) => {
    const x = { rows: to - from, cols: rows.input.features, data: Int32Array.from(await rows.input.read(from, to)) };
    return replayProduct(steps, product, x, fast).data;
  };
}

function column(data: NumericArray, features: number, channel: number): NumericArray {
  const own = emptyLike(data, data.length / features);
  for (let row = 0; row < own.length; row++) own[row] = data[row * features + channel];
  return own;
}

async function explained(
  { model, capture, candidate, report }: DetailsInput,
  { layer, run, ownRun, channel }: Series,
  place: { readonly sample: number; readonly position: number },
): Promise<ExplainDocument | null> {
  if (!run || !isProduct(layer)) return null;
  const diagnosis = report.layers.find(({ name }) => name === layer.name)?.diagnosis ?? null;
  const kernels = kernelsToExplain(run.kernel, diagnosis, layer, model.producer);
  const causes = diagnosis?.causes ?? [];
  const value = { layer, run, ownRun, ...place, channel, capture, candidate, kernels, causes };
  return explain(await explainedProduct(value, layer));
}
