/** Operators that keep a state: what of them is read, what is not replayed and why, and what contradicts itself. */
import { expect, test } from 'vitest';
import { readTflite } from '../../src/frontends/tflite/tflite.js';
import { memoryFiles } from '../support/memoryFiles.js';
import { problemsOf } from '../support/problems.js';
import { type GraphSpec, type OperatorSpec, type TensorSpec, tflite } from '../support/tflite.js';

const STEPS: TensorSpec = { shape: [2, 3, 4], scale: [0.03], zeroPoint: [5] };
const weight = (rows: number, cols: number): TensorSpec => ({
  shape: [rows, cols],
  scale: [0.01],
  data: Int8Array.from({ length: rows * cols }, (_, i) => (i % 7) - 3),
});
const bias: TensorSpec = { type: 'int32', shape: [2], scale: [0.0003], data: Int32Array.of(70, -90) };

/** Two cells; tensors 0 to 19 are its inputs where it has them, 20 the output, 21 to 25 the intermediates. */
const TENSORS: readonly (TensorSpec | null)[] = [
  { name: 'x', ...STEPS },
  ...Array.from({ length: 4 }, () => weight(2, 4)),
  ...Array.from({ length: 4 }, () => weight(2, 2)),
  ...[null, null, null],
  ...Array.from({ length: 4 }, () => bias),
  ...[null, null],
  { name: 'h', shape: [2, 2], scale: [0.008], zeroPoint: [-6] },
  { name: 'c', type: 'int16', shape: [2, 2], scale: [2 ** -11] },
  { name: 'y', shape: [2, 3, 2], scale: [0.008], zeroPoint: [-6] },
  ...Array.from({ length: 4 }, (): TensorSpec => ({ type: 'float32', shape: [0] })),
  { shape: [0], scale: [0.008], zeroPoint: [-6] },
];
const INPUTS = TENSORS.slice(0, 20).map((tensor, i) => (tensor ? i : -1));
const TANH = [{ i8: 4 }, { f32: 10 }];

function lstm(tensors: Readonly<Record<number, TensorSpec>> = {}, operator: Partial<OperatorSpec> = {}): GraphSpec {
  const all = TENSORS.map((tensor, i) => ({ ...(tensor ?? {}), ...tensors[i] }));
  const node = { code: 'UNIDIRECTIONAL_SEQUENCE_LSTM', inputs: INPUTS, outputs: [20], options: TANH } as const;
  return {
    tensors: all,
    inputs: [0],
    outputs: [20],
    operators: [{ ...node, intermediates: [21, 22, 23, 24, 25], ...operator }],
  };
}

async function layerOf(graph: GraphSpec): Promise<Record<string, unknown>> {
  const { raw, arrays } = await readTflite(memoryFiles({ 'm.tflite': tflite(graph).bytes }), 'm.tflite');
  await arrays.close();
  return (raw as { layers: Record<string, unknown>[] }).layers[0];
}

const without = (...positions: number[]) => INPUTS.map((index, i) => (positions.includes(i) ? -1 : index));

test('an LSTM reads one value; its states and weights are its own', async () => {
  const layer = await layerOf(lstm());
  expect(layer).toMatchObject({ name: 'y', op: 'sequence_lstm', input: 'x', cell_scale: 2 ** -11, cell_clip: 10 });
  expect(layer).not.toHaveProperty('not_replayed');
  expect(await layerOf(lstm({}, { inputs: without(1, 5, 12) }))).toMatchObject({ gates: { input: null } });
});

const FLOAT: TensorSpec = { type: 'float32', scale: undefined, zeroPoint: undefined };
test.each<[string, GraphSpec, string]>([
  ['hybrid', lstm({ 0: FLOAT, 20: FLOAT }), 'a hybrid LSTM (float32 values, int8 weights) has no model'],
  ['a clip below 0', lstm({}, { options: [{ i8: 4 }, { f32: -1 }] }), 'its clip is no number from 0 on'],
  ['another activation', lstm({}, { options: [{ i8: 1 }] }), 'its activation is not tanh'],
  ['a state that is an input', { ...lstm(), inputs: [0, 18] }, 'its state is no variable of its own'],
  ['a state of floats', lstm({ 18: FLOAT }), 'h is float32'],
  ['weights with a zero point', lstm({ 3: { zeroPoint: [3] } }), '#3 has a zero point'],
  ['weights of several scales', lstm({ 3: { scale: [0.01, 0.02] } }), '#3 has several scales'],
  ['weights without a scale', lstm({ 3: { scale: undefined } }), 'the scale of #3 is not in the file'],
  ['nothing to tell the hidden scale by', lstm({ 25: FLOAT }), '#25 is float32'],
])('%s is not replayed, and said', async (_, graph, said) => {
  const layer = await layerOf(graph);
  expect(layer.op).toBe('sequence_lstm');
  expect(layer.not_replayed).toContain(said);
});

test('a state that two nodes keep is not replayed', async () => {
  const graph = lstm();
  const [node] = graph.operators;
  const second = { ...node, inputs: [20, ...node.inputs.slice(1)], outputs: [26] };
  const tensors = [...graph.tensors, { name: 'z', shape: [2, 3, 2], scale: [0.008], zeroPoint: [-6] }];
  expect((await layerOf({ ...graph, tensors, operators: [node, second] })).not_replayed).toBe(
    "its state h is another node's too",
  );
});

