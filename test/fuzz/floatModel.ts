/** Attention with a mask, norms of floats and a GRU's step, as an exporter writes them: small, and mutated with the others. */
import { referenceFor } from '../../src/kernels/reference.js';
import type { ArrayFile, ArraySource } from '../../src/nouns/array.js';
import { ReplaySession } from '../../src/replay/session.js';
import { sizeOf } from '../../src/tensor/shape.js';
import { validateCapture } from '../../src/validate/capture.js';
import { validateModel } from '../../src/validate/model.js';
import { npy } from '../support/npz.js';
import { npzOf } from './zipFile.js';

const [SAMPLES, PLACES, WIDTH, CELLS] = [2, 3, 4, 2];
const REAL = { output: { dtype: 'float32' } };

const numbers = (count: number, step: number) => Array.from({ length: count }, (_, i) => Math.sin(step * (i + 1)));
const affine = (count: number) => ({ weight: numbers(count, 2), bias: numbers(count, 3), eps: 1e-5 });

const float = (op: string, name: string, input: string | readonly string[], fields = {}) => ({
  ...{ name, op, input, ...REAL, ...fields },
});

const slice = (name: string, dim: number, start: number, drop = {}) => ({
  ...{ name, op: 'slice', input: dim === 1 ? 'mixed' : 'gates', dim, start, end: start + (dim === 1 ? 1 : CELLS) },
  ...drop,
});

/** Of the gates that a step's product gives: what is kept of the state before. */
const gruStep = [
  slice('step', 1, 0, { drop: [1] }),
  float('linear_float', 'gates', 'step', {
    ...{ weight: numbers(2 * CELLS * WIDTH, 5), out_features: 2 * CELLS, bias: numbers(2 * CELLS, 7) },
    shape: [2 * CELLS],
  }),
  { ...slice('first', 1, 0), input: 'gates', end: CELLS },
  { ...slice('second', 1, CELLS), input: 'gates', end: 2 * CELLS },
  float('sigmoid', 'update', 'first'),
  float('tanh', 'new', 'second'),
  float('sub', 'moved', ['state', 'new']),
  float('mul', 'kept', ['moved', 'update']),
  float('add', 'next', ['kept', 'new']),
];

const layers = [
  float('linear_float', 'into', 'x', {
    ...{ weight: numbers(WIDTH * WIDTH, 11), out_features: WIDTH, bias: null },
  }),
  float('layer_norm', 'norm', 'into', { ...affine(WIDTH), normalized_shape: [WIDTH] }),
  float('scaled_dot_product_attention', 'mixed', ['norm', 'into', 'x', 'mask'], { scale: 0.5, mask: 'added' }),
  float('instance_norm', 'instances', 'mixed', affine(PLACES)),
  float('group_norm', 'groups', 'instances', { ...affine(PLACES), num_groups: 1 }),
  float('rms_norm', 'roots', 'groups', { weight: numbers(WIDTH, 13), eps: 1e-6, normalized_shape: [WIDTH] }),
  float('gelu', 'bent', 'roots', { approximate: 'tanh' }),
  float('silu', 'gated', 'bent', { alpha: 1.702 }),
  float('softmax', 'chosen', 'gated', { dim: 2 }),
  ...gruStep,
];

const inputs = [
  { name: 'x', dtype: 'float32', shape: [PLACES, WIDTH] },
  { name: 'mask', dtype: 'float32', shape: [PLACES, PLACES] },
  { name: 'state', dtype: 'float32', shape: [CELLS] },
];

const producer = { framework: 'pytorch', engine: 'x86', cpu_capability: 'AVX2' };

export const floatModel = { format: 'qdiff-model', version: 1, producer, inputs, layers };

/** A mask hides what comes later: -inf. */
const hidden = Array.from({ length: SAMPLES * PLACES * PLACES }, (_, i) =>
  i % PLACES > Math.floor(i / PLACES) % PLACES ? Number.NEGATIVE_INFINITY : 0,
);

const given: readonly (readonly [name: string, value: Value])[] = [
  ['x', [[PLACES, WIDTH], numbers(SAMPLES * PLACES * WIDTH, 17)]],
  ['mask', [[PLACES, PLACES], hidden]],
  ['state', [[CELLS], numbers(SAMPLES * CELLS, 19)]],
];

type Value = readonly [dims: readonly number[], values: ArrayLike<number>];

function fileOf(values: ReadonlyMap<string, Value>): ArrayFile {
  const arrays = [...values].map(([key, [dims, all]]): [string, ArraySource] => {
    const size = sizeOf(dims);
    const read = async (from = 0, to = SAMPLES) => Float32Array.from(all).subarray(from * size, to * size);
    return [key, { key, dtype: 'float32', shape: [SAMPLES, ...dims], fortranOrder: false, read }];
  });
  return { path: 'capture.npz', arrays: new Map(arrays), close: async () => {} };
}

/** What it reads, and of each layer what its replay gives: within a bound of all that it may. */
export async function floatCapture(): Promise<Buffer> {
  const model = await validateModel(floatModel, 'model.json', 'none');
  const reference = referenceFor(model.producer, undefined);
  const values = new Map(given);
  for (const layer of model.layers) {
    const capture = await validateCapture(model, fileOf(values), 'inputs');
    const run = await new ReplaySession(model, capture, reference, 'isolated').open(layer);
    const { data } = await run.replay(0, SAMPLES);
    values.set(layer.name, [model.shapes!.get(layer.name)!.dims, data]);
  }
  const arrays = [...values].map(([key, [dims, all]]) => {
    return [key, npy('float32', [SAMPLES, ...dims], Array.from(all))] as const;
  });
  return npzOf(arrays);
}
