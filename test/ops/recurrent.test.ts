/** LSTM and SVDF written by hand in a model.json: what of their numbers fits, and what is said of the rest. */
import { expect, it, test } from 'vitest';
import { openModel } from '../../src/frontends/open.js';
import { kernelByName } from '../../src/kernels/registry.js';
import { whyNotReplayed } from '../../src/replay/layer.js';
import { memoryFiles } from '../support/memoryFiles.js';
import { problemsOf } from '../support/problems.js';

const ones = (count: number) => new Array<number>(count).fill(1);
const output = { dtype: 'int8', scale: 0.1, zero_point: 0 };
const state = { scale: 0.01, zero_point: 0 };

const SVDF = {
  ...{ name: 'y', op: 'svdf', input: 'x', rank: 1, filters: 2 },
  ...{ feature: ones(10), feature_scale: 0.01, time: ones(6), time_scale: 0.01, bias: ones(2) },
  ...{ state: { dtype: 'int16', ...state }, output },
};
const gate = (cells = 2) => ({
  ...{
    input: ones(cells * 5),
    input_scale: 0.01,
    recurrent: ones(cells * 2),
    recurrent_scale: 0.01,
    bias: ones(cells),
  },
});
const gates = (change: object = {}) => ({ input: gate(), forget: gate(), cell: gate(), output: gate(), ...change });
const LSTM = {
  ...{ name: 'y', op: 'sequence_lstm', input: 'x', time_major: false, gates: gates(), hidden: state, state },
  ...{ cell_scale: 2 ** -11, cell_clip: 0, proj_clip: 0, output },
};

/** Of 5 values and 2 cells. */
const weights = (rows: number, change: object = {}) => {
  return { codes: ones(rows * 8), dtype: 'int8', scale: 0.01, zero_point: 0, ...change };
};
const DYNAMIC = {
  ...{ name: 'y', op: 'lstm_dynamic', input: 'x', weight: weights(5), recurrent: weights(2), bias: ones(16) },
  ...{ peephole: ones(6), cells: 2, direction: 'forward', gives: 'steps', time_major: false, input_forget: false },
};

async function opened(layer: object, settings: object = {}) {
  const isDynamic = (layer as { op?: string }).op === 'lstm_dynamic';
  const inputs = [
    isDynamic ? { name: 'x', dtype: 'float32' } : { name: 'x', dtype: 'int8', scale: 0.1, zero_point: 0 },
  ];
  const raw = { format: 'qdiff-model', version: 1, producer: { kernel: 'tflm', settings }, inputs, layers: [layer] };
  const model = await openModel(memoryFiles({ 'm.json': JSON.stringify(raw) }), 'm.json');
  await model.close();
  return model;
}

it('a dynamic LSTM is read, whose sums are integers', async () => {
  const [layer] = (await opened(DYNAMIC)).layers;
  expect(layer.form).toMatchObject({ kind: 'tensor', quantizesItself: true, attributes: { inputs: 5, cells: 2 } });
  expect(layer.onFloats).toBeUndefined();
});

it.each([SVDF, LSTM])('$op is read', async (layer) => {
  const { layers } = await opened(layer);
  expect(layers[0].form).toMatchObject({ kind: 'tensor', keepsState: true });
});

