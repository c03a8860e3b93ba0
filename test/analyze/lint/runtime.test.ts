/** What lint says of a graph before ONNX Runtime runs it. */
import { expect, it } from 'vitest';
import { lint } from '../../../src/analyze/lint/lint.js';
import { openModel } from '../../../src/frontends/open.js';
import { nodeFileSystem } from '../../../src/io.js';
import type { Producer } from '../../../src/nouns/model.js';

async function linted(leaf: string, producer: Producer = {}) {
  const model = await openModel(nodeFileSystem, `fixtures/onnx/${leaf}/model.onnx`, producer);
  const document = await lint(model, null);
  await model.close();
  return document;
}

async function found(leaf: string, code: string, producer: Producer = {}) {
  return (await linted(leaf, producer)).findings.filter((finding) => finding.code === code);
}

it('names no saturation in a layer that runs in float, and no kernel of another runtime', async () => {
  const findings = await found('cnn-qdq-s8s8', 'int16-saturation');
  const layers = new Set(findings.map(({ layer }) => layer));
  expect([...layers]).toEqual(['pointwise_QuantizeLinear_Output', 'fc_QuantizeLinear_Output']);
  expect(new Set(findings.flatMap(({ kernels }) => kernels))).toEqual(new Set(['ort-avx2']));
  expect(findings[0].fix).toMatch(/quantize_static\(\.\.\., reduce_range=True\).*session\.x64quantprecision=1/);
});

it('says which layers never saturate, and why', async () => {
  const never = async (leaf: string, producer?: Producer) => {
    const { layers } = await linted(leaf, producer);
    return layers.flatMap(({ int16_saturation: it }) => (it?.possible === false ? [it.because] : []));
  };
  const small = 'its weights are so small that no two products leave int16';
  expect(await never('cnn-qdq-s8s8')).toEqual(['it runs in float', 'it runs in float']);
  expect(await never('conv1d-qdq-external')).toEqual([small, small, small]);
  expect(await never('hand-qoperator')).toEqual(['its weights are uint8', 'a kernel of its own is exact']);
  const settings = new Map([['session.x64quantprecision', '1']]);
  expect(new Set(await never('mlp-qdq-u8s8', { settings }))).toEqual(new Set(['its weights are uint8']));
});

it('says that MatMulNBits quantizes its activations again, unless the session is told not to', async () => {
  const code = 'activations-quantized-again';
  expect((await found('int16-int4-qdq', code)).map(({ layer }) => layer)).toEqual(['fc1_out.q', 'fc2_out.q']);
  const settings = new Map([['session.qdq_matmulnbits_accuracy_level', '0']]);
  expect(await found('int16-int4-qdq', code, { settings })).toEqual([]);
});

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
