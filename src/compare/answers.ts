/**
 * What differs in the answers of a classifier, and which cause is responsible: a side is replayed as it was found to compute,
 * with that cause alone taken away.
 */
import type { Diagnosis } from '../diagnose/diagnose.js';
import type { LayerDiagnosis } from '../diagnose/finding/explanation.js';
import type { NumericArray } from '../nouns/array.js';
import { besideValue, type Capture, type CapturedValue } from '../nouns/capture.js';
import type { Fast, Kernel } from '../nouns/kernel.js';
import type { Layer, Model } from '../nouns/model.js';
import { isTensor } from '../nouns/model.js';
import type { Answers } from '../nouns/part.js';
import { concat } from '../numeric/array.js';
import { blocks } from '../replay/blocks.js';
import { type LayerRun, ReplaySession } from '../replay/session.js';
import { fromRows } from '../tensor/rows.js';
import { sizeOf } from '../tensor/shape.js';
import { declaredValue, type ExactSide, readersDiffer } from './candidate/readings.js';
import { differingRows } from './differing.js';
import { classesOf, wholeReader } from './wholeValues.js';

/** One implementation: its values, and what was found of its layers. */
export interface AnsweringSide {
  readonly values: Capture;
  /** Isolated, on these values. */
  readonly session: ReplaySession;
  readonly diagnosis: Diagnosis;
  readonly found: ReadonlyMap<string, LayerDiagnosis>;
  /** Whether a layer's values are not its replay's, explained or not. */
  differs(layer: string): boolean;
}

interface Asked {
  readonly model: Model;
  readonly output: Layer;
  readonly from: number;
  readonly to: number;
  readonly fast: Fast;
  readonly exact: ExactSide;
}

/** Not causes of their own. */
const NO_CAUSE: readonly string[] = ['inherited'];

/** Of a candidate and the capture, or of the capture and its replay. */
export function answersOf(asked: Asked, captured: AnsweringSide, candidate: AnsweringSide | null) {
  return candidate ? answersBetween(asked, [candidate, captured]) : answersOfReplay(asked, captured);
}

/** Two implementations: where they answer otherwise, and what takes that away on either side. */
async function answersBetween(asked: Asked, sides: readonly AnsweringSide[]): Promise<Answers> {
  const answers: Int32Array[] = [];
  for (const { values } of sides) answers.push(await answersIn(asked, values));
  const [one, other] = answers;
  return counted(asked, sides, one, other, async (cause) => {
    const without = [...answers];
    for (const [i, side] of sides.entries()) {
      if (!causesOf(side).includes(cause)) continue;
      const values = await valuesWithout(asked, side, cause);
      if (!values) return null;
      without[i] = await answersIn(asked, values);
    }
    return without as [Int32Array, Int32Array];
  });
}

/** An implementation and its own replay with nothing that was found; null: a layer on the way cannot be replayed. */
async function answersOfReplay(asked: Asked, side: AnsweringSide): Promise<Answers | null> {
  const exact = await valuesWithout(asked, side, null);
  if (!exact) return null;
  const [own, declared] = [await answersIn(asked, side.values), await answersIn(asked, exact)];
  return counted(asked, [side], own, declared, async (cause) => {
    if (isAllOf(asked, side, cause)) return [declared, declared];
    const values = await valuesWithout(asked, side, cause);
    return values && [await answersIn(asked, values), declared];
  });
}

async function counted(
  { from, to }: Asked,
  sides: readonly AnsweringSide[],
  one: Int32Array,
  other: Int32Array,
  without: (cause: string) => Promise<readonly [Int32Array, Int32Array] | null>,
): Promise<Answers> {
  const flips = Array.from({ length: to - from }, (_, i) => from + i).filter((sample) => one[sample] !== other[sample]);
  const byCause: Record<string, number | null> = {};
  for (const cause of new Set(sides.flatMap(causesOf))) {
    const pair = flips.length > 0 ? await without(cause) : null;
    const back = pair && flips.filter((sample) => pair[0][sample] === pair[1][sample]).length;
    byCause[cause] = flips.length > 0 ? back : 0;
  }
  return { all: flips.length, byCause };
}

function causesOf({ found }: AnsweringSide): string[] {
  const all = [...found.values()].flatMap(({ report }) => report.causes);
  return [...new Set(all)].filter((cause) => !NO_CAUSE.includes(cause));
}

const known = new WeakMap<CapturedValue, Promise<Int32Array>>();

