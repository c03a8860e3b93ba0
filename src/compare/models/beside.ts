/**
 * Another model as the candidate: its layers by the model's names, its values in the model's terms, and what the two files say
 * differently. Values are those of a capture of it, or its own replay, chained from the capture's inputs.
 */
import { referenceFor } from '../../kernels/reference.js';
import type { ArrayFile } from '../../nouns/array.js';
import type { Capture, CapturedValue } from '../../nouns/capture.js';
import type { Fast } from '../../nouns/kernel.js';
import type { Model } from '../../nouns/model.js';
import { InputError, type Warning } from '../../nouns/problem.js';
import type { ModelDifference } from '../../nouns/report.js';
import { isQuantized, type ValueParams } from '../../nouns/value.js';
import { replayedCapture } from '../../replay/reference.js';
import { ReplaySession } from '../../replay/session.js';
import { sameDims } from '../../tensor/shape.js';
import { counted, listed, printable } from '../../text.js';
import { validateCapture } from '../../validate/capture.js';
import { computedBy } from '../../validate/producer.js';
import { modelDifferences, paramsIn } from './differences.js';
import { type LayerPair, type Matched, matchModels } from './match.js';
import type { Same } from './stages.js';
import { layoutsOf } from './turned.js';
import { asSource, dequantizedValue, inTermsOf, liesAs, moved, unflattened, valueLike, withinCodes } from './values.js';

export interface CandidateModel {
  readonly path: string;
  /** The other model's values by this model's names. */
  readonly candidate: Capture;
  readonly differences: readonly ModelDifference[];
  readonly pairs: readonly LayerPair[];
  /** Values that only what reads them tells to be the same. */
  readonly read: readonly Same[];
  readonly model: Model;
  /** The other model's values, by its own names. */
  readonly values: Capture;
  /** The captured values by the other model's names. */
  readonly captured: Capture;
}

/** file: a capture of the other model; null: it is replayed. Throws InputError where nothing of it can be compared. */
export async function besideModel(
  model: Model,
  capture: Capture,
  other: Model,
  file: Capture | null,
): Promise<CandidateModel> {
  const matched = await matchModels(model, other);
  const ran = file ? computedBy(other, file) : other;
  const differences = await modelDifferences(model, ran, matched);
  const values = file ?? (await ownReplay(model, capture, ran, matched));
  const candidate = asCandidate(model, capture, ran, matched, values);
  const captured = asCandidate(ran, values, model, turnedAround(matched), capture);
  return {
    path: other.path,
    candidate,
    differences,
    pairs: matched.pairs,
    read: matched.read,
    model: ran,
    values,
    captured,
  };
}

/** The other model, layer by layer: on its own values, and on those that were captured. */
export function sessionsOf({ model, values, captured }: CandidateModel, fast: Fast) {
  const [own, onCaptured] = [values, captured].map(
    (read) => new ReplaySession(model, read, referenceFor(model.producer), 'isolated', fast),
  );
  return { own, onCaptured };
}

function turnedAround({ pairs, names, read, unmatched }: Matched): Matched {
  const turned = ([own, other]: Same): Same => [other, own];
  return {
    pairs: pairs.map(({ layer, other, same, related: [one, ...more] }) => ({
      layer: other,
      other: layer,
      same: same.map(turned),
      related: [turned(one), ...more.map(turned)],
    })),
    names: new Map([...names].map(([other, own]) => [own, other])),
    read: read.map(turned),
    unmatched: { layers: unmatched.others, others: unmatched.layers },
  };
}

/** What the other model computes by itself from the inputs that were captured. */
async function ownReplay(model: Model, capture: Capture, other: Model, { names }: Matched): Promise<Capture> {
  const [layoutOf, otherLayoutOf] = [layoutsOf(model), layoutsOf(other)];
  const arrays = new Map(
    other.inputs.flatMap(({ name, params }) => {
      const own = names.get(name);
      const value = own === undefined ? null : given(model, capture, own, params);
      if (!value) return [];
      const there = moved(value, layoutOf(own!), otherLayoutOf(name));
      const dims = other.shapes?.get(name)?.dims;
      return [[name, asSource(name, dims && !sameDims(there.shape.dims, dims) ? value : there)] as const];
    }),
  );
  const file: ArrayFile = { path: capture.path, arrays, close: async () => {} };
  const inputs = await validateCapture(other, file, 'inputs').catch((error) => {
    throw withAdvice(error, other);
  });
  const reference = referenceFor(other.producer);
  const session = new ReplaySession(other, inputs, reference, 'propagated');
  return { ...replayedCapture(other, inputs, session), path: other.path, warnings: notReplayed(other, session) };
}

