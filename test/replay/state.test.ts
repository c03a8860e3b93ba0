/** An LSTM's calls follow each other: any part of them, in any order, gives what all of them give. */
import { join } from 'node:path';
import { afterAll, describe, expect, it, test } from 'vitest';
import { compare } from '../../src/compare/compare.js';
import { openCandidate, openCapture, openModel } from '../../src/frontends/open.js';
import { nodeFileSystem } from '../../src/io.js';
import { referenceFor } from '../../src/kernels/reference.js';
import { lstmState } from '../../src/kernels/steps/tflite/lstmParts.js';
import type { KeptState, TensorCall } from '../../src/nouns/kernel.js';
import { keepsState, type Producer, type TensorLayer } from '../../src/nouns/model.js';
import { NO_SUMS } from '../../src/replay/replayed.js';
import { ReplaySession } from '../../src/replay/session.js';
import { inWholeCalls, whyNotOneState } from '../../src/replay/wholeCalls.js';
import { memoryFiles } from '../support/memoryFiles.js';
import { npy, npz } from '../support/npz.js';

const ROOT = join(import.meta.dirname, '..', '..', 'fixtures', 'tflite');
const files: { close(): Promise<void> }[] = [];
afterAll(() => Promise.all(files.map((file) => file.close())));

const LSTM = 'tfl.unidirectional_sequence_lstm';

/** producer: what the capture is made to say of itself. */
async function opened(name: string, capture: string, producer: Partial<Producer> = {}) {
  const model = await openModel(nodeFileSystem, join(ROOT, name, 'model.tflite'));
  const values = await openCapture(nodeFileSystem, join(ROOT, name, `${capture}.npz`), model);
  files.push(model, values);
  const told = { ...values.producer!, ...producer };
  return { model: { ...model, producer: { ...model.producer, ...told } }, capture: { ...values, producer: told } };
}

const KEPT = new Map<string, string>();

describe.each([
  ['lstm-int8', 'captured-ref', LSTM],
  ['lstm-int8', 'captured-reset', LSTM],
  ['lstm-parts', 'captured-ref', null],
  ['svdf-int8', 'captured-ref', 't6'],
  ['svdf-micro', 'captured-tflm', 't1'],
])('%s/%s', (name, file, layer) => {
  it('parts of the calls are parts of the whole', async () => {
    const { model, capture } = await opened(name, file);
    const one = model.layers.find((own) => own.name === layer) ?? model.layers.at(-1)!;
    const session = new ReplaySession(model, capture, referenceFor(model.producer), 'isolated');
    const { samples } = capture;
    const whole = await (await session.open(one)).replay(0, samples);
    const run = await session.open(one);
    const spans = [
      [0, 1],
      [1, 4],
      [4, 5],
      [5, 6],
      [samples - 1, samples],
      [2, 7],
      [3, 4],
      [0, samples],
    ];
    for (const [from, to] of spans) {
      const { rows, data } = await run.replay(from, to);
      expect([rows, [...data]]).toEqual([to - from, [...whole.data.slice(from * whole.cols, to * whole.cols)]]);
    }
  });
});

