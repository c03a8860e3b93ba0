/** What a page shows beside the report: single values of the worst channels. Bounded, whatever the model's size. */

import { acceleratorFor } from '../../compare/accelerator.js';
import type { ExplainDocument } from '../../documents/explain.js';
import { productSteps } from '../../kernels/kernel.js';
import { kernelByName } from '../../kernels/registry.js';
import type { NumericArray } from '../../nouns/array.js';
import type { Capture, CapturedValue } from '../../nouns/capture.js';
import type { Fast, Kernel } from '../../nouns/kernel.js';
import { isProduct, type Layer, type Model } from '../../nouns/model.js';
import type { LayerReport, Report } from '../../nouns/report.js';
import { isQuantized } from '../../nouns/value.js';
import { replayProduct } from '../../replay/product.js';
import { blockRows, type LayerRun, ReplaySession } from '../../replay/session.js';
import { explain } from './explain.js';
import { kernelsToExplain, linearAt, linearValue } from './place.js';

export const MOST_LAYERS = 24;
const MOST_CHANNELS = 6;
const MOST_POINTS_OF_A_CHANNEL = 200;
/** Multiply-adds to look for a channel's worst value; beyond, only every n-th sample is looked at. */
const MOST_PRODUCTS = 5e7;

export interface ChannelDetails {
  readonly channel: number;
  /** Captured and actual values of some samples, and of the worst. */
  readonly points: readonly { readonly sample: number; readonly expected: number; readonly actual: number }[];
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
  /** As the comparison had. */
  readonly threads?: number;
  /** The channels of a layer, worst first. */
  readonly worstFirst: (layer: LayerReport) => readonly number[];
}

/** Layers that differ, in the report's order. */
export async function detailsOf(input: DetailsInput): Promise<LayerDetails[]> {
  const { model, capture, report } = input;
  const kernel = kernelByName(report.kernel);
  const fast = await acceleratorFor(model, capture, input.threads);
  const session = new ReplaySession(model, capture, kernel, report.mode, fast);
  const byName = new Map(model.layers.map((layer) => [layer.name, layer]));
  const judged = (report.candidate_layers ?? report.layers).filter(({ status }) => status === 'mismatch');
  const details: LayerDetails[] = [];
  for (const layerReport of judged.slice(0, MOST_LAYERS)) {
    const layer = byName.get(layerReport.name)!;
    const run = session.whyNotReplayed(layer) === null ? await session.open(layer) : null; // a candidate may have it
    const channels: ChannelDetails[] = [];
    for (const channel of input.worstFirst(layerReport).slice(0, MOST_CHANNELS)) {
      channels.push(await channelDetails(input, { layer, layerReport, run, kernel, channel, fast }));
    }
    details.push({ name: layer.name, channels });
  }
  return details;
}

interface Series {
  readonly layer: Layer;
  readonly layerReport: LayerReport;
  readonly run: LayerRun | null;
  readonly kernel: Kernel;
  readonly channel: number;
  readonly fast: Fast;
}

async function channelDetails(input: DetailsInput, series: Series): Promise<ChannelDetails> {
  const { capture, candidate, from, to } = input;
  const { layer, run, channel } = series;
  const expected = capture.values.get(layer.name)!;
  const step = Math.max(1, Math.ceil(((to - from) * (run?.input.features ?? 1)) / MOST_PRODUCTS));
  const keepEvery = Math.max(1, Math.ceil((to - from) / step / MOST_POINTS_OF_A_CHANNEL));
  const points: { sample: number; expected: number; actual: number }[] = [];
  let worst = { sample: from, expected: Number.NaN, actual: Number.NaN, off: -1 };
  let seen = 0;
  for await (const value of values(input, series, expected, candidate?.values.get(layer.name), step)) {
    const off = Math.abs(value.actual - value.expected);
    if (off > worst.off) worst = { ...value, off };
    if (seen++ % keepEvery === 0) points.push(value);
  }
  const { off, ...worstValue } = worst;
  if (off >= 0 && !points.some(({ sample }) => sample === worst.sample)) points.push(worstValue);
  return { channel, points, explained: await explained(input, series, worst.sample) };
}

/** Captured and actual value of every step-th sample of one channel. */
async function* values(
  { from, to }: DetailsInput,
  series: Series,
  expected: CapturedValue,
  candidate: CapturedValue | undefined,
  step: number,
) {
  const { layer, layerReport, run, channel } = series;
  const after = rectifier(layer, layerReport);
  const rows = step > 1 ? 1 : blockRows((run?.input.features ?? 0) + expected.features);
  for (let start = from; start < to; start += step > 1 ? step : rows) {
    const end = step > 1 ? start + 1 : Math.min(to, start + rows);
    const wanted = await expected.read(start, end);
    const actual = candidate
      ? column(await candidate.read(start, end), candidate.features, channel)
      : await replayChannel(series, start, end);
    for (let row = 0; row < end - start; row++) {
      yield {
        sample: start + row,
        expected: after(wanted[row * expected.features + channel]),
        actual: after(actual[row]),
      };
    }
  }
}

/** Where one side was captured on the other side of ReLU, both are shown after it. */
function rectifier({ output }: Layer, { aligned }: LayerReport): (value: number) => number {
  if (aligned === null) return (value) => value;
  const zero = output && isQuantized(output) ? output.zeroPoint : 0;
  return (value) => Math.max(value, zero);
}

async function replayChannel(series: Series, from: number, to: number): Promise<NumericArray> {
  const { layer, run, kernel, channel, fast } = series;
  if (!run) throw new Error(`${layer.name} is neither replayed nor in the candidate`);
  if (!isProduct(layer) || run.batches) {
    const { data, cols } = await run.replay(from, to);
    return column(data, cols, channel);
  }
  const linear = linearAt(layer, run, kernel, channel, from);
  const x = { rows: to - from, cols: run.input.features, data: Int32Array.from(await run.input.read(from, to)) };
  return replayProduct(productSteps(kernel, layer.op)!, linear, x, fast).data;
}

function column(data: NumericArray, features: number, channel: number): NumericArray {
  return Float64Array.from({ length: data.length / features }, (_, row) => data[row * features + channel]);
}

async function explained(
  { capture, candidate, report }: DetailsInput,
  { layer, run, kernel, channel }: Series,
  sample: number,
): Promise<ExplainDocument | null> {
  if (!run || !isProduct(layer)) return null;
  const diagnosis = report.layers.find(({ name }) => name === layer.name)?.diagnosis ?? null;
  const kernels = kernelsToExplain(kernel, diagnosis);
  const causes = diagnosis?.causes ?? [];
  return explain(await linearValue({ layer, run, sample, channel, capture, candidate, kernels, causes }, layer));
}
