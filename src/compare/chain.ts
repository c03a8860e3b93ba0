/**
 * Layers whose values a side does not have: the chain from its last value before them to the one that is seen, searched as one.
 * One layer of it does otherwise, all of them do in the same way, or all of them are another kernel's.
 */
import type { Diagnosis } from '../diagnose/diagnose.js';
import type { Evidence } from '../diagnose/finding/evidence.js';
import type { LayerDiagnosis } from '../diagnose/finding/explanation.js';
import { alike, type Habit } from '../diagnose/search/rivals.js';
import { sameEverywhere } from '../kernels/reference.js';
import { productKernels } from '../kernels/registry.js';
import type { NumericArray } from '../nouns/array.js';
import type { Capture, CapturedValue, ValueReader } from '../nouns/capture.js';
import type { Kernel } from '../nouns/kernel.js';
import { isElementwise, isProduct, isTensor, keepsState, type Layer, type Model } from '../nouns/model.js';
import type { DiagnosisReport } from '../nouns/report.js';
import { sumOf } from '../numeric/integer.js';
import { blocks } from '../replay/blocks.js';
import { type LayerRun, ReplaySession } from '../replay/session.js';
import { upTo } from '../replay/upTo.js';
import { fromRows } from '../tensor/rows.js';
import { positionsOf, rowOf, sizeOf } from '../tensor/shape.js';
import { afterRelu } from './alignment.js';
import { diffReplay, type Samples } from './candidate/readings.js';
import { differingRows, inSamples } from './differing.js';
import { isUnexplained } from './layerReport.js';

export interface Chain extends Samples {
  readonly model: Model;
  /** The side's own values: those of the layers between are not there. */
  readonly values: Capture;
  readonly session: ReplaySession;
  /** Of any runtime, or of the declared one only. */
  readonly free: boolean;
  readonly diagnosis: Diagnosis;
}

export interface ChainFinding {
  /** The layer that does otherwise. */
  readonly layer: Layer;
  readonly found: LayerDiagnosis;
  /** So does every layer from there to the one that is seen. */
  readonly throughout?: true;
}

/** Fewer differing values, or one value everywhere, tell nothing of layers before. */
export function tellsOfOthers({ of, evidence }: DiagnosisReport): boolean {
  return of >= 3 && (evidence as Evidence).unexplained?.constant === undefined;
}

/** Samples that most hypotheses fail on, and multiply-adds of one hypothesis. */
const [FIRST_SAMPLES, MOST_EFFORT] = [48, 2e7];

/** Next to borders a value tells as much as a coin, and many numbers of bits are tried. */
const FEWEST_OF_PAIRS = 8;

/** null: nothing that is tried gives every observed value. */
export async function throughChain(
  chain: Chain,
  last: Layer,
  observed: ValueReader,
  zeroPoint: number | null,
  differing: number,
): Promise<ChainFinding | null> {
  const missing = missingLayers(chain, last);
  if (missing.length === 0 || !(await tellsEnough(chain, last, observed, zeroPoint))) return null;
  const seen = { last, observed, zeroPoint, differing, missing: missing.length };
  const findings: ChainFinding[] = [];
  for (const layer of missing) {
    if (chain.diagnosis.work.isSpentOnUnseen) break; // to list what it may do takes replays
    const finding = await oneLayer(chain, layer, seen);
    if (finding) findings.push(finding);
  }
  if (findings.length > 0) return findings.length === 1 ? findings[0] : null; // which of them it is nothing tells
  const known = differing < FEWEST_OF_PAIRS ? [] : chain.diagnosis.habitsBefore;
  const asOthers = await anyHabit(chain, missing, known, seen);
  if (asOthers) return asOthers;
  const products = missing.filter(isProduct);
  if (products.length === 0) return null;
  return (await everyLayer(chain, products, seen)) ?? wholeKernel(chain, products[0], seen);
}

