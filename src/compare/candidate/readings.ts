/**
 * What a candidate's layer may have read: what the candidate says it read, its own value before it (or the replay of its own
 * values, of which it did not write the last), or the captured one, as a test bench feeds it.
 */
import { exchanged, type LayerDiffResult, type SidesDiff } from '../../diff/layerDiff.js';
import { stepsOf } from '../../kernels/kernel.js';
import { besideValue, type Capture, type CapturedValue, type ValueReader } from '../../nouns/capture.js';
import type { Fast, Kernel } from '../../nouns/kernel.js';
import type { Layer, Model } from '../../nouns/model.js';
import type { LayerReport } from '../../nouns/report.js';
import { isQuantized } from '../../nouns/value.js';
import { emptyLike } from '../../numeric/array.js';
import { blocks } from '../../replay/blocks.js';
import { NO_SUMS, type Replayed } from '../../replay/replayed.js';
import type { LayerRun, ReplaySession } from '../../replay/session.js';
import { afterRelu } from '../alignment.js';
import { EXACT, layerDiff, rectified } from '../layerReport.js';
import type { CompareOptions } from '../options.js';
import { hasValueBefore } from './unknownInput.js';

export type ReadingKind = 'own' | 'chained' | 'captured';

export interface Reading {
  readonly kind: ReadingKind;
  readonly session: ReplaySession;
  readonly run: LayerRun;
  /** The observed values against the declared replay on this input. */
  readonly diff: SidesDiff;
}

export interface Samples {
  readonly from: number;
  readonly to: number;
  readonly fast: Fast;
}

/** The codes that were captured, where the replay of what was captured before them gave each. */
interface Exact {
  readonly kernel: string | null;
  readonly values: CapturedValue;
}

/** What was captured, and how it was compared. */
export interface ExactSide {
  readonly capture: Capture;
  readonly captureLayers: readonly LayerReport[];
  readonly options: Pick<CompareOptions, 'mode'>;
}

interface Fed {
  /** Layers of the candidate that are explained on what was captured before them, though it has its own. */
  readonly onCaptured: ReadonlySet<string>;
}

/** Null: it is not known that it did. */
function exactOf({ captureLayers, capture, options }: ExactSide, layer: Layer): Exact | null {
  const { mismatched, within_bound, kernel } = captureLayers.find(({ name }) => name === layer.name) ?? {};
  const values = capture.values.get(layer.name);
  const isExact = mismatched === 0 && !within_bound && (options.mode ?? 'isolated') === 'isolated';
  return isExact && values && layer.output && isQuantized(layer.output) ? { kernel: kernel ?? null, values } : null;
}

/** Whether it gives one value each: sums of floats allow several where the capture holds one, and a candidate may have another. */
function givesOne(kernel: Kernel, layer: Layer): boolean {
  const steps = stepsOf(kernel, layer);
  return steps?.kind === 'product' && !steps.float;
}

/** What a layer computes on some values as declared, where they are what was captured before it, and that is captured too; null: replay it. */
export function declaredValue(
  side: ExactSide,
  layer: Layer,
  kernel: Kernel,
  { model, values }: { readonly model: Model; readonly values: Capture['values'] },
): CapturedValue | null {
  const exact = exactOf(side, layer);
  const captured = side.capture.values;
  const isSame = layer.inputs.every((name) => values.has(name) && values.get(name) === captured.get(name));
  const isFed = [values, captured].some((own) => besideValue(own, model, layer.name, 'input'));
  return exact && isSame && !isFed && kernel.name === exact.kernel && givesOne(kernel, layer) ? exact.values : null;
}

/** What was observed, after the ReLU that follows where zeroPoint is set. */
export interface Observed {
  readonly observed: ValueReader;
  readonly zeroPoint: number | null;
  /** From what was captured, in the same place. */
  readonly diff: SidesDiff;
}

/** Both sides' values. */
export interface BothValues extends Observed {
  readonly expected: ValueReader;
}

/** A model replayed on a candidate's values. */
export interface OnOwnValues {
  readonly ownSession: ReplaySession;
  /** The candidate's values, without what it says that layers read, and the model's inputs. */
  readonly chainedValues: Capture;
  /** The same without what the candidate says that layers read: each on the candidate's own value before it. */
  readonly chainedSession: ReplaySession;
}