test.each<[string, GraphSpec, string]>([
  ['19 inputs', lstm({}, { inputs: INPUTS.slice(0, 19) }), 'expected 20 or 24 inputs, got 19'],
  ['no weights', lstm({}, { inputs: without(4) }), 'expected an input 4, got 20 inputs'],
  ['no intermediates', lstm({}, { intermediates: [] }), 'expected 5 intermediates, got 0'],
  [
    'an intermediate that is none',
    lstm({}, { intermediates: [21, 22, 23, 24, 99] }),
    'intermediates: expected tensors 0..25, got 99',
  ],
  ['other weights', lstm({ 6: weight(2, 3) }), 'expected [2, 2] (input 6), got [2, 3]'],
  ['another state', lstm({ 19: { shape: [1, 2] } }), 'expected a state of 4 values (input 19), got [1, 2]'],
  [
    'another output',
    lstm({ 20: { shape: [2, 3, 3] } }),
    'expected [batch, time, 4] to [batch, time, 2], got [2, 3, 4] to [2, 3, 3]',
  ],
  ['a row', lstm({ 0: { shape: [2, 4] } }), 'got [2, 4] to [2, 3, 2]'],
  [
    'a huge batch',
    lstm({ 0: { shape: [2 ** 30, 3, 4] }, 20: { shape: [2 ** 30, 3, 2] } }),
    'expected a state of 2147483648 values',
  ],
])('%s contradicts itself', async (_, graph, said) => {
  const problems = await problemsOf(layerOf(graph));
  expect(problems).toHaveLength(1);
  expect(problems[0]).toContain(said);
});

const PEEPHOLE: TensorSpec = { type: 'int16', shape: [2], scale: [2 ** -12], data: Int16Array.of(900, -700) };

test('peepholes are of all gates but the cell', async () => {
  const of = (positions: number[], missing: number[] = []) => {
    const inputs = INPUTS.map((index, i) => (positions.includes(i) ? i : missing.includes(i) ? -1 : index));
    return layerOf(lstm(Object.fromEntries(positions.map((i) => [i, PEEPHOLE])), { inputs }));
  };
  const own = { peephole_scale: 2 ** -12 };
  expect(await of([9, 10, 11])).toMatchObject({ gates: { input: own, forget: own, output: own } });
  expect(await of([10, 11], [1, 5, 12])).toMatchObject({ gates: { input: null, forget: own, output: own } });
  for (const [some, none, first] of [
    [[10], [], 11],
    [[11], [], 10],
    [[10, 11], [], 9],
    [[9], [1, 5, 12], 10],
  ] as const)
    expect(await problemsOf(of([...some], [...none]))).toEqual([
      expect.stringContaining(`of all gates but the cell's, or of none, got none (input ${first})`),
    ]);
});

/** Two units of three filters over four steps. */
const FILTERS: readonly TensorSpec[] = [
  { name: 'x', shape: [1, 5], scale: [0.04], zeroPoint: [3] },
  weight(6, 5),
  {
    type: 'int16',
    shape: [6, 4],
    scale: [2e-4],
    data: Int16Array.from({ length: 24 }, (_, i) => 900 * (i % 5) - 1800),
  },
  bias,
  { name: 's', type: 'int16', shape: [1, 24], scale: [1e-3] },
  { name: 'y', shape: [1, 2], scale: [0.05], zeroPoint: [-128] },
];

function svdf(tensors: Readonly<Record<number, TensorSpec>> = {}, operator: Partial<OperatorSpec> = {}): GraphSpec {
  const node = { code: 'SVDF', inputs: [0, 1, 2, 3, 4], outputs: [5], options: [{ i32: 3 }, { i8: 1 }] } as const;
  const all = FILTERS.map((tensor, i) => ({ ...tensor, ...tensors[i] }));
  return { tensors: all, inputs: [0], outputs: [5], operators: [{ ...node, ...operator }] };
}

test('SVDF reads one value, with a bias or without', async () => {
  const layer = await layerOf(svdf());
  expect(layer).toMatchObject({
    op: 'svdf',
    input: 'x',
    rank: 3,
    filters: 6,
    state: { dtype: 'int16', zero_point: 0 },
  });
  expect(layer).not.toHaveProperty('not_replayed');
  expect(await layerOf(svdf({}, { inputs: [0, 1, 2, -1, 4] }))).toMatchObject({ bias: null });
});

test.each<[string, GraphSpec, string]>([
  ['hybrid', svdf({ 0: FLOAT, 5: FLOAT }), 'a hybrid SVDF (float32 values, int8 weights) has no model'],
  ['without a state', svdf({}, { inputs: [0, 1, 2, 3, -1] }), 'its state is no variable of its own'],
  ['with a state that is an input', { ...svdf(), inputs: [0, 4] }, 'its state is no variable of its own'],
  ['with weights of time of another width than its state', svdf({ 4: { type: 'int8' } }), '#2 is int16'],
])('SVDF %s is not replayed, and said', async (_, graph, said) => {
  expect((await layerOf(graph)).not_replayed).toContain(said);
});

test.each<[string, GraphSpec, string]>([
  ['4 inputs', svdf({}, { inputs: [0, 1, 2, 4] }), 'expected 5 inputs, got 4'],
  ['a rank of 0', svdf({}, { options: [{ i32: 0 }] }), 'expected rank of at least 1, got 0'],
  ['a rank that divides nothing', svdf({}, { options: [{ i32: 4 }] }), 'expected [batch, inputs] to [batch, 6 / 4]'],
  ['other steps', svdf({ 2: { shape: [4, 6] } }), 'expected a state of 36 values (input 4), got [1, 24]'],
  ['other filters', svdf({ 2: { shape: [12, 2] }, 4: { shape: [1, 12] } }), 'expected [6, 2] (input 2), got [12, 2]'],
])('SVDF with %s contradicts itself', async (_, graph, said) => {
  expect(await problemsOf(layerOf(graph))).toEqual([expect.stringContaining(said)]);
});