describe('calls of several samples', () => {
  const kept: KeptState = { begin: () => [new Int32Array(1)], sequences: (_, [samples]) => samples };
  /** What the state has counted, beside each sample's number. */
  function counting(ends: readonly number[], isReset = false) {
    const calls: number[] = [];
    const replay = inWholeCalls(ends, kept, isReset, async (from, to, stateOf) => {
      calls.push(from);
      const [state] = stateOf({} as TensorCall);
      state[0]++;
      const rows = to - from;
      const data = Int32Array.from({ length: rows * 2 }, (_, i) => (i % 2 ? from + (i >> 1) : state[0]));
      return { rows, cols: 2, data, low: null, high: null, ...NO_SUMS };
    });
    return { calls, of: async (from: number, to: number) => [...(await replay(from, to)).data] };
  }

  it('a call that is larger than a block runs once', async () => {
    const { calls, of } = counting([2, 9, 10]);
    expect(await of(0, 4)).toEqual([1, 0, 1, 1, 2, 2, 2, 3]);
    expect(await of(4, 8)).toEqual([2, 4, 2, 5, 2, 6, 2, 7]);
    expect(await of(8, 10)).toEqual([2, 8, 3, 9]);
    expect(calls).toEqual([0, 2, 9]);
    expect(await of(3, 5)).toEqual([2, 3, 2, 4]);
    expect(calls).toEqual([0, 2, 9, 0, 2]);
  });

  it('each of a state of its own where it begins anew', async () => {
    const { calls, of } = counting([2, 9, 10], true);
    expect(await of(8, 10)).toEqual([1, 8, 1, 9]);
    expect(await of(3, 5)).toEqual([1, 3, 1, 4]);
    expect(calls).toEqual([2, 9, 2]);
  });

  test.each([
    ['lstm-int8', 'captured-ref', [1, 3, 8], "its state is of 1 sequence (the file's), and call 2 is of 3"],
    ['lstm-int8', 'captured-reset', [12], "its state is of 1 sequence (the file's), and call 1 is of 12"],
    ['svdf-int8', 'captured-ref', [1, 1], null],
  ])('%s: %s in calls of %j', async (name, file, batchSizes, said) => {
    const { model, capture } = await opened(name, file);
    const layers = model.layers.filter(keepsState);
    const session = new ReplaySession(model, { ...capture, batchSizes }, referenceFor(model.producer), 'isolated');
    for (const layer of layers) expect(session.whyNotReplayed(layer)).toBe(said);
  });

  test.each([
    [false, [3, 5], [4, 1, 3], "its state is of 4 sequences (the first call's), and call 2 is of 1"],
    [true, [3, 5], [4, 1, 3], null],
    [false, [5], [4, 1, 3], null],
    [true, [5], [2, 1], "its state is of 2 sequences (the first call's), and call 2 is of 1"],
  ])('time first %s: of shape %j in calls of %j', (timeMajor, dims, sizes, said) => {
    const attributes = { timeMajor, inputs: dims.at(-1)! };
    const layer = { form: { attributes } } as unknown as TensorLayer;
    expect(whyNotOneState(lstmState, layer, { dims, channelAxis: 0 }, sizes)).toBe(said);
  });
});

