/** What lint says of a graph before ONNX Runtime runs it. */
import { expect, it } from 'vitest';
import { lint } from '../../../src/analyze/lint/lint.js';
import { openModel } from '../../../src/frontends/open.js';
import { nodeFileSystem } from '../../../src/io.js';
import type { Producer } from '../../../src/nouns/model.js';

async function found(leaf: string, code: string, producer: Producer = {}) {
  const model = await openModel(nodeFileSystem, `fixtures/onnx/${leaf}/model.onnx`, producer);
  const { findings } = await lint(model, null);
  await model.close();
  return findings.filter((finding) => finding.code === code);
}

it('names layers that run in float, why, and what would make them integers', async () => {
  const findings = await found('cnn-qdq-s8s8', 'runs-in-float');
  expect(findings.map(({ layer }) => layer)).toEqual([
    'relu1_QuantizeLinear_Output',
    'relu2_QuantizeLinear_Output',
    'relu3_QuantizeLinear_Output',
  ]);
  expect(findings[0].message).toMatch(/^ONNX Runtime runs it in float: relu1_QuantizeLinear_Output stays int8/);
  expect(findings[0].fix).toMatch(/session\.qdqisint8allowed=1/);
});

it('knows the settings of a session and its CPU', async () => {
  const settings = new Map([['session.qdqisint8allowed', '1']]);
  expect(await found('cnn-qdq-s8s8', 'runs-in-float', { settings })).toEqual([]);
  expect(await found('cnn-qdq-s8s8', 'runs-in-float', { arch: 'aarch64' })).toEqual([]);
  const unoptimized = await found('mlp-qdq-u8s8', 'runs-in-float', {
    settings: new Map([['graph_optimization_level', 'none']]),
  });
  expect(unoptimized.map(({ fix }) => fix)).toEqual(
    new Array(3).fill('optimize at ORT_ENABLE_EXTENDED or ORT_ENABLE_ALL, without session.disable_quant_qdq'),
  );
});