function answersIn({ output }: Asked, { values, samples }: Capture): Promise<Int32Array> {
  const value = values.get(output.name)!;
  const answers = known.get(value) ?? classesOf(value, samples);
  known.set(value, answers);
  return answers;
}

/**
 * The side's values as they were without a cause (null: without any): each layer that has it, and all that reads what this
 * changes, computed anew. Null: one of them cannot be. Values are kept as long as something reads them.
 */
async function valuesWithout(asked: Asked, side: AnsweringSide, cause: string | null): Promise<Capture | null> {
  const { model, output, fast } = asked;
  const { values, session, diagnosis } = side;
  const changed = new Map<string, CapturedValue>(values.values);
  const capture = { ...values, values: changed };
  const chain = new ReplaySession(model, capture, session.asReference(), 'isolated', fast);
  for (const layer of model.layers) chain.readAs(layer, session.kernelOf(layer));
  const dirty = new Set<string>();
  const lastReader = new Map(model.layers.flatMap(({ inputs }, index) => inputs.map((name) => [name, index] as const)));
  for (const [index, layer] of model.layers.entries()) {
    const isStale = layer.inputs.some((name) => dirty.has(name));
    if (isStale || isConcerned(side, layer.name, cause)) {
      const left = stillDone(side, layer.name, cause);
      if (left === null || chain.whyNotReplayed(layer) !== null) return null;
      if (isStale && besideValue(changed, model, layer.name, 'input')) changed.delete(`${layer.name}.input`);
      const known = left.length === 0 ? declaredIn(asked, layer, chain.kernelOf(layer), capture) : null;
      const value = known ?? (await computed(await chain.open(layer), diagnosis, left, values.samples));
      const before = values.values.get(layer.name);
      if (before && !(await readersDiffer({ from: 0, to: values.samples }, value, before))) continue;
      changed.set(layer.name, value);
      dirty.add(layer.name);
    }
    for (const name of layer.inputs) {
      if (dirty.has(name) && lastReader.get(name) === index && name !== output.name) changed.delete(name);
    }
  }
  return capture;
}

/** What was captured is known to be the replay's in the samples that are compared. */
function declaredIn({ model, exact, from, to }: Asked, layer: Layer, kernel: Kernel, { values, samples }: Capture) {
  return from === 0 && to === samples ? declaredValue(exact, layer, kernel, { model, values }) : null;
}

function isConcerned({ found, differs }: AnsweringSide, layer: string, cause: string | null): boolean {
  return cause === null ? differs(layer) : (found.get(layer)?.report.causes.includes(cause) ?? false);
}

/** Whether a cause is all that any layer does otherwise: without it the values are the declared ones. */
function isAllOf({ model }: Asked, side: AnsweringSide, cause: string): boolean {
  return model.layers.every(({ name }) => {
    if (!isConcerned(side, name, cause)) return !side.differs(name);
    return side.differs(name) && stillDone(side, name, cause)?.length === 0;
  });
}

/** What a layer goes on doing otherwise than declared; null: not known of other inputs. */
function stillDone({ found, differs }: AnsweringSide, layer: string, cause: string | null) {
  const own = found.get(layer);
  if (cause === null) return [];
  if (!own) return differs(layer) ? null : [];
  const kept = own.report.causes.filter((one) => one !== cause && !NO_CAUSE.includes(one));
  const left = kept.length === 0 ? [] : own.changes.filter((change) => change.unnamed || change.cause !== cause);
  const isKnown = kept.every((one) => left.some((change) => change.cause === one));
  return isKnown && left.every(({ coordinate }) => coordinate !== 'rows') ? left : null;
}

async function computed(
  run: LayerRun,
  diagnosis: Diagnosis,
  changes: LayerDiagnosis['changes'],
  samples: number,
): Promise<CapturedValue> {
  const { output } = run.ready.shapes;
  const parts: NumericArray[] = [];
  for (const [from, to] of blocks(0, samples, run.input.features + sizeOf(output.dims))) {
    parts.push((await run.replay(from, to)).data);
  }
  const declared = wholeReader(concat(parts, samples * sizeOf(output.dims)), output, samples);
  if (changes.length === 0) return declared;
  // what it is held against is not looked at
  const nothing = { input: run.input, observed: declared, diff: { mismatched: 0, witnesses: [] }, afterRelu: false };
  const differing = differingRows({ run, ...nothing, from: 0, to: samples });
  const rows = await diagnosis.valuesUnder(differing, changes);
  return wholeReader(isTensor(run.ready.layer) ? rows : fromRows(rows, output), output, samples);
}
