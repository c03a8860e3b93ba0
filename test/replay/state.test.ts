/** An LSTM's calls follow each other: any part of them, in any order, gives what all of them give. */
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { compare } from '../../src/compare/compare.js';
import { openCandidate, openCapture, openModel } from '../../src/frontends/open.js';
import { nodeFileSystem } from '../../src/io.js';
import { referenceFor } from '../../src/kernels/reference.js';
import type { Producer } from '../../src/nouns/model.js';
import { ReplaySession } from '../../src/replay/session.js';

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

  it.each(['captured-tflm', 'captured-ref'])('is what parts %s from a candidate that says so', async (file) => {
    const { model, capture } = await opened('lstm-int8', file);
    const candidate = await openCandidate(
      nodeFileSystem,
      join(ROOT, 'lstm-int8', 'captured-reset.npz'),
      model,
      capture,
    );
    files.push(candidate);
    const { candidate_layers: layers } = await compare(model, capture, { candidate });
    expect(causesOf(layers!)).toEqual(both);
  });
});
