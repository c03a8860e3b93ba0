/** A layer on codes of its own, and a candidate that makes others of it. */
import { compare } from '../../src/compare/compare.js';
import { referenceFor } from '../../src/kernels/reference.js';
import type { ArrayFile, ArraySource } from '../../src/nouns/array.js';
import { ReplaySession } from '../../src/replay/session.js';
import { sizeOf } from '../../src/tensor/shape.js';
import { validateCapture } from '../../src/validate/capture.js';
import { validateModel } from '../../src/validate/model.js';
import { randomFrom } from './world.js';

const SAMPLES = 6;

export interface Read {
  readonly scale: number;
  readonly zero_point: number;
  readonly shape: readonly number[];
}

export interface OneLayer {
  readonly layer: Readonly<Record<string, unknown>>;
  readonly inputs: Readonly<Record<string, Read>>;
}

type Value = readonly [codes: Uint8Array, shape: readonly number[]];

function modelOf({ layer, inputs }: OneLayer) {
  const producer = { framework: 'pytorch', engine: 'x86', cpu_capability: 'AVX2' };
  const own = Object.entries(inputs).map(([name, params]) => ({ name, dtype: 'uint8', ...params }));
  const layers = [{ name: 'y', input: Object.keys(inputs), ...layer }];
  return validateModel({ format: 'qdiff-model', version: 1, producer, inputs: own, layers }, 'model.json', 'none');
}

function fileOf(values: Readonly<Record<string, Value>>): ArrayFile {
  const arrays = Object.entries(values).map(([key, [data, dims]]): [string, ArraySource] => {
    const read = async (from = 0, to = SAMPLES) => data.subarray(from * sizeOf(dims), to * sizeOf(dims));
    return [key, { key, dtype: 'uint8', shape: [SAMPLES, ...dims], fortranOrder: false, read }];
  });
  return { path: 'capture.npz', arrays: new Map(arrays), close: async () => {} };
}

function codesOf({ inputs }: OneLayer): Readonly<Record<string, Value>> {
  const random = randomFrom(5);
  const around = (zero_point: number) => Math.min(255, Math.max(0, Math.round(zero_point + 40 * random.normal())));
  return Object.fromEntries(
    Object.entries(inputs).map(([name, { zero_point, shape }]) => {
      return [name, [Uint8Array.from({ length: SAMPLES * sizeOf(shape) }, () => around(zero_point)), shape] as const];
    }),
  );
}

/** What is said of a candidate; given: the codes that are read, and what is right. */
export async function diagnosed(
  one: OneLayer,
  become: (right: Uint8Array, given: readonly Uint8Array[]) => ArrayLike<number>,
) {
  const model = await modelOf(one);
  const { dims } = model.shapes!.get('y')!;
  const given = codesOf(one);
  const captured = (codes: ArrayLike<number>) =>
    validateCapture(model, fileOf({ ...given, y: [Uint8Array.from(codes), dims] }));
  const blank = await captured(new Uint8Array(SAMPLES * sizeOf(dims)));
  const session = new ReplaySession(model, blank, referenceFor(model.producer, undefined), 'isolated');
  const run = await session.open(model.layers[0]);
  const right = Uint8Array.from((await run.replay(0, SAMPLES)).data as Uint8Array);
  const wrong = become(
    right,
    Object.values(given).map(([codes]) => codes),
  );
  const report = await compare(model, await captured(right), { candidate: await captured(wrong) });
  return report.candidate_layers![0].diagnosis!;
}