/** What is said of the layer that is seen: what was found before it, and where. */
export function seenAs(of: number, { layer, found, throughout }: ChainFinding): DiagnosisReport {
  const { basis, ...evidence } = found.report.evidence as Evidence;
  return {
    ...found.report,
    explained: of,
    of,
    lost: 0,
    // how many values of a layer that nobody saw is not for this one to say
    evidence: { ...withoutCounts(evidence), basis: { ...basis, in: layer.name, ...(throughout && { throughout }) } },
  };
}

interface Counts {
  readonly values?: number;
  readonly mismatched_with_pair?: number;
}

function withoutCounts(evidence: Evidence): Evidence {
  const withoutIt = ([cause, found]: [string, Counts]) => {
    const { values, mismatched_with_pair, ...others } = found;
    return [cause, others];
  };
  return Object.fromEntries(Object.entries(evidence as Record<string, object>).map(withoutIt));
}

interface Seen {
  /** Layers before it that nobody saw: all are asked for when it is replayed. */
  readonly missing: number;
  /** Values that are not the replay's. */
  readonly differing: number;
  readonly last: Layer;
  readonly observed: ValueReader;
  readonly zeroPoint: number | null;
}

/** More than one of some thousand hypotheses would give by chance. */
const BITS = 16;

/** A value as declared tells one bit, one beside it of three codes, one far away of hundreds. */
async function tellsEnough(chain: Chain, last: Layer, observed: ValueReader, zeroPoint: number | null) {
  const { session, from, to } = chain;
  const declared = afterRelu(await writtenBy(await session.open(last), from, to), zeroPoint);
  let bits = 0;
  for (const [start, end] of blocks(from, to, observed.features)) {
    const [values, expected] = [await observed.read(start, end), await declared.read(start, end)];
    for (let i = 0; i < values.length && bits < BITS; i++)
      bits += Math.max(1, Math.log2(1 + 2 * Math.abs(values[i] - expected[i])));
    if (bits >= BITS) return true;
  }
  return false;
}

/** Each hypothesis replays the rest of the chain, hundreds of times a layer: images of a few layers, no network of them. */
const [MOST_IMAGES, MOST_OF_IMAGES] = [6, 1e6];

/** Products, ReLUs, and what is computed of whole values, between the last value that the side has and this one, in the model's order. */
function missingLayers({ model, values, session }: Chain, last: Layer): Layer[] {
  if (last.inputs.every((name) => values.values.has(name))) return []; // of thousands of layers nearly all
  const layers = new Map(model.layers.map((layer) => [layer.name, layer]));
  const missing = upTo(last, layers, ({ name }) => values.values.has(name)).filter(
    (layer) => layer !== last && session.whyNotReplayed(layer) === null,
  );
  const products = missing.filter(isProduct);
  const effort = sumOf(products.map((layer) => effortOf(model, layer)));
  const withImages = products.length <= MOST_IMAGES && effort <= MOST_OF_IMAGES;
  return missing.filter((layer) => {
    if (isProduct(layer)) return withImages || !layer.form.patch;
    return isElementwise(layer) ? layer.form.clamp !== null : isTensor(layer) && withImages && !keepsState(layer);
  });
}

/** Multiply-adds of a sample. */
function effortOf({ shapes }: Model, layer: Layer): number {
  if (!isProduct(layer)) return 1;
  const { weight, patch } = layer.form;
  const shape = shapes?.get(layer.name);
  if (patch && !shape) return Number.POSITIVE_INFINITY;
  return weight.inFeatures * weight.outFeatures * (patch ? positionsOf(shape!) : 1);
}

/** So many that a hypothesis takes little. */
function fewSamples({ model, from, to }: Chain, layer: Layer): { from: number; to: number } {
  const effort = effortOf(model, layer);
  return { from, to: Math.min(to, from + Math.max(1, Math.min(FIRST_SAMPLES, Math.floor(MOST_EFFORT / effort)))) };
}

