/**
 * Another model as the candidate: its layers by the model's names, its values in the model's terms, and what the two files say
 * differently. Values are those of a capture of it, or its own replay, chained from the capture's inputs.
 */
import { referenceFor } from '../../kernels/reference.js';
import type { ArrayFile } from '../../nouns/array.js';
import type { Capture, CapturedValue } from '../../nouns/capture.js';
import type { Fast } from '../../nouns/kernel.js';
import type { Layer, Model } from '../../nouns/model.js';
import { InputError, type Warning } from '../../nouns/problem.js';
import type { ModelDifference } from '../../nouns/report.js';
import { isQuantized, type ValueParams } from '../../nouns/value.js';
import { replayedCapture } from '../../replay/reference.js';
import { ReplaySession } from '../../replay/session.js';
import { counted, listed, printable } from '../../text.js';
import { validateCapture } from '../../validate/capture.js';
import { computedBy } from '../../validate/producer.js';
import { modelDifferences, paramsIn } from './differences.js';
import { foldedInto, isClampAlone, isPassedOn, type LayerPair, type Matched, matchModels } from './match.js';
import { asSource, dequantizedValue, inTermsOf, liesAs, moved, valueLike, withinCodes } from './values.js';

export interface CandidateModel {
  readonly path: string;
  /** The other model's values by this model's names. */
  readonly candidate: Capture;
  readonly differences: readonly ModelDifference[];
  readonly pairs: readonly LayerPair[];
  readonly model: Model;
  /** The other model's values, by its own names. */
  readonly values: Capture;
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
  return { path: other.path, candidate, differences, pairs: matched.pairs, model: ran, values };
}

/** The other model on its own values, layer by layer. */
export function sessionOf({ model, values }: CandidateModel, fast: Fast): ReplaySession {
  return new ReplaySession(model, values, referenceFor(model.producer), 'isolated', fast);
}

/** What the other model computes by itself from the inputs that were captured. */
async function ownReplay(model: Model, capture: Capture, other: Model, { names }: Matched): Promise<Capture> {
  const arrays = new Map(
    other.inputs.flatMap(({ name, params }) => {
      const value = given(model, capture, names.get(name), params);
      return value ? [[name, asSource(name, moved(value, model.layout, other.layout))] as const] : [];
    }),
  );
  const file: ArrayFile = { path: capture.path, arrays, close: async () => {} };
  const inputs = await validateCapture(other, file, 'inputs').catch((error) => {
    throw withAdvice(error, other);
  });
  const reference = referenceFor(other.producer);
  const session = new ReplaySession(other, inputs, reference, 'propagated');
  return { ...replayedCapture(other, inputs, session), path: other.path, warnings: [] };
}

function withAdvice(error: unknown, { path }: Model): unknown {
  if (!(error instanceof InputError)) return error;
  const advice = `; --candidate NPZ with values of ${printable(path)} needs no inputs`;
  return new InputError(error.problems.map((problem) => ({ ...problem, message: problem.message + advice })));
}

/** A captured value as an input of such params: floats of codes where floats are wanted. */
function given(model: Model, { values }: Capture, name: string | undefined, params: ValueParams): CapturedValue | null {
  const value = name === undefined ? undefined : values.get(name);
  const own = name === undefined ? null : paramsIn(model)(name);
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
  const put = (
    name: string,
    params: ValueParams | null,
    from: ValueParams | null,
    value: CapturedValue | undefined,
  ) => {
    const read = value && inTermsOf(value, { params: from, layout: other.layout }, { params, layout: model.layout });
    const expected = capture.values.get(name);
    if (read && (!expected || liesAs(read, expected)))
      values.set(name, expected ? valueLike(read, { shape: expected.shape }) : read);
    else if (value) odd.push(name);
  };
  for (const { name, params } of other.inputs) {
    const own = model.inputs.find((input) => input.name === matched.names.get(name));
    if (own) put(own.name, own.params, params, theirs.values.get(name));
  }
  for (const { layer, other: theirLayer } of matched.pairs) {
    const from = foldedInto(theirLayer, layer, model, other);
    put(layer.name, layer.output, from.output, theirs.values.get(from.name));
    for (const behind of model.layers) {
      if (
        !(isClampAlone(behind) || isPassedOn(behind)) ||
        behind.inputs[0] !== layer.name ||
        !isUnmatched(behind, matched)
      )
        continue;
      put(behind.name, behind.output, from.output, theirs.values.get(from.name));
    }
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

/** What a float model gives between codes, which its layer's nearest codes stand for. */
function isBesideCodes(name: string, { layers }: Model): boolean {
  return layers.some((layer) => name === `${layer.name}.float`);
}

function isUnmatched({ name }: Layer, { unmatched }: Matched): boolean {
  return unmatched.layers.includes(name);
}

function said(
  { unmatched }: Matched,
  values: ReadonlyMap<string, unknown>,
  odd: readonly string[],
  model: Model,
  other: Model,
): Warning[] {
  const warn = (where: string, message: string): Warning => ({ code: 'unmatched', where: printable(where), message });
  const others = unmatched.others.filter((name) => !isBesideCodes(name, other));
  const layers = unmatched.layers.filter((name) => !values.has(name));
  return [
    ...(layers.length > 0 ? [warn(model.path, `no layer of ${printable(other.path)} is ${listed(layers, 8)}`)] : []),
    ...(others.length > 0 ? [warn(other.path, `no layer of ${printable(model.path)} is ${listed(others, 8)}`)] : []),
    ...(odd.length > 0 ? [warn(other.path, `values of another form, not compared: ${listed(odd, 8)}`)] : []),
  ];
}