/** What the other model computes beyond what a replay of it reaches. */
function notReplayed({ layers, path }: Model, session: ReplaySession): Warning[] {
  const left = layers.filter((layer) => session.whyNotReplayed(layer) !== null);
  if (left.length === 0) return [];
  const first = `${printable(left[0].name)} (${session.whyNotReplayed(left[0])})`;
  const message = `${counted(left.length, 'layer')} of ${layers.length} not replayed from the captured inputs, the first ${first}; its own capture as --candidate has their values`;
  return [{ code: 'not-replayed', where: printable(path), message }];
}

function withAdvice(error: unknown, { path }: Model): unknown {
  if (!(error instanceof InputError)) return error;
  const advice = `; --candidate NPZ with values of ${printable(path)} needs no inputs`;
  return new InputError(error.problems.map((problem) => ({ ...problem, message: problem.message + advice })));
}

/** A captured value as an input of such params: floats of codes where floats are wanted. */
function given(model: Model, { values }: Capture, name: string, params: ValueParams): CapturedValue | null {
  const [value, own] = [values.get(name), paramsIn(model)(name)];
  if (!value || !own) return null;
  if (isQuantized(own) && !isQuantized(params)) return dequantizedValue(value, own);
  const read = inTermsOf(value, { params: own, layout: 'NCHW' }, { params, layout: 'NCHW' });
  return read && isQuantized(params) ? withinCodes(read, params) : read;
}

function asCandidate(model: Model, capture: Capture, other: Model, matched: Matched, theirs: Capture): Capture {
  const values = new Map<string, CapturedValue>();
  const odd: string[] = [];
  if (theirs.samples !== capture.samples) {
    const message = `expected ${counted(capture.samples, 'sample')} (as the capture has), got ${theirs.samples}`;
    throw new InputError([{ kind: 'samples', where: printable(theirs.path), message }]);
  }
  const [layoutOf, otherLayoutOf] = [layoutsOf(model), layoutsOf(other)];
  const put = ([name, params]: Named, [otherName, from]: Named) => {
    const [value, expected] = [theirs.values.get(otherName), capture.values.get(name)];
    if (!value) return;
    const own = { params, layout: layoutOf(name) };
    const readings = [otherLayoutOf(otherName), own.layout].map((layout) =>
      inTermsOf(expected ? unflattened(value, layout, expected, own.layout) : value, { params: from, layout }, own),
    );
    const read = readings.find((one) => one && (!expected || liesAs(one, expected)));
    if (read) values.set(name, expected ? valueLike(read, { shape: expected.shape }) : read);
    else odd.push(name);
  };
  const [ownParams, theirParams] = [paramsIn(model), paramsIn(other)];
  const isInput = ({ inputs }: Model, name: string) => inputs.some((input) => input.name === name);
  for (const [from, name] of matched.names) {
    if (isInput(model, name) || isInput(other, from)) put([name, ownParams(name)], [from, theirParams(from)]);
  }
  for (const [{ layer: own }, { layer: from }] of [...matched.pairs.flatMap(({ same }) => same), ...matched.read]) {
    if (!values.has(own.name)) put([own.name, own.output], [from.name, from.output]);
  }
  const { producer } = theirs;
  return {
    ...capture,
    path: theirs.path,
    values,
    producer,
    warnings: [...theirs.warnings, ...said(matched, values, odd, model, other)],
  };
}

/** A step that a float model's file has of one layer: what is between codes, reals of what it reads, codes before they are quantized again. */
function isBesideCodes(name: string, { layers }: Model): boolean {
  const owner = /^(.*)\.(float|reals|moved)$/s.exec(name)?.[1];
  return owner !== undefined && layers.some((layer) => layer.name === owner);
}

type Named = readonly [name: string, params: ValueParams | null];

function said(
  { unmatched }: Matched,
  values: ReadonlyMap<string, unknown>,
  odd: readonly string[],
  model: Model,
  other: Model,
): Warning[] {
  const warn = (where: string, message: string): Warning => ({ code: 'unmatched', where: printable(where), message });
  const others = unmatched.others.filter((name) => !isBesideCodes(name, other));
  const [layers, left] = [unmatched.layers, odd].map((names) => names.filter((name) => !values.has(name)));
  return [
    ...(layers.length > 0 ? [warn(model.path, `no layer of ${printable(other.path)} is ${listed(layers, 8)}`)] : []),
    ...(others.length > 0 ? [warn(other.path, `no layer of ${printable(model.path)} is ${listed(others, 8)}`)] : []),
    ...(left.length > 0 ? [warn(other.path, `values of another form, not compared: ${listed(left, 8)}`)] : []),
  ];
}
