/** What lint says of a graph before ONNX Runtime runs it. */
import { describe, expect, it } from 'vitest';
import { lint } from '../../../src/analyze/lint/lint.js';
import { openModel } from '../../../src/frontends/open.js';
import { nodeFileSystem } from '../../../src/io.js';
import type { Producer } from '../../../src/nouns/model.js';
import { memoryFiles } from '../../support/memoryFiles.js';
import { model, node, scaled, tensor, valueInfo } from '../../support/onnx.js';

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
  const asUint8 = 'its weights ran as uint8, by session.x64quantprecision=1';
  expect(new Set(await never('mlp-qdq-u8s8', { settings }))).toEqual(new Set([asUint8]));
  expect(new Set(await never('cnn-qdq-s8s8', { settings }))).toEqual(new Set(['it runs in float', asUint8]));
});

it('says that a Softmax of scale 1/255, which QDQ has, is multiplied by 254, and what writes 1/256', async () => {
  const softmax = (scale: number) =>
    model({
      inputs: [valueInfo('x')],
      outputs: [valueInfo('y')],
      initializers: [...scaled('x', 0.5, 3), ...scaled('y', scale, 0)],
      nodes: [
        node('QuantizeLinear', ['x', 'x_scale', 'x_zero_point'], ['xq']),
        node('DequantizeLinear', ['xq', 'x_scale', 'x_zero_point'], ['xd']),
        node('Softmax', ['xd'], ['s']),
        node('QuantizeLinear', ['s', 'y_scale', 'y_zero_point'], ['yq']),
        node('DequantizeLinear', ['yq', 'y_scale', 'y_zero_point'], ['y']),
      ],
    });
  const floored = async (scale: number) => {
    const opened = await openModel(memoryFiles({ 'm.onnx': softmax(scale) }), 'm.onnx');
    const { findings } = await lint(opened, null);
    await opened.close();
    return findings.filter(({ code }) => code === 'softmax-scale-floored');
  };
  expect(await floored(1 / 256)).toEqual([]);
  const [finding] = await floored(1 / 255);
  expect(finding).toMatchObject({ layer: 'yq', evidence: { used: 254 } });
  expect(finding.fix).toMatch(/TensorQuantOverrides/);
});

it('says that MatMulNBits quantizes its activations again, unless the session is told not to', async () => {
  const code = 'activations-quantized-again';
  expect((await found('int16-int4-qdq', code)).map(({ layer }) => layer)).toEqual(['fc1', 'fc2']);
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

/** Codes of 8 bits times weights, a bias at `factor` times the scale of input times weight, codes out. */
function withBias(op: 'Conv' | 'Gemm', factor: number): Uint8Array {
  const dims = op === 'Conv' ? [2, 1, 3] : [2, 3];
  const scales = Float32Array.of(0.5 * 0.125 * factor, 0.5 * 0.0625 * factor);
  return model({
    inputs: [valueInfo('x')],
    outputs: [valueInfo('y')],
    initializers: [
      ...scaled('x', 0.5, 3, Uint8Array),
      ...scaled('y', 0.25, 0, Uint8Array),
      tensor('w', dims, Int8Array.of(1, -2, 3, -4, 5, -6)),
      tensor('w_scale', [2], Float32Array.of(0.125, 0.0625)),
      tensor('w_zero_point', [2], new Int8Array(2)),
      tensor('b', [2], Int32Array.of(400, -90)),
      tensor('b_scale', [2], scales),
      tensor('b_zero_point', [2], new Int32Array(2)),
    ],
    nodes: [
      node('QuantizeLinear', ['x', 'x_scale', 'x_zero_point'], ['xq']),
      node('DequantizeLinear', ['xq', 'x_scale', 'x_zero_point'], ['xd']),
      node('DequantizeLinear', ['w', 'w_scale', 'w_zero_point'], ['wd'], { axis: 0 }),
      node('DequantizeLinear', ['b', 'b_scale', 'b_zero_point'], ['bd'], { axis: 0 }),
      node(op, ['xd', 'wd', 'bd'], ['g'], op === 'Gemm' ? { transB: 1 } : {}),
      node('QuantizeLinear', ['g', 'y_scale', 'y_zero_point'], ['yq']),
      node('DequantizeLinear', ['yq', 'y_scale', 'y_zero_point'], ['y']),
    ],
  });
}

async function ofGraph(data: Uint8Array) {
  const model = await openModel(memoryFiles({ 'm.onnx': data }), 'm.onnx');
  const { findings } = await lint(model, null);
  await model.close();
  return findings;
}

describe('the scale of a bias', () => {
  const ignored = (findings: Awaited<ReturnType<typeof ofGraph>>) =>
    findings.filter(({ code }) => code === 'bias-scale-ignored');

  it.each(['Conv', 'Gemm'] as const)('of %s that is nearly that of input times weight is ignored', async (op) => {
    expect(ignored(await ofGraph(withBias(op, 1)))).toEqual([]);
    const [finding] = ignored(await ofGraph(withBias(op, 1.005)));
    expect(finding).toMatchObject({ severity: 'warning', layer: 'yq', evidence: { channel: 0, used: 0.0625 } });
    expect(finding.message).toMatch(
      /^the bias scale of channel 0 is 0\.0628\d*, and the fused kernel counts its codes at input times weight, 0\.0625$/,
    );
  });

  it('that is far off keeps a Conv from being fused, and no Gemm', async () => {
    const conv = await ofGraph(withBias('Conv', 1.5));
    const [float] = conv.filter(({ code }) => code === 'runs-in-float');
    expect(float.message).toMatch(/the bias scale 0\.09375 of channel 0 is not that of input times weight, 0\.0625$/);
    expect(float.fix).toMatch(/^give the bias the scale of input times weight/);
    expect(ignored(conv)).toEqual([]);
    expect(ignored(await ofGraph(withBias('Gemm', 1.5)))).toHaveLength(1);
  });
});

it('a MatMul of float activations and constant codes quantizes them too', async () => {
  const data = model({
    inputs: [valueInfo('x')],
    outputs: [valueInfo('y')],
    initializers: [
      tensor('w', [3, 2], Int8Array.of(1, -2, 3, -4, 5, -6)),
      tensor('w_scale', [2], Float32Array.of(0.125, 0.0625)),
    ],
    nodes: [node('DequantizeLinear', ['w', 'w_scale'], ['wd'], { axis: 1 }), node('MatMul', ['x', 'wd'], ['y'])],
  });
  expect((await ofGraph(data)).map(({ code, layer }) => `${layer} ${code}`)).toEqual(['y activations-quantized-again']);
});