describe('a state that begins anew, or is kept', () => {
  const causesOf = (
    layers: readonly {
      name: string;
      diagnosis?: { causes: readonly string[]; explained: number; of: number } | null;
    }[],
  ) =>
    layers.flatMap(({ name, diagnosis }) =>
      diagnosis?.causes.includes('state-between-calls') ? [[name, diagnosis.explained === diagnosis.of]] : [],
    );
  const both = [
    [LSTM, true],
    [`${LSTM}1`, true],
  ];

  it('is named where the capture says nothing of it', async () => {
    const { model, capture } = await opened('lstm-int8', 'captured-reset', { settings: KEPT });
    const { layers } = await compare(model, capture);
    expect(causesOf(layers)).toEqual(both);
    expect(layers.find((layer) => layer.name === LSTM)!.diagnosis!.explained_by).toEqual(['tflm']);
  });

  it('also where the capture says that it resets and does not', async () => {
    const { model, capture } = await opened('lstm-int8', 'captured-tflm', {
      settings: new Map([['reset_variables', '1']]),
    });
    expect(causesOf((await compare(model, capture)).layers)).toEqual(both);
  });

  it('is not what is named of a runtime whose tanh is missing', async () => {
    const { model, capture } = await opened('lstm-int8', 'captured-ref');
    const { layers } = await compare(model, capture, { kernel: 'tflm' });
    const [one, two] = layers.filter(({ op }) => op === 'sequence_lstm').map(({ diagnosis }) => diagnosis!);
    expect([one.causes, two.causes]).toEqual([['table-entry'], ['kernel-defect']]);
    expect([one.explained, two.explained]).toEqual([one.of, two.of]);
    expect(two.evidence['kernel-defect']).toMatchObject({ found: expect.stringContaining('not of tanh(c)') });
  });

  it.each([
    ['captured-tflm', undefined, ['state-between-calls'], ['state-between-calls']],
    ['captured-ref', undefined, ['state-between-calls', 'table-entry'], ['state-between-calls', 'kernel-defect']],
    // of the first call no state is left
    ['captured-ref', { from: 0, to: 1 }, ['table-entry'], ['kernel-defect']],
  ])('%s, %j: what parts it from a candidate that resets, and says so', async (file, samples, ...expected) => {
    const { model, capture } = await opened('lstm-int8', file);
    const path = join(ROOT, 'lstm-int8', 'captured-reset.npz');
    const candidate = await openCandidate(nodeFileSystem, path, model, capture);
    files.push(candidate);
    const { candidate_layers: layers } = await compare(model, capture, { candidate, samples });
    const found = layers!.filter(({ op }) => op === 'sequence_lstm').map(({ diagnosis }) => diagnosis!);
    expect(found.map(({ causes }) => causes.filter((cause) => cause !== 'inherited'))).toEqual(expected);
    for (const { explained, of } of found) expect(explained).toBe(of);
  });

  it('is named beside the runtime where both are others, with a fix that says both', async () => {
    const { model, capture } = await opened('lstm-int8', 'captured-reset', {
      kernel: 'tflite-reference',
      settings: KEPT,
    });
    const { layers } = await compare(model, capture);
    for (const { diagnosis } of layers.filter(({ op }) => op === 'sequence_lstm')) {
      expect(diagnosis).toMatchObject({ causes: ['state-between-calls', 'table-entry'], explained_by: ['tflm'] });
      expect(diagnosis!.fix).toMatch(/"reset_variables": true.*"kernel": "tflm"/s);
      expect(diagnosis!.rehearsal).toEqual({ mismatched_after_fix: 0 });
    }
    const fixed = await opened('lstm-int8', 'captured-reset', { settings: new Map([['reset_variables', '1']]) });
    expect((await compare(fixed.model, fixed.capture)).layers.filter(({ mismatched }) => mismatched)).toEqual([]);
  });

  it('has no fix beside a runtime that the producer cannot have run: half of one leaves values', async () => {
    const told = { framework: 'pytorch', kernel: 'tflite-reference', settings: KEPT } as const;
    const { model, capture } = await opened('lstm-int8', 'captured-reset', told);
    const found = (await compare(model, capture)).layers.filter(({ op }) => op === 'sequence_lstm');
    for (const { diagnosis } of found)
      expect(diagnosis).toMatchObject({ causes: ['state-between-calls', 'table-entry'], fix: null, rehearsal: null });
  });

  it.each([{ delegates: [] }, {}])('cannot be told from another runtime that gives all: %j', async (own) => {
    const { model, capture } = await ofNumbers({}, own);
    const [{ diagnosis }] = (await compare(model, capture)).layers;
    expect(diagnosis).toMatchObject({ causes: ['state-between-calls'], kernel: 'tflm', explained: 1, of: 1 });
    expect(diagnosis!.evidence).toMatchObject({ 'state-between-calls': { state: 'anew' } });
    expect(diagnosis!.indistinguishable).toContainEqual({ causes: ['table-entry'], kernel: 'tflite-reference' });
    const said = await ofNumbers({ settings: { reset_variables: true } }, own);
    expect((await compare(said.model, said.capture)).layers[0].mismatched).toBe(0);
  });
});

/** Three calls of one cell, each begun anew: one value of the second tells. */
async function ofNumbers(producer: object, own: object) {
  const gate = (input: number[], recurrent: number, bias: number) => ({
    ...{ input, input_scale: 0.004, recurrent: [recurrent], recurrent_scale: 5e-5, bias: [bias] },
  });
  const state = { scale: 0.008, zero_point: -6 };
  const gates = {
    input: gate([127, -90], -41, -96),
    forget: gate([126, -49], -115, -14000),
    cell: gate([-8, 29], -69, -1215),
    output: gate([113, -88], -53, 1135),
  };
  const layer = {
    ...{ name: 'y', op: 'sequence_lstm', input: 'x', time_major: false, gates, hidden: state, state },
    ...{ cell_scale: 2 ** -11, cell_clip: 0, proj_clip: 0, output: { dtype: 'int8', ...state }, ...own },
  };
  const raw = {
    ...{ format: 'qdiff-model', version: 1, producer: { framework: 'tflite_micro', kernel: 'tflm', ...producer } },
    ...{ inputs: [{ name: 'x', dtype: 'int8', scale: 0.03, zero_point: 5 }], layers: [layer] },
  };
  const system = memoryFiles({
    'm.json': JSON.stringify(raw),
    'c.npz': npz({
      x: npy('int8', [3, 2, 2], [-60, -37, 88, 92, -49, -46, 103, 4, -99, 66, 124, -17]),
      y: npy('int8', [3, 2, 1], [-10, -4, -13, -31, -6, -36]),
      batch_sizes: npy('int64', [3], [1, 1, 1]),
    }),
  });
  const model = await openModel(system, 'm.json');
  const capture = await openCapture(system, 'c.npz', model);
  files.push(model, capture);
  return { model, capture };
}