async function oneLayer(chain: Chain, layer: Layer, seen: Seen): Promise<ChainFinding | null> {
  const { diagnosis, from, to, session } = chain;
  const run = await session.open(layer);
  const declared = await writtenBy(run, from, to);
  const few = fewSamples(chain, layer);
  const judged = differingOf(run, declared, few);
  let first: ChainFinding | null = null;
  let step: string | undefined;
  const others = new Set<string>();
  for (const { changes, values } of await diagnosis.rivals(judged)) {
    // what is found is told beside other readings of its step
    if (first && (changes.length > 1 || changes[0].coordinate !== step)) continue;
    if (!diagnosis.work.mayTryUnseen(effortOf(chain.model, layer) * (few.to - few.from), seen.missing)) break;
    if (!(await gives({ ...chain, ...few }, layer, writtenOf(run, values, from), seen))) continue;
    const all = await diagnosis.valuesUnder(differingOf(run, declared, { from, to }), changes);
    const value = writtenOf(run, all, from);
    if (!(await gives(chain, layer, value, seen))) continue;
    if (first) others.add(changes[0].cause);
    else [first, step] = [await explainedAs(chain, layer, run, value), changes[0].coordinate];
  }
  return first && orElse(first, others);
}

/** What gives every value that is seen as well: a ReLU behind it hides what would tell. */
function orElse({ found, ...finding }: ChainFinding, others: ReadonlySet<string>): ChainFinding {
  const { causes, indistinguishable: known } = found.report;
  const isNew = (cause: string) => !causes.includes(cause) && !known.some((other) => other.causes.includes(cause));
  const added = [...others].filter(isNew).map((cause) => ({ causes: [cause], kernel: null }));
  return { ...finding, found: { ...found, report: { ...found.report, indistinguishable: [...known, ...added] } } };
}

/** An implementation does the same in each of its layers: what one of them might do otherwise, all do. */
async function everyLayer(chain: Chain, missing: readonly Layer[], seen: Seen): Promise<ChainFinding | null> {
  // what turns codes to floats, or pools them, comes behind products too
  if (!isProduct(seen.last) && !isElementwise(seen.last) && !isTensor(seen.last)) return null;
  const { diagnosis, session } = chain;
  const run = await session.open(missing[0]);
  const few = fewSamples(chain, missing[0]);
  const declared = await writtenBy(run, chain.from, chain.to);
  const rivals = await diagnosis.rivals(differingOf(run, declared, few));
  const singles = rivals.filter(({ changes }) => changes.length === 1).map(({ changes }) => alike(changes[0]));
  const inPairs = seen.differing < FEWEST_OF_PAIRS ? [] : await diagnosis.habits(differingOf(run, declared, few));
  return anyHabit(chain, missing, [...singles, ...inPairs], seen);
}

/** The first that gives every observed value, told of the first layer that does otherwise for it. */
async function anyHabit(
  chain: Chain,
  missing: readonly Layer[],
  habits: readonly Habit[],
  seen: Seen,
): Promise<ChainFinding | null> {
  const layers = [...missing, seen.last];
  const few = fewSamples(chain, missing[0]);
  const effort = sumOf(layers.map((layer) => effortOf(chain.model, layer))) * (few.to - few.from);
  for (const habit of habits) {
    if (!layers.every(() => chain.diagnosis.work.mayTryUnseen(effort / layers.length))) return null;
    if (!(await allGive({ ...chain, ...few }, layers, habit, seen))) continue;
    const values = await allGive(chain, layers, habit, seen);
    for (const layer of values ? missing : []) {
      const run = await sessionOf(chain, { ...chain.values, values: values! }).open(layer);
      const finding = await explainedAs(chain, layer, run, values!.get(layer.name)!, habit);
      if (finding) return { ...finding, throughout: true };
    }
  }
  return null;
}

/** All values, where the same in each gives every observed value of the last. */
async function allGive(chain: Chain, layers: readonly Layer[], habit: Habit, seen: Seen) {
  const { values, diagnosis, from, to } = chain;
  const known = new Map(values.values);
  for (const layer of layers) {
    const run = await sessionOf(chain, partOf(values, known, to)).open(layer);
    const own = await diagnosis.valuesAs(differingOf(run, await writtenBy(run, from, to), chain), habit);
    if (!own) return null;
    known.set(layer.name, writtenOf(run, own, from));
  }
  const last = known.get(seen.last.name)!;
  const [found, observed] = await Promise.all([last, seen.observed].map((reader) => reader.read(from, to)));
  const after = (value: number) => (seen.zeroPoint === null ? value : Math.max(value, seen.zeroPoint));
  return found.every((value, i) => after(value) === after(observed[i])) ? known : null;
}

