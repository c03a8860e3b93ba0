/** What releases of TFLite's runtimes compute wrongly, told from the model alone. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { lint } from '../../../src/analyze/lint/lint.js';
import { openModel } from '../../../src/frontends/open.js';
import { nodeFileSystem } from '../../../src/io.js';
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
