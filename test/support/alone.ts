/** One layer of a model.json alone: what it computes, and what is said of a candidate that computes otherwise. */
import { compare } from '../../src/compare/compare.js';
import { referenceFor } from '../../src/kernels/reference.js';
import type { NumericArray } from '../../src/nouns/array.js';
import type { Capture, CapturedValue } from '../../src/nouns/capture.js';
import type { Model } from '../../src/nouns/model.js';
import { ReplaySession } from '../../src/replay/session.js';
import { sizeOf } from '../../src/tensor/shape.js';
import { validateModel } from '../../src/validate/model.js';

export interface Alone {
  readonly producer: object;
  readonly inputs: Readonly<Record<string, { readonly shape: readonly number[]; readonly [field: string]: unknown }>>;
  readonly layer: { readonly op: string; readonly [field: string]: unknown };
  readonly values: Readonly<Record<string, NumericArray>>;
  readonly samples: number;
  /** How many of them each call has; absent: one call. */
  readonly calls?: readonly number[];
}

const NAME = 'y';

function modelOf({ producer, inputs, layer }: Alone): Promise<Model> {
  const given = Object.entries(inputs).map(([name, own]) => ({ name, ...own }));
  const layers = [{ name: NAME, input: Object.keys(inputs), ...layer }];
  const raw = { format: 'qdiff-model', version: 1, layout: 'NCHW', producer, inputs: given, layers };
  return validateModel(raw, 'model.json', 'none');
}

function captureOf(
  model: Model,
  { samples, calls = [samples] }: Alone,
  values: Readonly<Record<string, NumericArray>>,
): Capture {
  const captured = Object.entries(values).map(([name, data]): [string, CapturedValue] => {
    const shape = model.shapes!.get(name)!;
    const features = sizeOf(shape.dims);
    const read = async (from: number, to: number) => data.subarray(from * features, to * features);
    const dtype = data instanceof Float32Array ? 'float32' : 'int32';
    return [name, { samples, features, shape, dtype, read }];
  });
  return {
    path: 'capture.npz',
    samples,
    values: new Map(captured),
    shapes: model.shapes!,
    batchSizes: [...calls],
    warnings: [],
  };
}

/** What the declared kernel gives; fields: in place of the layer's. */
export async function computed(alone: Alone, fields: object = {}): Promise<NumericArray> {
  const own = { ...alone, layer: { ...alone.layer, ...fields } };
  const model = await modelOf(own);
  const session = new ReplaySession(
    model,
    captureOf(model, own, own.values),
    referenceFor(model.producer, undefined),
    'isolated',
  );
  const run = await session.open(model.layers[0]);
  return (await run.replay(0, own.samples)).data;
}

/** Of a candidate beside a right capture; null: they are equal. */
export async function diagnosisOf(alone: Alone, wrong: NumericArray) {
  const model = await modelOf(alone);
  const capture = captureOf(model, alone, { ...alone.values, [NAME]: await computed(alone) });
  const candidate = captureOf(model, alone, { [NAME]: wrong });
  const report = await compare(model, capture, { candidate });
  if (report.layers[0].status !== 'match') throw new Error('the layer itself differs');
  return report.candidate_layers![0].diagnosis;
}