test.each<[object, string]>([
  [
    { ...DYNAMIC, weight: weights(5, { codes: ones(39) }) },
    'expected a multiple of 8 numbers (4 gates of 2 cells in 1 direction), got 39',
  ],
  [{ ...DYNAMIC, recurrent: weights(3) }, 'recurrent: expected 16 numbers ([1, 2, 8] weights), got 24'],
  [
    { ...DYNAMIC, weight: weights(5, { scale: [1, 1] }) },
    'weight.scale: expected 1 numbers (one a direction, or 8: one a column), got 2',
  ],
  [
    { ...DYNAMIC, recurrent: weights(2, { zero_point: 200 }) },
    'zero_point: expected an integer in -128..127 (int8), got 200',
  ],
  [{ ...DYNAMIC, weight: weights(5, { scale: -1 }) }, 'weight.scale: expected a positive number that float32 holds'],
  [{ ...DYNAMIC, bias: ones(8) }, 'bias: expected 16 numbers ([1, 16]), got 8'],
  [{ ...DYNAMIC, peephole: ones(8) }, 'peephole: expected 6 numbers ([1, 6]), got 8'],
  [{ ...DYNAMIC, clip: 0 }, 'clip: expected a positive number that float32 holds'],
  [{ ...DYNAMIC, time_major: true, gives: 'cell' }, 'time_major: expected false beside states'],
  [{ ...DYNAMIC, input: ['x', 'x'] }, 'input: expected both states beside it or none, got one'],
  [{ ...SVDF, time: [0.5, ...ones(5)] }, 'time[0]: expected an integer in -32768..32767 (int16), got 0.5'],
  [{ ...SVDF, bias: ones(3) }, 'feature: expected 2 rows of features and of steps, 1 a unit (rank), got 10, 6 and 3'],
  [{ ...SVDF, feature: ones(9) }, 'got 9, 6 and 2 numbers of the bias'],
  [{ ...SVDF, rank: 3 }, 'expected 2 rows of features and of steps, 3 a unit (rank)'],
  [{ ...LSTM, gates: gates({ cell: gate(3) }) }, 'gates.cell.bias: expected 2 numbers (cells), got 3'],
  [{ ...LSTM, gates: gates({ output: { ...gate(), input: ones(9) } }) }, 'gates.output.input: expected 10 numbers'],
  [
    { ...LSTM, gates: gates({ cell: { ...gate(), peephole: ones(2) } }) },
    'gates.cell: expected a scale of its peephole',
  ],
  [
    { ...LSTM, gates: gates({ output: { ...gate(), peephole: ones(2), peephole_scale: 1 } }) },
    'gates.input: expected a peephole, as other gates have one (all of input, forget, output, or none)',
  ],
  [
    { ...LSTM, gates: gates({ cell: { ...gate(), peephole: ones(2), peephole_scale: 1 } }) },
    'gates.cell.peephole: expected none, as the cell gate has no peephole',
  ],
  [
    { ...LSTM, gates: gates({ input: { ...gate(), norm: ones(2), norm_scale: 1, scale: 1 } }) },
    'gates.forget: expected a norm, as other gates have one (all of input, forget, cell, output, or none)',
  ],
  [
    { ...LSTM, gates: gates({ input: { ...gate(), scale: 1 } }) },
    'gates.input.scale: expected none, as its sums are not normalized (norm)',
  ],
  [{ ...SVDF, feature_scale: 1e60 }, 'feature_scale: expected a positive number that float32 holds'],
  [{ ...SVDF, state: { ...SVDF.state, scale: 1e-60 } }, 'state.scale: expected a positive number that float32 holds'],
  [
    { ...LSTM, projection: { weight: ones(5), scale: 1 } },
    'projection.weight: expected 4 numbers ([2, 2] weights), got 5',
  ],
  [
    { ...LSTM, gates: gates({ cell: { ...gate(), input_scale: 0 } }) },
    'gates.cell.input_scale: expected a positive number',
  ],
])('%#: what does not fit is one line', async (layer, said) => {
  expect(await problemsOf(opened(layer))).toEqual([expect.stringContaining(said)]);
});

test('peepholes of all gates but the cell, without an input gate of the two that are left', async () => {
  const own = { ...gate(), peephole: ones(2), peephole_scale: 1 };
  for (const input of [own, null]) await opened({ ...LSTM, gates: gates({ input, forget: own, output: own }) });
});

test.each<[string, object, string | null]>([
  ['tflm', LSTM, null],
  ['tflm', { ...LSTM, state: { scale: 1e-44, zero_point: 0 } }, 'LSTM'],
  ['tflm', { ...LSTM, gates: gates({ cell: { ...gate(), input_scale: 3e38 } }) }, 'LSTM'],
  ['tflm', { ...LSTM, cell_scale: 1e-44 }, 'LSTM'],
  ['tflite-builtin', LSTM, null],
  ['tflite-builtin', { ...LSTM, hidden: { scale: 1e-44, zero_point: 0 } }, 'LSTM'],
  ['tflite-builtin', { ...LSTM, gates: gates({ output: { ...gate(), recurrent_scale: 3e38 } }) }, 'LSTM'],
  ['tflite-builtin', SVDF, null],
  ['tflite-builtin', { ...SVDF, state: { ...SVDF.state, scale: 1e-44 } }, 'SVDF'],
  ['tflm', { ...SVDF, time_scale: 3e38 }, 'SVDF'],
])('%#: %s has no multiplier that float32 does not hold', async (name, layer, called) => {
  const { layers, inputs } = await opened(layer);
  const said = called && `kernel ${name} has no ${called} with scales whose quotient float32 does not hold`;
  expect(whyNotReplayed(kernelByName(name)!, layers[0], [inputs[0].params])).toBe(said);
});

test.each([true, false, 0, 1])('reset_variables of %j is taken', async (value) => {
  expect((await opened(LSTM, { reset_variables: value })).producer.settings!.get('reset_variables')).toMatch(/^[01]$/);
});

test.each(['true', 2, ''])('reset_variables of %j is one line', async (value) => {
  expect(await problemsOf(opened(LSTM, { reset_variables: value }))).toEqual([
    expect.stringMatching(/producer\.settings\.reset_variables: expected true or false/),
  ]);
});