/** What a candidate's layers may have read. */
interface Sides extends OnOwnValues {
  readonly model: Model;
  readonly candidate: Capture;
  /** On the captured values. */
  readonly session: ReplaySession;
  /** The same of what its values mean, where it stores them with the other sign or in another order; null: it does not. */
  readonly meant: () => Promise<OnOwnValues | null>;
}

/** Where it has nothing before this layer, the captured value is the likelier. */
export async function sessionsOf(sides: Sides, layer: Layer) {
  const { model, candidate, ownSession, chainedSession, session } = sides;
  const meant = await sides.meant();
  const saysInput = besideValue(candidate.values, model, layer.name, 'input') !== undefined;
  const before = hasValueBefore(model, candidate, layer);
  const own = [
    ...(saysInput ? both('own', meant?.ownSession, ownSession) : []),
    ...(before || !saysInput ? both('chained', meant?.chainedSession, chainedSession) : []),
  ];
  const captured = ['captured', session] as const;
  return saysInput || before ? [...own, captured] : [captured, ...own];
}

function both(kind: ReadingKind, asMeant: ReplaySession | undefined, asStored: ReplaySession) {
  return asMeant
    ? ([
        [kind, asMeant],
        [kind, asStored],
      ] as const)
    : ([[kind, asStored]] as const);
}

/** In the order in which they are believed; an exact one ends the list. */
export async function readingsOf(
  samples: Samples & ExactSide & Fed,
  sessions: readonly (readonly [ReadingKind, ReplaySession])[],
  layer: Layer,
  { observed, zeroPoint, diff }: Observed,
): Promise<Reading[]> {
  const exact = exactOf(samples, layer);
  const readings: Reading[] = [];
  for (const [kind, session] of sessions) {
    if (session.whyNotReplayed(layer)) continue;
    const run = await session.open(layer);
    if (await isTried(samples, run, readings)) continue;
    const known =
      kind === 'captured' && run.kernel.name === exact?.kernel && givesOne(run.kernel, layer) ? exact.values : null;
    const kept = known ? { ...run, replay: replayOf(known) } : keeping(run, samples);
    const own = known ? exchanged(diff) : await diffReplay(samples, kept, observed, zeroPoint);
    const reading = { kind, session, run: kept, diff: own };
    if (own.mismatched === 0) return [reading];
    readings.push(reading);
  }
  const isFed = samples.onCaptured.size >= FEWEST_FED;
  return nearerFirst(samples, isFed ? readings : readings.filter(isLikely), observed.features);
}

/** What leaves far more than the input that is believed first was not read: with so few values a number gives the rest. */
function isLikely({ kind, diff }: Reading, _: number, [first]: readonly Reading[]): boolean {
  return kind !== 'captured' || diff.mismatched <= MANY_MORE * first.diff.mismatched;
}

const MANY_MORE = 2;

/** A test bench that feeds so many layers what was captured feeds all of them that. */
const FEWEST_FED = 2;

/** Values are read where they stand if that leaves far less than where they were taken to mean: a wrong layer may look like one that is turned. */
async function nearerFirst(samples: Samples, readings: readonly Reading[], features: number): Promise<Reading[]> {
  const [first, second, ...others] = readings;
  if (!second || first.kind !== second.kind) return [...readings];
  const [meant, stored] = [first.diff.mismatched, second.diff.mismatched];
  const isNearer = stored <= FEW * features * (samples.to - samples.from) && meant > FAR * stored;
  return isNearer && (await areTurned(samples, first, second)) ? [second, first, ...others] : [...readings];
}

/** Whether they read the same codes in other places, in the first sample. */
async function areTurned({ from }: Samples, ...readings: readonly [Reading, Reading]): Promise<boolean> {
  const [one, other] = await Promise.all(
    readings.map(({ run }) =>
      Promise.all(run.inputs.map(async (input) => (await input.read(from, from + 1)).toSorted())),
    ),
  );
  return one.every((codes, i) => codes.every((code, at) => code === other[i][at]));
}

/** Of a layer's values; and times as many. */
const [FEW, FAR] = [1 / 64, 4];

/** Values that are kept of a layer's replay: it is asked for again where nothing explains what differs. */
const MOST_KEPT = 2e7;