/** All layers of the chain by another kernel. */
async function wholeKernel(chain: Chain, first: Layer, seen: Seen): Promise<ChainFinding | null> {
  const { session, free, from, to } = chain;
  const own = session.kernelOf(first);
  for (const { kernel } of productKernels(first.op, own)) {
    if (kernel === own || (!free && kernel.runtime !== own.runtime)) continue;
    const other = sessionOf(chain, chain.values, kernel);
    if (other.whyNotReplayed(seen.last) || !(await equals(chain, await other.open(seen.last), seen))) continue;
    const run = await session.open(first);
    const value = await writtenBy(await other.open(first), from, to);
    const finding = await explainedAs(chain, first, run, value);
    if (finding) return finding;
  }
  return null;
}

/** Why a layer has such values, as if they had been seen. */
async function explainedAs(
  chain: Chain,
  layer: Layer,
  run: LayerRun,
  value: ValueReader,
  habit?: Habit,
): Promise<ChainFinding | null> {
  const { from, to, diagnosis } = chain;
  const diff = await diffReplay(chain, run, value, null);
  if (diff.mismatched === 0) return null;
  const differing = differingRows({ run, input: run.input, observed: value, from, to, diff, afterRelu: false });
  const found = inSamples(await diagnosis.layer({ ...differing, proven: true, ...(habit && { habit }) }), run);
  return isUnexplained(found.report) ? null : { layer, found };
}

/** Whether the chain gives every observed value where a layer of it has these. */
async function gives(chain: Chain, layer: Layer, value: CapturedValue, seen: Seen): Promise<boolean> {
  const { values, to } = chain;
  const known = partOf(values, new Map([...values.values, [layer.name, value]]), to);
  return equals(chain, await sessionOf(chain, known).open(seen.last), seen);
}

/** Of these values the first samples: what follows is replayed as far as it is looked at. */
function partOf(values: Capture, known: Capture['values'], to: number): Capture {
  return { ...values, ...(to < values.samples && { samples: to, batchSizes: [to] }), values: known };
}

async function equals(samples: Samples, run: LayerRun, { observed, zeroPoint }: Seen): Promise<boolean> {
  return (await diffReplay(samples, run, observed, zeroPoint)).mismatched === 0;
}

function sessionOf({ model, session, fast }: Chain, values: Capture, kernel: Kernel | null = null): ReplaySession {
  const reference = kernel ? sameEverywhere(kernel, model.producer) : session.asReference();
  return new ReplaySession(model, values, reference, 'isolated', fast);
}

async function writtenBy(run: LayerRun, from: number, to: number): Promise<CapturedValue> {
  const { data, cols, rows } = await run.replay(from, to);
  const features = (rows * cols) / (to - from);
  return readerOf(data, features, from);
}

/** What a diagnosis has as rows of channels, as the layer writes it. */
function writtenOf({ ready: { layer, shapes } }: LayerRun, rows: NumericArray, from: number): CapturedValue {
  const data = isTensor(layer) ? rows : fromRows(rows, shapes.output);
  return readerOf(data, sizeOf(shapes.output.dims), from);
}

function readerOf(data: NumericArray, features: number, from: number): CapturedValue {
  return {
    samples: from + data.length / features,
    features,
    shape: rowOf(features),
    dtype: data instanceof Float32Array ? 'float32' : 'int32',
    // before the samples that are judged there is nothing to see
    read: async (start: number, end: number) => {
      if (start >= from) return data.subarray((start - from) * features, (end - from) * features);
      const padded = new Float64Array((end - start) * features);
      padded.set(data.subarray(0, Math.max(0, end - from) * features), (Math.min(from, end) - start) * features);
      return padded;
    },
  };
}

function differingOf(run: LayerRun, observed: ValueReader, { from, to }: { from: number; to: number }) {
  const diff = { mismatched: 0, witnesses: [] };
  return differingRows({ run, input: run.input, observed, from, to, diff, afterRelu: false });
}
