/** The candidate comes from another file: layers matched, what the files say differently said first, then values. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compare } from '../../src/compare/compare.js';
import { differs } from '../../src/compare/judged.js';
import { besideModel } from '../../src/compare/models/beside.js';
import { openCapture, openModel } from '../../src/frontends/open.js';
import { nodeFileSystem } from '../../src/io.js';
import type { FileSystem } from '../../src/nouns/file.js';
import type { Producer } from '../../src/nouns/model.js';
import { findings } from '../../src/report/words/findings.js';

const ROOT = 'fixtures/onnx';

async function beside(
  model: string,
  other: string,
  {
    capture,
    values = null,
    ranBy,
    fs = nodeFileSystem,
  }: { capture: string; values?: string | null; ranBy?: Producer; fs?: FileSystem },
) {
  const [own, theirs] = [await openModel(fs, model), await openModel(fs, other, ranBy)];
  const captured = await openCapture(nodeFileSystem, capture, own);
  const file = values === null ? null : await openCapture(nodeFileSystem, values, theirs, 'values');
  const candidateModel = await besideModel(own, captured, theirs, file);
  const report = await compare(own, captured, { candidate: candidateModel.candidate, candidateModel });
  await Promise.all([own.close(), theirs.close(), captured.close(), file?.close()]);
  return report;
}

const of = (leaf: string, file = 'model.onnx') => `${ROOT}/${leaf}/${file}`;

it.each(['hand-int8', 'squeeze-excite'])(
  '%s beside itself has no differences, whatever its layers have of numbers',
  async (leaf) => {
    const [file, capture] = ['model.tflite', 'captured-opt.npz'].map((name) => `fixtures/tflite/${leaf}/${name}`);
    expect((await beside(file, file, { capture })).model_differences).toEqual([]);
  },
);

it('a file beside itself has no differences, and its own replay the same values', async () => {
  const leaf = 'net-qdq-s8';
  const report = await beside(of(leaf), of(leaf), { capture: of(leaf, 'capture.npz') });
  expect(report.model_differences).toEqual([]);
  expect(report.verdict).toBe('match');
  expect(report.candidate_layers!.map(({ status }) => status)).toEqual(report.layers.map(() => 'match'));
});

it('what its own replay does not reach is said, with what has those values', async () => {
  const leaf = 'transformer-qdq';
  const { warnings } = await beside(of(leaf), of(leaf), { capture: of(leaf, 'capture.npz') });
  const [said] = warnings.filter(({ code, where }) => code === 'not-replayed' && where.endsWith('model.onnx'));
  expect(said.message).toMatch(/^60 layers of 63 not replayed from the captured inputs, the first .*--candidate/);
});

it('a file run two ways: the other capture is explained by what its CPU does', async () => {
  const leaf = 'mlp-qdq-u8s8';
  const captures = { capture: of(leaf, 'capture.npz'), values: of(leaf, 'capture-avx2.npz') };
  const report = await beside(of(leaf), of(leaf), captures);
  expect(report.model_differences).toEqual([]);
  const [, relu1] = report.candidate_layers!;
  expect(relu1.diagnosis!.causes).toEqual(['int16-saturation']);
});

it('a session that does not fuse is told by its arithmetic, before any value', async () => {
  const leaf = 'mlp-qdq-u8s8';
  const settings = new Map([['session.disable_quant_qdq', '1']]);
  const report = await beside(of(leaf), of(leaf), { capture: of(leaf, 'capture.npz'), ranBy: { settings } });
  expect(report.model_differences!.slice(0, 1)).toEqual([
    {
      layer: 'relu1_QuantizeLinear_Output',
      candidate_layer: 'relu1_QuantizeLinear_Output',
      field: 'arithmetic',
      channel: null,
      expected: 'integers',
      actual: 'float',
    },
  ]);
});

it('a pool that is not fused computes on floats: run both alike, since the files say the same', async () => {
  const [leaf, settings] = ['net-qdq-s8', new Map([['session.disable_quant_qdq', '1']])];
  const report = await beside(of(leaf), of(leaf), { capture: of(leaf, 'capture.npz'), ranBy: { settings } });
  const pool = report.candidate_layers!.find(({ op }) => op === 'avg_pool2d')!.diagnosis!;
  expect(pool.causes).toContain('float-arithmetic');
  expect(pool.evidence['float-arithmetic']).toMatchObject({ ran: 'float', declared_step: expect.any(String) });
  expect(pool.fixes[0].text).toMatch(/^the files say the same: run both with the same optimization level/);
});

it('two settings of a quantizer: scales are found, and they are what the values differ by', async () => {
  const report = await beside(of('net-qdq-s8'), of('net-qdq-sym'), { capture: of('net-qdq-s8', 'capture.npz') });
  const scales = report.model_differences!.filter(({ field }) => field === 'scale');
  expect(scales).toHaveLength(17);
  expect(scales[0]).toMatchObject({ layer: 'x_QuantizeLinear_Output', channel: null });
  const relu = report.candidate_layers!.find(({ name }) => name === '/Relu_output_0_QuantizeLinear_Output')!;
  expect(relu.diagnosis!.causes).toEqual(expect.arrayContaining(['output-scale-wrong', 'input-scale-wrong']));
});

it('a Clip by itself is what the other file fuses, where its codes end below the 6; of all numbers there is one finding', async () => {
  const report = await beside(of('net-qdq-s8'), of('net-qdq-sym'), { capture: of('net-qdq-s8', 'capture.npz') });
  const clip = report.candidate_layers!.find(({ name }) => name === '/Clip_output_0_QuantizeLinear_Output')!;
  expect(clip.max_abs_diff).toBeLessThan(10); // beside the convolution before it, 257
  expect(report.warnings.map(({ message }) => message).filter((text) => text.startsWith('no layer'))).toEqual([]);
  const all = findings(report, differs);
  const [numbers, ...others] = all;
  expect(all.map(({ layers }) => layers.length)).toEqual([16, 2]);
  expect(numbers.headlines).toEqual([
    'ONNX Runtime: as declared',
    expect.stringMatching(/^Yours: other scales, zero points, weight scales, scales of what is read in .*model\.onnx$/),
  ]);
  const details = new Map(numbers.details.map(({ label, sentences }) => [label, sentences]));
  const differing = numbers.layers.reduce((sum, { mismatched }) => sum + mismatched!, 0);
  expect(details.get('explained')).toEqual([`${differing} of ${differing} differing values in 16 layers`]);
  expect(details.get('evidence')![0]).toMatch(
    /^x_QuantizeLinear_Output, output scale: declared 0\.029\d+, found 0\.032\d+$/,
  );
  expect(others[0].headlines[0]).toMatch(/^\d+ values came with the input/);
});

it("a PyTorch model and its ONNX export: the biases' rounding is said first, and explains every value", async () => {
  const folder = 'fixtures/onnx-export';
  const captures = { capture: `${folder}/capture.npz`, values: `${folder}/capture-onnx.npz` };
  const report = await beside(`${folder}/model.json`, `${folder}/model.onnx`, captures);
  const said = new Set(report.model_differences!.map(({ layer, field, rounded }) => `${layer} ${field} ${rounded}`));
  expect([...said]).toEqual(['conv1', 'conv2', 'fc'].map((layer) => `${layer} bias toward zero`));
  const why = report.candidate_layers!.map(({ name, status, diagnosis }) => [name, status, diagnosis?.causes]);
  expect(why).toEqual([
    ['quant', 'match', undefined],
    ['conv1', 'mismatch', ['bias-int32']],
    ['relu1', 'mismatch', ['inherited']],
    ['conv2', 'mismatch', ['inherited', 'bias-int32']],
    ['pool', 'mismatch', ['inherited']],
    ['flatten', 'mismatch', ['inherited']],
    ['fc', 'mismatch', ['inherited', 'bias-int32']],
    ['dequant', 'mismatch', ['inherited']],
  ]);
});

it('the other way round the same is said: here are codes, there are floats', async () => {
  const folder = 'fixtures/onnx-export';
  const captures = { capture: `${folder}/capture-onnx.npz`, values: `${folder}/capture.npz` };
  const report = await beside(`${folder}/model.onnx`, `${folder}/model.json`, captures);
  const biases = report.model_differences!.filter(({ field }) => field === 'bias');
  expect(biases.length).toBeGreaterThan(0);
  for (const one of biases) expect(one).toMatchObject({ rounded: 'toward zero', rounded_here: true });
  const found = report.candidate_layers!.flatMap(({ diagnosis }) => diagnosis?.causes ?? []);
  expect(new Set(found)).toEqual(new Set(['bias-int32', 'inherited']));
});

it('what the files say and what the other CPU does are named together, of every layer', async () => {
  const folder = 'fixtures/onnx-export-residual';
  const captures = { capture: `${folder}/capture.npz`, values: `${folder}/capture-onnx-avx2.npz` };
  const report = await beside(`${folder}/model.json`, `${folder}/model.onnx`, captures);
  const why = report.candidate_layers!.map(({ name, diagnosis }) => [name, diagnosis?.causes]);
  expect(why.filter(([, causes]) => `${causes}` !== 'inherited')).toEqual([
    ['quant', undefined],
    ['stem', ['bias-int32', 'int16-saturation']],
    ['fc', ['inherited', 'bias-int32']],
  ]);
});

describe('a PyTorch model and the .tflite that is made of it', () => {
  const folder = 'fixtures/litert-export';
  const [json, tflite] = [`${folder}/model.json`, `${folder}/model.tflite`];
  const [captured, ran] = [`${folder}/capture.npz`, `${folder}/capture-litert.npz`];
  const found = (report: Awaited<ReturnType<typeof beside>>) =>
    report.candidate_layers!.flatMap(({ name, mismatched, diagnosis }) =>
      mismatched === null ? [] : [[name, mismatched, diagnosis?.causes ?? []]],
    );

  it('is compared where both have a value, and what one file fuses is said as such', async () => {
    const report = await beside(json, tflite, { capture: captured, values: ran });
    expect(found(report)).toEqual([
      ['quantize', 0, []],
      ['stem', 0, []],
      ['quantize@2', 187, ['steps-fused']],
      ['quantize@3', 14, ['inherited', 'steps-fused']],
      ['fc1', 16, ['inherited']],
      ['quantize@4', 16, ['inherited']],
      ['fc2', 6, ['inherited']],
    ]);
    const said = report.model_differences!.filter(({ rounded }) => !rounded);
    expect(said.map(({ layer, field, expected, actual }) => [layer, field, expected, actual])).toEqual([
      ['expand', 'steps', 'conv2d, dequantize, relu6, quantize', 'conv2d with relu6'],
      ['depthwise', 'steps', 'conv2d, dequantize, relu6', 'conv2d with relu6'],
    ]);
    const twoSides = report.candidate_layers!.find(({ name }) => name === 'quantize@3')!.diagnosis!.evidence;
    expect(twoSides['two-captures']).toMatchObject({
      capture: {
        kernel: 'pt2e-reference',
        does: 'computes conv2d, dequantize, relu6, max_pool2d, avg_pool2d, flatten, quantize',
      },
      candidate: { does: 'computes conv2d with relu6, max_pool2d, avg_pool2d' },
    });
  });

  it('runs the other file itself from the captured inputs, whose images lie otherwise', async () => {
    const [own, replayed] = [
      await beside(json, tflite, { capture: captured, values: ran }),
      await beside(json, tflite, { capture: captured }),
    ];
    expect(found(replayed).map(([name, count]) => [name, count])).toEqual(
      found(own).map(([name, count]) => [name, count]),
    );
  });

  it.each([ran, null])('the other way round (%s): the same numbers, no name that speaks of a stale file', async () => {
    const report = await beside(tflite, json, { capture: ran, values: captured });
    const causes = new Set(report.candidate_layers!.flatMap(({ diagnosis }) => diagnosis?.causes ?? []));
    expect([...causes].sort()).toEqual(['inherited', 'steps-fused']);
    expect(found(report).map(([, count]) => count)).toEqual([0, 187, 14, 16, 16, 6]);
  });

  it('a bias that only one file has is named where its layer is seen, behind what is fused', async () => {
    const model = JSON.parse(readFileSync(json, 'utf8'));
    model.layers.find(({ name }: { name: string }) => name === 'expand').bias[3] += 0.5;
    const other = join(mkdtempSync(join(tmpdir(), 'beside-')), 'model.json');
    writeFileSync(other, JSON.stringify(model));
    const report = await beside(tflite, other, { capture: ran });
    const expand = report.candidate_layers!.find(({ mismatched }) => mismatched !== null && mismatched > 0)!;
    expect(expand.diagnosis!.causes).toEqual(['bias-value']);
  });
});