/** The same run, which replays what it has given in the order of samples no second time; sums are not kept. */
export function keeping(run: LayerRun, { from, to }: Pick<Samples, 'from' | 'to'>): LayerRun {
  let kept: Replayed['data'] | null = null;
  /** Of one block, with its bounds. */
  let all: Replayed | null = null;
  let end = from;
  const replay = async (start: number, stop: number): Promise<Replayed> => {
    if (all) return partOf(all, all.data.length / (to - from), start - from, stop - from);
    if (kept && stop <= end) {
      const features = kept.length / (to - from);
      return codesOf(kept.subarray((start - from) * features, (stop - from) * features), stop - start);
    }
    const replayed = await run.replay(start, stop);
    const { data, low } = replayed;
    const features = data.length / (stop - start);
    if (low && start === from && stop === to && data.length <= MOST_KEPT) all = replayed;
    if (start !== end || low || (to - from) * features > MOST_KEPT) return replayed;
    kept ??= stop === to ? data : emptyLike(data, (to - from) * features);
    if (kept !== data) kept.set(data, (start - from) * features);
    end = stop;
    return replayed;
  };
  return { ...run, replay };
}

function partOf({ data, low, high }: Replayed, features: number, from: number, to: number): Replayed {
  const part = <A extends Replayed['data'] | NonNullable<Replayed['low']>>(values: A) =>
    values.subarray(from * features, to * features) as A;
  return { ...codesOf(part(data), to - from), low: low && part(low), high: high && part(high) };
}

function replayOf(values: ValueReader): LayerRun['replay'] {
  return async (from, to) => codesOf((await values.read(from, to)) as Replayed['data'], to - from);
}

function codesOf(data: Replayed['data'], samples: number): Replayed {
  return { rows: samples, cols: data.length / samples, data, low: null, high: null, ...NO_SUMS };
}

/** Whether it was replayed so on equal values: a search would find the same again. */
async function isTried(samples: Samples, { kernel, inputs }: LayerRun, tried: readonly Reading[]): Promise<boolean> {
  for (const { run } of tried)
    if (run.kernel === kernel && (await firstDiffering(samples, inputs, run.inputs)) < 0) return true;
  return false;
}

/** Replays a layer as declared on its run's input, and counts where values differ from that. */
export async function diffReplay(
  { from, to, fast }: Samples,
  run: LayerRun,
  values: ValueReader,
  zeroPoint: number | null,
): Promise<LayerDiffResult> {
  const wanted = afterRelu(values, zeroPoint);
  const diff = layerDiff(run.ready.layer.output, run.ready.shapes.output, EXACT, fast);
  for (const [start, end] of blocks(from, to, run.input.features + values.features)) {
    const { data, low, high } = await run.replay(start, end);
    const expected = await wanted.read(start, end);
    if (zeroPoint === null) diff.add({ firstSample: start, expected, actual: data, low, high });
    else diff.add({ firstSample: start, expected, actual: rectified(data, zeroPoint) });
  }
  return diff.result();
}

/** Which of a layer's inputs is the first that is another on the other side; -1: none. */
export async function firstDiffering(
  samples: Samples,
  own: readonly ValueReader[],
  others: readonly ValueReader[],
): Promise<number> {
  for (const [i, reader] of own.entries()) if (await readersDiffer(samples, reader, others[i])) return i;
  return -1;
}

export async function readersDiffer(
  { from, to }: Pick<Samples, 'from' | 'to'>,
  one: ValueReader,
  other: ValueReader,
): Promise<boolean> {
  if (one === other) return false;
  for (const [start, end] of blocks(from, to, one.features)) {
    const b = await other.read(start, end);
    if ((await one.read(start, end)).some((v: number, i: number) => v !== b[i])) return true;
  }
  return false;
}

/** Of a layer whose values may be right at other places, or beside those that are. */
export interface AskedOfPlaces extends Samples {
  readonly model: Model;
  readonly subject: 'candidate' | 'capture';
  readonly reading: Pick<Reading, 'run' | 'diff'>;
  readonly observed: ValueReader;
  /** What it is judged by, where that is not the replay. */
  readonly expected: ValueReader | null;
  readonly zeroPoint: number | null;
}
