/** What every kernel would compute, end to end from the captured input: will another CPU, another runtime, agree? */
import { acceleratorFor } from '../compare/accelerator.js';
import { EXACT, layerDiff, unitOf } from '../compare/layerReport.js';
import { areAlike, type RanBy, ranBy, runAlike } from '../compare/ranBy.js';
import { classesOf, largestChannels } from '../compare/wholeValues.js';
import { type Codes, isCodes } from '../diff/codes.js';
import type { LayerDiff } from '../diff/layerDiff.js';
import type { ForecastDocument, ForecastLayer } from '../documents/forecast.js';
import { declaredKernel } from '../kernels/named.js';
import type { Capture, CapturedValue } from '../nouns/capture.js';
import type { Fast, Kernel } from '../nouns/kernel.js';
import { isProduct, type Layer, type Model } from '../nouns/model.js';
import { blocks } from '../replay/blocks.js';
import { whyUnknown } from '../replay/layer.js';
import { replayedCapture } from '../replay/reference.js';
import type { Replayed } from '../replay/replayed.js';
import { ReplaySession } from '../replay/session.js';
import { channelsOf, positionsOf } from '../tensor/shape.js';
import { onKernel } from './onKernel.js';

interface ForecastOptions {
  readonly kernels: readonly Kernel[];
  /** A class a sample. */
  readonly labels?: ArrayLike<number>;
}

/** The last value with a number a class; null where weights or more places come after it: then it is no answer. */
function answering(captured: ReturnType<typeof expectedValues>['layers']) {
  const at = captured.findLastIndex(({ value: { shape } }) => channelsOf(shape) > 1 && positionsOf(shape) === 1);
  const isAnswer = captured
    .slice(at + 1)
    .every(({ layer, value: { shape } }) => !isProduct(layer) && positionsOf(shape) === 1);
  return at >= 0 && isAnswer ? captured[at] : null;
}

/** Throws InputError for values that turn out unreadable. */
export async function forecast(model: Model, capture: Capture, options: ForecastOptions): Promise<ForecastDocument> {
  const fast = await acceleratorFor(model, capture);
  const expected = expectedValues(model, capture, fast);
  const captured = expected.layers;
  const places = new Map(model.layers.map((layer, i) => [layer, i]));
  const lastRead = lastReadBy(model);
  const none = ofEach(options.kernels);
  const layers = captured.map(({ layer, value }) => emptyLayer(layer, value, none));
  const output = answering(captured);
  const classesExpected = output && (await classesOf(output.value, capture.samples));
  const flips: Record<string, number | null> = {};
  const right: Record<string, number | null> = {};
  const replayed: Forecasted[] = [];
  for (const kernel of options.kernels) {
    const own = onKernel(model, kernel);
    const other = replayed.find((known) => known.own === own && runAlike(own, known.kernel, kernel));
    const session = new ReplaySession(own, capture, kernel, 'propagated', fast);
    const ran = other?.ran ?? ranBy(own, session);
    const twin = other ?? replayed.find((known) => areAlike(known.ran, ran));
    if (twin) {
      for (const counts of [...layers.flatMap(({ changed, max_abs_diff }) => [changed, max_abs_diff]), flips, right])
        if (twin.kernel.name in counts) counts[kernel.name] = counts[twin.kernel.name];
      continue;
    }
    replayed.push({ kernel, own, ran });
    let done = 0;
    for (const [i, { layer: declared, value }] of captured.entries()) {
      const place = places.get(declared)!;
      const layer = own.layers[place];
      const classes = declared === output?.layer ? new Int32Array(capture.samples) : null;
      const diff = await replayAll(session, layer, value, capture.samples, classes);
      for (; done <= place; done++) session.release(lastRead[done]);
      layers[i].changed[kernel.name] = diff?.mismatched ?? null;
      layers[i].max_abs_diff[kernel.name] = diff?.maxAbsDiff ?? null;
      if (!classes || !classesExpected) continue;
      flips[kernel.name] = diff && countDifferent(classes, classesExpected);
      right[kernel.name] = diff && options.labels ? shareEqual(classes, options.labels) : null;
    }
  }
  return {
    format: 'qdiff-forecast',
    version: 1,
    samples: capture.samples,
    expected: expected.from,
    kernels: options.kernels.map(({ name }) => name),
    layers,
    ...notReplayed(model),
    output: output?.layer.name ?? null,
    top1_flips: classesExpected && flips,
    accuracy:
      classesExpected && options.labels
        ? { capture: shareEqual(classesExpected, options.labels), kernels: right }
        : null,
  };
}

interface Forecasted {
  readonly kernel: Kernel;
  /** The model on it. */
  readonly own: Model;
  readonly ran: RanBy;
}

