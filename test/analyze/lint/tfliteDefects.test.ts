/** What releases of TFLite's runtimes compute wrongly, told from the model alone. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { lint } from '../../../src/analyze/lint/lint.js';
import { openModel } from '../../../src/frontends/open.js';
import { nodeFileSystem } from '../../../src/io.js';
import type { LstmAttributes, LstmGate } from '../../../src/nouns/attributes.js';
import { isTensor } from '../../../src/nouns/model.js';
import { memoryFiles } from '../../support/memoryFiles.js';
import { type GraphSpec, oneLinear, tflite } from '../../support/tflite.js';

async function defectsOf(graph: GraphSpec): Promise<string[]> {
  const model = await openModel(memoryFiles({ 'm.tflite': tflite(graph).bytes }), 'm.tflite');
  const { findings } = await lint(model, null);
  await model.close();
  return findings.filter(({ code }) => code === 'kernel-defect').map(({ layer, kernels }) => `${layer} ${kernels}`);
}

/** [1, 7, 7, 1] by windows of 2 every `stride`; 7 needs no padding where windows of 2 stand 3 apart or more. */
function strided(stride: number): GraphSpec {
  const out = Math.ceil(7 / stride);
  const codes = { scale: [0.5], zeroPoint: [0] };
  return {
    tensors: [
      { name: 'x', shape: [1, 7, 7, 1], ...codes },
      { name: 'w', shape: [1, 2, 2, 1], scale: [0.25], data: Int8Array.of(1, 2, 3, 4) },
      { name: 'b', type: 'int32', shape: [1], scale: [0.125], data: Int32Array.of(5) },
      { name: 'y', shape: [1, out, out, 1], ...codes },
    ],
    inputs: [0],
    outputs: [3],
    operators: [
      { code: 'CONV_2D', inputs: [0, 1, 2], outputs: [3], options: [{ i8: 0 }, { i32: stride }, { i32: stride }] },
    ],
  };
}

const SCALE = { scale: [0.25] };

test.each([
  ['a kernel smaller than its stride that leaves cells unread', strided(4), ['y xnnpack']],
  ['windows that need padding', strided(2), []],
  ['int8 weights with a zero point', oneLinear({ w: { ...SCALE, zeroPoint: [3] } }), ['y xnnpack']],
  ['int8 weights without', oneLinear({ w: { ...SCALE, zeroPoint: [0] } }), []],
] as const)('%s', async (_, graph, expected) => {
  expect(await defectsOf(graph)).toEqual(expected);
});

test('the second operand of a BATCH_MATMUL that has a zero point', async () => {
  const model = await openModel(nodeFileSystem, join('fixtures', 'tflite', 'hand-int8', 'model.tflite'));
  const { findings } = await lint(model, null);
  await model.close();
  const said = findings.filter(({ code }) => code === 'kernel-defect').map(({ message }) => message);
  expect(said).toContain("XNNPACK ignores the zero point of a BATCH_MATMUL's second operand (TensorFlow 2.21)");
});

test('the cell state of an LSTM that is too small for a tanh; the layer before has one of 2^-15', async () => {
  const model = await openModel(nodeFileSystem, join('fixtures', 'tflite', 'lstm-int8', 'model.tflite'));
  const { findings } = await lint(model, null);
  await model.close();
  expect(findings.map(({ layer, code, kernels }) => [layer, code, kernels.includes('tflm')])).toEqual([
    ['tfl.unidirectional_sequence_lstm1', 'kernel-defect', false],
  ]);
  expect(findings[0].message).toContain('it gives the input gate in its place');
  expect(findings[0].fix).toContain('or run it under TFLite Micro, which has one');
});

const PART = { peepholeScale: 1 } as LstmGate;
test.each<[string, Partial<LstmAttributes>, string]>([
  ['without an input gate', { input: null }, 'without an input gate (CIFG) it multiplies by what lies in its memory'],
  ['with a projection', { projectionScale: 0.01 }, 'it gives the input gate in its place'],
  ['with peepholes', { forget: PART }, 'it gives the input gate in its place'],
])('of one %s Micro is no way out', async (_, change, said) => {
  const model = await openModel(nodeFileSystem, join('fixtures', 'tflite', 'lstm-int8', 'model.tflite'));
  const layers = model.layers.map((layer) => {
    if (layer.op !== 'sequence_lstm' || !isTensor(layer)) return layer;
    return { ...layer, form: { ...layer.form, attributes: { ...(layer.form.attributes as object), ...change } } };
  });
  const [finding] = (await lint({ ...model, layers }, null)).findings;
  await model.close();
  expect(finding.message).toContain(said);
  expect(finding.fix).not.toContain('Micro');
});

const FIXTURES = readdirSync(join('fixtures', 'tflite'), { withFileTypes: true }).filter((entry) =>
  entry.isDirectory(),
);

test.each(FIXTURES.map(({ name }) => name))('%s: nothing is said of kernels that never run a .tflite', async (name) => {
  const model = await openModel(nodeFileSystem, join('fixtures', 'tflite', name, 'model.tflite'));
  const { findings } = await lint(model, null);
  await model.close();
  expect(
    findings.flatMap(({ kernels }) => kernels.filter((kernel) => !/^(tflite|tflm|xnnpack|cmsis)/.test(kernel))),
  ).toEqual([]);
});

test('weights of uint8 have a zero point in every release', async () => {
  const model = await openModel(nodeFileSystem, join('fixtures', 'tflite', 'legacy-uint8', 'model.tflite'));
  expect((await lint(model, null)).findings).toEqual([]);
  await model.close();
});