/** Of each layer, the values that none after it reads: its own, where nothing does. */
function lastReadBy({ layers }: Model): string[][] {
  const last = new Map(layers.flatMap(({ name, inputs }, i) => [name, ...inputs].map((value) => [value, i] as const)));
  const lastRead: string[][] = layers.map(() => []);
  for (const [value, i] of last) lastRead[i].push(value);
  return lastRead;
}

/** Layers that no kernel replays. */
function notReplayed({ layers }: Model): Pick<ForecastDocument, 'not_replayed'> {
  const unknown = layers.flatMap((layer) => {
    const why = whyUnknown(layer);
    return why === null ? [] : [{ name: layer.name, op: layer.op, why }];
  });
  return unknown.length === 0 ? {} : { not_replayed: unknown };
}

/** What was captured; where that is the inputs alone, what the declared kernel makes of them. */
function expectedValues(model: Model, capture: Capture, fast: Fast) {
  const layersOf = ({ values }: Capture) =>
    model.layers.flatMap((layer) => {
      const value = values.get(layer.name);
      return value && layer.form ? [{ layer, value }] : [];
    });
  const captured = layersOf(capture);
  if (captured.length > 0) return { from: 'capture', layers: captured };
  const kernel = declaredKernel(model.producer);
  const session = new ReplaySession(model, capture, kernel, 'propagated', fast);
  const layers = layersOf(replayedCapture(model, capture, session)).map(({ layer, value }) => {
    // every kernel is held against it
    const read: CapturedValue['read'] = (from, to) => (session.replayedValue(layer.name) ?? value).read(from, to);
    return { layer, value: { ...value, read } };
  });
  return { from: kernel.name, layers };
}

type Counts = Record<string, number | null>;

/** Copied for each layer: where a key is added at a time, V8 keeps a table, of 20,000 layers 60 MB more. */
function ofEach(kernels: readonly Kernel[]): Counts {
  return JSON.parse(JSON.stringify(Object.fromEntries(kernels.map(({ name }) => [name, null]))));
}

function emptyLayer(layer: Layer, { samples, features }: CapturedValue, none: Counts): ForecastLayer {
  return {
    name: layer.name,
    op: layer.op,
    unit: unitOf(layer.output),
    values: samples * features,
    changed: { ...none },
    max_abs_diff: { ...none },
  };
}

/** Diffs a layer of the propagated replay against the capture; null where it cannot be replayed. Fills `classes`. */
async function replayAll(
  session: ReplaySession,
  layer: Layer,
  captured: CapturedValue,
  samples: number,
  classes: Int32Array | null,
) {
  if (session.whyNotReplayed(layer)) return null;
  const run = await session.open(layer);
  let diff: LayerDiff | null = null;
  const codes = { mismatched: 0, maxAbsDiff: 0 };
  for (const [from, to] of blocks(0, samples, run.input.features + captured.features)) {
    const { data: actual, low, high } = await run.replay(from, to);
    const expected = await captured.read(from, to);
    // nothing else is asked of codes
    if (isCodes(expected) && isCodes(actual)) countCodes(codes, { expected, actual, low, high });
    else {
      diff ??= layerDiff(layer.output, captured.shape, EXACT, null);
      diff.add({ firstSample: from, expected, actual, low, high });
    }
    if (classes) classes.set(largestChannels(actual, captured.features), from);
  }
  const { mismatched, maxAbsDiff } = diff?.result() ?? { mismatched: 0, maxAbsDiff: 0 };
  return {
    mismatched: mismatched + codes.mismatched,
    maxAbsDiff: Math.max(maxAbsDiff, codes.maxAbsDiff),
  };
}

interface CodesBlock extends Pick<Replayed, 'low' | 'high'> {
  readonly expected: Codes;
  readonly actual: Codes;
}

function countCodes(
  counts: { mismatched: number; maxAbsDiff: number },
  { expected, actual, low, high }: CodesBlock,
): void {
  let { mismatched, maxAbsDiff } = counts;
  for (let i = 0; i < expected.length; i++) {
    const size = Math.abs(actual[i] - expected[i]);
    if (size === 0 || (low && high && expected[i] >= low[i] && expected[i] <= high[i])) continue;
    mismatched++;
    if (size > maxAbsDiff) maxAbsDiff = size;
  }
  counts.mismatched = mismatched;
  counts.maxAbsDiff = maxAbsDiff;
}

function countDifferent(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let count = 0;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) count++;
  return count;
}

function shareEqual(classes: ArrayLike<number>, labels: ArrayLike<number>): number {
  return 1 - countDifferent(classes, labels) / classes.length;
}
