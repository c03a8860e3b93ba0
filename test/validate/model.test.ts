import { describe, expect, test } from 'vitest';
import { validateBaseline } from '../../src/documents/baseline.js';
import { validateBlob } from '../../src/documents/blob.js';
import { validateConfig } from '../../src/documents/config.js';
import { validateReports } from '../../src/documents/report.js';
import { openNpz } from '../../src/load/npz.js';
import type { Model, ProductLayer } from '../../src/nouns/model.js';
import { validateModel } from '../../src/validate/model.js';
import { memoryFiles } from '../support/memoryFiles.js';
import { type Json, smallModel } from '../support/models.js';
import { npy, npz } from '../support/npz.js';
import { problemsOf } from '../support/problems.js';

async function validate(raw: unknown, arrays?: Record<string, Buffer>): Promise<Model> {
  const file = arrays && (await openNpz(memoryFiles({ 'm.npz': npz(arrays) }), 'm.npz'));
  return validateModel(raw, 'm.json', file ?? 'none');
}

function changed(change: (model: Json) => void): Json {
  const model = smallModel();
  change(model);
  return model;
}

describe('a valid model', () => {
  test('has every number of the file', async () => {
    const model = await validate(smallModel());
    expect(model.warnings).toEqual([]);
    expect(model.producer).toMatchObject({ framework: 'pytorch', engine: 'x86' });
    const uint8 = { dtype: 'uint8', quantMin: 0, quantMax: 255 };
    expect(model.inputs).toEqual([{ name: 'quant', params: { ...uint8, scale: 0.5, zeroPoint: 128 } }]);
    const [fc1, relu1, fc2] = model.layers as [ProductLayer, unknown, ProductLayer];
    expect(fc1).toMatchObject({ name: 'fc1', op: 'linear', inputs: ['quant'] });
    expect(fc1.form).toMatchObject({ perChannel: true, activation: 'none', dynamic: null });
    expect(fc1.form.weightScale).toEqual(Float64Array.of(0.1, 0.2, 0.3));
    expect(fc1.form.weightZeroPoint).toEqual(Int32Array.of(0, 1, -1));
    expect(fc1.form.bias).toEqual(Float32Array.of(0.5, -0.5, 0));
    expect(fc1.form.biasInt32).toBeNull();
    expect([fc1.form.weight.outFeatures, fc1.form.weight.inFeatures]).toEqual([3, 4]);
    expect(await fc1.form.weight.read()).toEqual(Int8Array.of(1, -2, 3, -4, 5, 6, 7, 8, -128, 127, 0, 1));
    expect(relu1).toEqual({
      name: 'relu1',
      op: 'relu',
      inputs: ['fc1'],
      output: { ...uint8, scale: 0.25, zeroPoint: 100 },
      form: { kind: 'elementwise', clamp: { lower: 0, upper: Number.POSITIVE_INFINITY }, keepsParams: true },
    });
    expect(fc2.form).toMatchObject({ perChannel: false, bias: null, biasInt32: Int32Array.of(1000, -1000) });
    expect(fc2.form.weightScale).toEqual(Float64Array.of(0.125));
    expect(fc2.form.weightZeroPoint).toEqual(Int32Array.of(0));
  });

  test.each<[string, (model: Json) => void, (model: Model) => unknown, unknown]>([
    ['no bias: null', (m) => (m.layers[0].bias = null), (m) => (m.layers[0] as ProductLayer).form.bias, null],
    ['no bias: missing', (m) => delete m.layers[0].bias, (m) => (m.layers[0] as ProductLayer).form.bias, null],
    [
      'scale per channel, zero point per tensor',
      (m) => (m.layers[0].weight_zero_point = 7),
      (m) => (m.layers[0] as ProductLayer).form.weightZeroPoint,
      Int32Array.of(7, 7, 7),
    ],
    [
      'scale per tensor, zero point per channel',
      (m) => (m.layers[0].weight_scale = 0.5),
      (m) => (m.layers[0] as ProductLayer).form.weightScale,
      Float64Array.of(0.5, 0.5, 0.5),
    ],
    [
      'quant_min and quant_max',
      (m) => Object.assign(m.layers[2].output, { quant_min: 0, quant_max: 127 }),
      (m) => m.layers[2].output,
      { dtype: 'uint8', scale: 1, zeroPoint: 0, quantMin: 0, quantMax: 127 },
    ],
    [
      'identity inherits the parameters',
      (m) => (m.layers[1] = { name: 'relu1', op: 'identity', input: 'fc1' }),
      (m) => m.layers[1].output,
      { dtype: 'uint8', scale: 0.25, zeroPoint: 100, quantMin: 0, quantMax: 255 },
    ],
    [
      'a float output',
      (m) => (m.layers[2].output = { dtype: 'float32' }),
      (m) => m.layers[2].output,
      { dtype: 'float32' },
    ],
    [
      'null for unknown producer fields',
      (m) => (m.producer.cpu_capability = null),
      (m) => m.producer.cpuCapability,
      undefined,
    ],
    [
      'environment variables',
      (m) => (m.producer.environment = { ONEDNN_MAX_CPU_ISA: 'AVX2' }),
      (m) => m.producer.environment,
      new Map([['ONEDNN_MAX_CPU_ISA', 'AVX2']]),
    ],
    [
      'a layer called __proto__',
      (m) => {
        m.layers[1].name = '__proto__';
        m.layers[2].input = '__proto__';
      },
      (m) => m.layers.map((layer) => layer.name),
      ['fc1', '__proto__', 'fc2'],
    ],
    [
      'the smallest scale whose reciprocal float32 holds',
      (m) => (m.inputs[0].scale = 2.938737e-39),
      (m) => (m.inputs[0].params as { scale: number }).scale,
      2.938737e-39,
    ],
    [
      'the largest scale that float32 holds',
      (m) => (m.inputs[0].scale = 3.4028234663852886e38),
      (m) => (m.inputs[0].params as { scale: number }).scale,
      3.4028234663852886e38,
    ],
  ])('%s', async (_, change, get, expected) => {
    expect(get(await validate(changed(change)))).toEqual(expected);
  });

  test('every op', async () => {
    const output = { dtype: 'int8', scale: 0.5, zero_point: -3 };
    const linear = {
      weight: [
        [1, 2],
        [3, 4],
      ],
      weight_scale: 0.5,
    };
    const model = await validate({
      format: 'qdiff-model',
      version: 1,
      inputs: [{ name: 'x', dtype: 'float32' }],
      layers: [
        { name: 'q', op: 'quantize', input: 'x', output },
        { name: 'fc', op: 'linear', input: 'q', ...linear, activation: 'relu', output },
        { name: 'r6', op: 'relu6', inputs: ['fc'] }, // as older files call it: read, and nothing to note
        { name: 'dq', op: 'dequantize', input: 'r6' },
        { name: 'fr', op: 'relu', input: 'dq' },
        { name: 'dyn', op: 'linear_dynamic', input: 'fr', ...linear, reduce_range: true },
        { name: 'conv', op: 'conv2d', input: ['dyn', 'q'], stride: [1, 1], output },
        { name: 'pool', op: 'adaptive_avg_pool' },
        { name: 'after', op: 'relu', input: 'pool', output },
      ],
    });
    const message = 'conv is a conv2d without weight: it is not replayed';
    expect(model.warnings).toEqual([{ code: 'not-replayed', where: 'm.json layers[6]', message }]);
    expect(model.layers.map(({ op, inputs, output }) => [op, inputs.join(), output?.dtype])).toEqual([
      ['quantize', 'x', 'int8'],
      ['linear', 'q', 'int8'],
      ['relu6', 'fc', 'int8'],
      ['dequantize', 'r6', 'float32'],
      ['relu', 'dq', 'float32'],
      ['linear_dynamic', 'fr', 'float32'],
      ['conv2d', 'dyn,q', 'int8'],
      ['adaptive_avg_pool', '', undefined],
      ['relu', 'pool', 'int8'],
    ]);
    expect(model.layers[1].form).toMatchObject({ activation: 'relu', bias: null, biasInt32: null });
    expect(model.layers[5].form).toMatchObject({ dynamic: { reduceRange: true } });
    expect(model.layers[6]).toMatchObject({ op: 'conv2d', inputs: ['dyn', 'q'], form: null });
  });
});

const SCALE = 'expected a positive number that float32 holds, as it does 1/scale (at least 2.938737e-39)';

describe('one line for each problem', () => {
  test.each<[string, (model: Json) => void, string[]]>([
    [
      'another format',
      (m) => (m.format = 'qdiff-report'),
      ['m.json format: expected "qdiff-model", got "qdiff-report"'],
    ],
    [
      'a later version: nothing else is said',
      (m) => Object.assign(m, { version: 2, layers: 'x' }),
      ['m.json version: expected 1, got 2; export the model again, or use the qdiff that reads it'],
    ],
    [
      'few numbers, which are shown',
      (m) => (m.producer.framework = [1.5, 2]),
      ['m.json producer.framework: expected text, got [1.5, 2]'],
    ],
    ['no version', (m) => delete m.version, ['m.json version: expected 1, got nothing']],
    ['no layers', (m) => delete m.layers, ['m.json layers: expected a list, got nothing']],
    ['empty layers', (m) => (m.layers = []), ['m.json layers: expected at least one, got an empty list']],
    [
      'wrong types',
      (m) => {
        m.layers[0].name = 7;
        m.layers[1].output = 'uint8';
        m.producer.framework = {};
        m.inputs[0] = null;
      },
      [
        'm.json producer.framework: expected text, got an object',
        'm.json inputs[0]: expected an object, got null',
        'm.json layers[0].name: expected text, got 7',
        'm.json layers[0].input: expected the name of an input or of an earlier layer (there is none), got quant',
        'm.json layers[1].input: expected the name of an input or of an earlier layer (there is none), got fc1',
        'm.json layers[1].output: expected an object, got "uint8"',
      ].sort(),
    ],
    [
      'unknown dtype',
      (m) => (m.layers[0].output.dtype = 'uint64'),
      [
        'm.json layers[0].output.dtype: expected "uint8" or "int8" or "int16" or "uint16" or "int32" or "float32", got "uint64"',
      ],
    ],
    [
      "PyTorch's name of a dtype",
      (m) => (m.inputs[0].dtype = 'quint8'),
      [
        'm.json inputs[0].dtype: expected "uint8" or "int8" or "int16" or "uint16" or "int32" or "float32", got "quint8"; write "uint8", the dtype of what is stored',
      ],
    ],
    [
      'weight dtype',
      (m) => (m.layers[0].weight_dtype = 'int4'),
      ['m.json layers[0].weight_dtype: expected "int8" or "uint8", got "int4"'],
    ],
    ['zero scale', (m) => (m.inputs[0].scale = 0), [`m.json inputs[0].scale: ${SCALE}, got 0`]],
    ['negative scale', (m) => (m.layers[2].output.scale = -1), [`m.json layers[2].output.scale: ${SCALE}, got -1`]],
    ['NaN scale', (m) => (m.inputs[0].scale = Number.NaN), [`m.json inputs[0].scale: ${SCALE}, got NaN`]],
    ['infinite scale', (m) => (m.inputs[0].scale = Infinity), [`m.json inputs[0].scale: ${SCALE}, got Infinity`]],
    [
      'scale whose reciprocal float32 lacks',
      (m) => (m.inputs[0].scale = 2.938736e-39),
      [`m.json inputs[0].scale: ${SCALE}, got 2.938736e-39`],
    ],
    [
      'scale that float32 rounds to infinity',
      (m) => (m.inputs[0].scale = 3.5e38),
      [`m.json inputs[0].scale: ${SCALE}, got 3.5e+38`],
    ],
    ['scale as text', (m) => (m.inputs[0].scale = '0.5'), [`m.json inputs[0].scale: ${SCALE}, got "0.5"`]],
    [
      'no scale and zero point',
      (m) => (m.inputs[0] = { name: 'quant', dtype: 'uint8' }),
      [
        'm.json inputs[0].scale: expected a number (uint8 needs scale and zero_point), got nothing',
        'm.json inputs[0].zero_point: expected a number (uint8 needs scale and zero_point), got nothing',
      ],
    ],
    [
      'zero point outside uint8',
      (m) => (m.inputs[0].zero_point = 256),
      ['m.json inputs[0].zero_point: expected an integer in 0..255 (uint8), got 256'],
    ],
    [
      'zero point outside int8',
      (m) => Object.assign(m.layers[2].output, { dtype: 'int8', zero_point: 128 }),
      ['m.json layers[2].output.zero_point: expected an integer in -128..127 (int8), got 128'],
    ],
    [
      'zero point with a fraction',
      (m) => (m.inputs[0].zero_point = 0.5),
      ['m.json inputs[0].zero_point: expected an integer, got 0.5'],
    ],
    [
      'quant_max outside the dtype',
      (m) => (m.inputs[0].quant_max = 300),
      ['m.json inputs[0].quant_max: expected an integer in 0..255 (uint8), got 300'],
    ],
    [
      'empty quantized range',
      (m) => Object.assign(m.inputs[0], { quant_min: 9, quant_max: 9 }),
      ['m.json inputs[0].quant_max: expected more than quant_min 9, got 9'],
    ],
    [
      'one weight scale for 3 channels',
      (m) => (m.layers[0].weight_scale = [0.1]),
      [
        'm.json layers[0].weight_scale: expected 3 values (out_features of fc1), got 1; write one number for a per-tensor scale',
      ],
    ],
    [
      'weight scales of another count',
      (m) => (m.layers[0].weight_scale = [0.1, 0.2]),
      ['m.json layers[0].weight_scale: expected 3 values (out_features of fc1), got 2'],
    ],
    [
      'zero points of another count',
      (m) => (m.layers[0].weight_zero_point = [0, 0]),
      ['m.json layers[0].weight_zero_point: expected 3 values (out_features of fc1), got 2'],
    ],
    [
      'biases of another count',
      (m) => (m.layers[0].bias = [1, 2]),
      ['m.json layers[0].bias: expected 3 values (out_features of fc1), got 2'],
    ],
    [
      'one number as bias',
      (m) => (m.layers[0].bias = 0.5),
      ['m.json layers[0].bias: expected 3 values (out_features of fc1), got one number'],
    ],
    [
      'bad weight scales, each',
      (m) => (m.layers[0].weight_scale = [0, 0.1, -1]),
      [`m.json layers[0].weight_scale[0]: ${SCALE}, got 0`, `m.json layers[0].weight_scale[2]: ${SCALE}, got -1`],
    ],
    [
      'bad weight scale per tensor',
      (m) => (m.layers[2].weight_scale = 1e-45),
      [`m.json layers[2].weight_scale: ${SCALE}, got 1e-45`],
    ],
    [
      'weight scale null',
      (m) => (m.layers[2].weight_scale = null),
      ['m.json layers[2].weight_scale: expected a number, a list of numbers or {"array": KEY}, got null'],
    ],
    [
      'weight scale missing',
      (m) => delete m.layers[2].weight_scale,
      ['m.json layers[2].weight_scale: expected numbers, or {"array": KEY}, got nothing'],
    ],
    [
      'text among scales',
      (m) => (m.layers[0].weight_scale[1] = 'x'),
      ['m.json layers[0].weight_scale[1]: expected a number, got "x"'],
    ],
    [
      'weight zero point outside int8',
      (m) => (m.layers[0].weight_zero_point[1] = 128),
      ['m.json layers[0].weight_zero_point[1]: expected an integer in -128..127 (int8), got 128'],
    ],
    [
      'bias that float32 lacks',
      (m) => (m.layers[0].bias[0] = 1e39),
      ['m.json layers[0].bias[0]: expected a number that float32 holds, got 1e+39'],
    ],
    [
      'int32 bias with a fraction',
      (m) => (m.layers[2].bias = [0.5, 2 ** 31]),
      [
        'm.json layers[2].bias[0]: expected an integer that int32 holds, got 0.5',
        'm.json layers[2].bias[1]: expected an integer that int32 holds, got 2147483648',
      ],
    ],
    [
      'weight outside int8',
      (m) => (m.layers[0].weight[1][2] = 128),
      ['m.json layers[0].weight[1][2]: expected an integer in -128..127, got 128'],
    ],
    [
      'many weights outside: the first and a count',
      (m) =>
        (m.layers[2].weight = [
          [1.5, 'a', null],
          [-129, Number.NaN, 0],
        ]),
      ['m.json layers[2].weight[0][0]: expected an integer in -128..127, got 1.5, and 4 more like it'],
    ],
    [
      'objects that convert to numbers only by throwing',
      (m) =>
        (m.layers[2].weight = [
          [{ toString: 1, valueOf: 1 }, 1, 1],
          [1, 1, [5]],
        ]),
      ['m.json layers[2].weight[0][0]: expected an integer in -128..127, got an object, and 1 more like it'],
    ],
    [
      'ragged weight',
      (m) => m.layers[0].weight[2].pop(),
      ['m.json layers[0].weight[2]: expected 4 values as in row 0 (in_features), got 3'],
    ],
    [
      'flat weight',
      (m) => (m.layers[0].weight = [1, 2, 3]),
      [
        'm.json layers[0].weight: expected lists of integers [out_features][in_features] or {"array": KEY}, got a list that begins with 1',
      ],
    ],
    [
      'empty weight',
      (m) => (m.layers[0].weight = [[]]),
      [
        'm.json layers[0].weight: expected lists of integers [out_features][in_features] or {"array": KEY}, got a list that begins with an empty list',
      ],
    ],
    [
      'no weight',
      (m) => delete m.layers[0].weight,
      ['m.json layers[0].weight: expected numbers, or {"array": KEY}, got nothing'],
    ],
    ['no output', (m) => delete m.layers[0].output, ['m.json layers[0].output: expected an object, got nothing']],
    [
      'unknown activation',
      (m) => (m.layers[0].activation = 'gelu'),
      [
        'm.json layers[0].activation: expected "none", "relu", "relu6", {"clamp": [lo, hi]} in codes, or a curve of real values: "hardswish", "silu", got "gelu"',
      ],
    ],
    [
      'a clamp without two codes',
      (m) => (m.layers[0].activation = { clamp: [3] }),
      [
        'm.json layers[0].activation: expected "none", "relu", "relu6", {"clamp": [lo, hi]} in codes, or a curve of real values: "hardswish", "silu", got an object',
      ],
    ],
    [
      'a clamp of reals',
      (m) => (m.layers[0].activation = { clamp: [0, 5.5] }),
      [
        'm.json layers[0].activation: expected "none", "relu", "relu6", {"clamp": [lo, hi]} in codes, or a curve of real values: "hardswish", "silu", got an object',
      ],
    ],
    [
      'a clamp beyond the codes of the output',
      (m) => (m.layers[0].activation = { clamp: [3, 256] }),
      ['m.json layers[0].activation: expected two codes in order within 0..255 (its output), got {"clamp":[3,256]}'],
    ],
    [
      'a clamp the wrong way round',
      (m) => (m.layers[0].activation = { clamp: [9, 3] }),
      ['m.json layers[0].activation: expected two codes in order within 0..255 (its output), got {"clamp":[9,3]}'],
    ],
    [
      'a clamp in codes of a float output',
      (m) => {
        m.layers[0].activation = { clamp: [0, 6] };
        m.layers[0].output = { dtype: 'float32' };
      },
      [
        'm.json layers[0].activation: expected none, relu or relu6 (its output is float32, a clamp is in codes), got {"clamp":[0,6]}',
      ],
    ],
    ['empty name', (m) => (m.layers[2].name = ''), ['m.json layers[2].name: expected text that is not empty, got ""']],
    [
      'duplicate name',
      (m) => (m.layers[2].name = 'fc1'),
      [
        'm.json layers[2].name: expected a name of its own, got fc1, the name of layers[0]; a module called twice is NAME and NAME@2',
      ],
    ],
    [
      'layer named like an input',
      (m) => (m.layers[2].name = 'quant'),
      [
        'm.json layers[2].name: expected a name of its own, got quant, the name of inputs[0]; a module called twice is NAME and NAME@2',
      ],
    ],
    [
      'dangling name',
      (m) => (m.layers[2].input = 'rleu1'),
      ['m.json layers[2].input: expected the name of an input or of an earlier layer (quant, fc1, relu1), got rleu1'],
    ],
    [
      'names with control characters',
      (m) => (m.layers[2].input = 'a\u001b[31m\n'),
      [
        'm.json layers[2].input: expected the name of an input or of an earlier layer (quant, fc1, relu1), got a\\x1b[31m\\n',
      ],
    ],
    [
      'wrong order',
      (m) => m.layers.reverse(),
      [
        'm.json layers[0].input: expected a value computed before, got relu1, which layers[1] computes later; put layers in execution order',
        'm.json layers[1].input: expected a value computed before, got fc1, which layers[2] computes later; put layers in execution order',
      ],
    ],
    [
      'a layer that reads itself',
      (m) => (m.layers[1].input = 'relu1'),
      ['m.json layers[1].input: expected a value computed before, got a cycle: relu1 -> relu1'],
    ],
    [
      'a cycle, said once',
      (m) => (m.layers[0].input = 'fc2'),
      ['m.json layers[0].input: expected a value computed before, got a cycle: fc1 -> relu1 -> fc2 -> fc1'],
    ],
    [
      'relu that changes the dtype',
      (m) => (m.layers[1].output = { dtype: 'float32' }),
      [
        'm.json layers[1].output.dtype: expected uint8, which relu keeps, got float32; write op "quantize" or "dequantize" for a change of dtype',
      ],
    ],
    [
      'linear on floats',
      (m) => (m.inputs[0] = { name: 'quant', dtype: 'float32' }),
      [
        'm.json layers[0].input: expected a uint8 or int8 value, got quant, which is float32; put a quantize layer before it, or use op "linear_dynamic"',
      ],
    ],
    [
      'quantize on codes',
      (m) => (m.layers[1] = { name: 'relu1', op: 'quantize', input: 'fc1', output: m.layers[1].output }),
      ['m.json layers[1].input: expected a float32 value, got fc1, which is uint8; that value is quantized already'],
    ],
    [
      'dequantize on floats',
      (m) =>
        m.layers.push({ name: 'a', op: 'dequantize', input: 'relu1' }, { name: 'b', op: 'dequantize', input: 'a' }),
      [
        'm.json layers[4].input: expected a uint8 or int8 or int16 or uint16 or int32 value, got a, which is float32; that value is float already',
      ],
    ],
    [
      'dynamic without reduce_range, on codes',
      (m) => Object.assign(m.layers[2], { op: 'linear_dynamic', output: null, bias_dtype: 'float32' }),
      [
        'm.json layers[2].reduce_range: expected true or false, got nothing',
        'm.json layers[2].input: expected a float32 value, got relu1, which is uint8; it quantizes its own input; use op "linear" on codes',
      ],
    ],
    [
      'quantize to float32',
      (m) => m.layers.push({ name: 'q', op: 'quantize', input: 'fc2', output: { dtype: 'float32' } }),
      [
        'm.json layers[3].output.dtype: expected "uint8" or "int8" or "int16" or "uint16" or "int32", got "float32"',
        'm.json layers[3].input: expected a float32 value, got fc2, which is uint8; that value is quantized already',
      ],
    ],
    [
      'relu without parameters of any kind',
      (m) =>
        Object.assign(m.layers, { 0: { name: 'fc1', op: 'conv' }, 1: { name: 'relu1', op: 'relu', input: 'fc1' } }),
      [
        'm.json layers[1].output: expected dtype, scale and zero_point, got nothing, and its input fc1 declares none either',
      ],
    ],
    [
      'an opaque op with a wrong input',
      (m) => m.layers.push({ name: 'cat', op: 'cat', input: ['fc1', 'nope'] }, { name: 'c2', op: 'cat', input: 7 }),
      [
        'm.json layers[3].input: expected the name of an input or of an earlier layer (quant, fc1, relu1, fc2), got nope',
        'm.json layers[4].input: expected a name or a list of names, got 7',
      ],
    ],
    [
      '{"array"} without an npz',
      (m) => (m.layers[0].weight = { array: 'w' }),
      [
        'm.json layers[0].weight: expected an npz that holds array w, got none; name the npz beside the model in its field "arrays"',
      ],
    ],
    [
      'an array key that is no text',
      (m) => (m.layers[0].bias = { array: 3 }),
      ['m.json layers[0].bias: expected a number, a list of numbers or {"array": KEY}, got an object'],
    ],
    [
      'all problems of one layer',
      (m) => {
        m.layers[0].weight[0][0] = 300;
        m.layers[0].output.zero_point = -1;
        m.layers[0].bias = [Infinity, 0, 0];
        m.layers[0].activation = 'x';
        m.layers[2].input = 'no';
      },
      [
        'm.json layers[0].activation: expected "none", "relu", "relu6", {"clamp": [lo, hi]} in codes, or a curve of real values: "hardswish", "silu", got "x"',
        'm.json layers[0].output.zero_point: expected an integer in 0..255 (uint8), got -1',
        'm.json layers[0].weight[0][0]: expected an integer in -128..127, got 300',
        'm.json layers[0].bias[0]: expected a number that float32 holds, got Infinity',
        'm.json layers[2].input: expected the name of an input or of an earlier layer (quant, fc1, relu1), got no',
      ],
    ],
  ])('%s', async (_, change, problems) => {
    expect((await problemsOf(validate(changed(change)))).sort()).toEqual(problems.sort());
  });

  test.each([[null], [[]], ['x'], [3], [{}]])('%j is no model', async (raw) => {
    const problems = await problemsOf(validate(raw));
    expect(problems[0]).toMatch(/^m\.json( format)?: expected/);
  });
});

describe('shapes that do not chain', () => {
  const transpose = (rows: number[][]) => rows[0].map((_, i) => rows.map((row) => row[i]));
  const bare = (m: Json) => {
    for (const layer of [m.layers[0], m.layers[2]])
      Object.assign(layer, { weight_scale: 0.5, weight_zero_point: 0, bias: null });
  };
  test.each<[string, (model: Json) => void, string[]]>([
    [
      'fc2 reads 3 values, its weight has 4',
      (m) =>
        (m.layers[2].weight = [
          [1, 2, 3, 4],
          [1, 2, 3, 4],
        ]),
      [
        'm.json layers[2].weight: expected 3 in_features (out_features of fc1), got 4 (weight [2, 4]); layers have to chain',
      ],
    ],
    [
      'two layers read one input',
      (m) => Object.assign(m.layers[2], { input: 'quant' }),
      [
        'm.json layers[2].weight: expected 4 in_features (in_features of fc1), got 3 (weight [2, 3]); layers have to chain',
      ],
    ],
    [
      'transposed, as scales and biases say',
      (m) => (m.layers[0].weight = transpose(m.layers[0].weight)),
      [
        'm.json layers[0].weight: expected [out_features, in_features] = [3, 4] (weight_scale has 3 values), got [4, 3]; it is transposed: save weight.T',
      ],
    ],
    [
      'transposed, as the layer before says',
      (m) => Object.assign(m.layers[2], { weight: transpose(m.layers[2].weight), bias: null }),
      [
        'm.json layers[2].weight: expected [out_features, in_features] = [2, 3] (out_features of fc1: 3), got [3, 2]; it is transposed: save weight.T',
      ],
    ],
    [
      'both transposed, as their lists say',
      (m) => {
        for (const i of [0, 2]) m.layers[i].weight = transpose(m.layers[i].weight);
      },
      [
        'm.json layers[0].weight: expected [out_features, in_features] = [3, 4] (weight_scale has 3 values), got [4, 3]; it is transposed: save weight.T',
        'm.json layers[2].weight: expected [out_features, in_features] = [2, 3] (bias has 2 values), got [3, 2]; it is transposed: save weight.T',
      ],
    ],
    [
      'nothing but the chain: the first may be transposed',
      (m) => {
        bare(m);
        m.layers[0].weight = transpose(m.layers[0].weight);
      },
      [
        'm.json layers[2].weight: expected 4 in_features (out_features of fc1), got 3 (weight [2, 3]); is the other weight transposed? then save weight.T',
      ],
    ],
    [
      'nothing but the chain: both may be',
      (m) => {
        bare(m);
        for (const i of [0, 2]) m.layers[i].weight = transpose(m.layers[i].weight);
      },
      [
        'm.json layers[2].weight: expected 4 in_features (out_features of fc1), got 2 (weight [3, 2]); are both weights transposed? then save weight.T',
      ],
    ],
    [
      'lists that agree with neither side',
      (m) => (m.layers[0].bias = [1, 2, 3, 4, 5]),
      ['m.json layers[0].bias: expected 3 values (out_features of fc1), got 5'],
    ],
  ])('%s', async (_, change, problems) => {
    expect(await problemsOf(validate(changed(change)))).toEqual(problems);
  });
});

describe('numbers in an npz', () => {
  const refer = (m: Json) => {
    m.arrays = 'm.npz';
    for (const field of ['weight', 'weight_scale', 'weight_zero_point', 'bias'])
      m.layers[0][field] = { array: `fc1.${field}` };
  };
  const weight = [1, -2, 3, -4, 5, 6, 7, 8, -128, 127, 0, 1];
  const arrays = {
    'fc1.weight': npy('int8', [3, 4], weight),
    'fc1.weight_scale': npy('float64', [3], [0.1, 0.2, 0.3]),
    'fc1.weight_zero_point': npy('int64', [3], [0, 1, -1]),
    'fc1.bias': npy('float32', [3], [0.5, -0.5, 0]),
  };

  test.each<[string, Record<string, Buffer>]>([
    ['as they should be', {}],
    ['wider weights in range', { 'fc1.weight': npy('int64', [3, 4], weight, { fortranOrder: true, bigEndian: true }) }],
    ['float64 bias', { 'fc1.bias': npy('float64', [3], [0.5, -0.5, 0]) }],
  ])('%s', async (_, changes) => {
    const inline = (await validate(smallModel())).layers[0] as ProductLayer;
    const layer = (await validate(changed(refer), { ...arrays, ...changes })).layers[0] as ProductLayer;
    expect(await layer.form.weight.read()).toEqual(await inline.form.weight.read());
    expect({ ...layer, form: { ...layer.form, weight: null } }).toEqual({
      ...inline,
      form: { ...inline.form, weight: null },
    });
  });

  test('0-d arrays are per tensor', async () => {
    const changes = { 'fc1.weight_scale': npy('float64', [], [0.5]), 'fc1.weight_zero_point': npy('int64', [], [3]) };
    const layer = (await validate(changed(refer), { ...arrays, ...changes })).layers[0];
    expect(layer.form).toMatchObject({
      perChannel: false,
      weightScale: Float64Array.of(0.5),
      weightZeroPoint: Int32Array.of(3),
    });
  });

  test.each<[string, Record<string, Buffer>, string[]]>([
    [
      'float weights',
      { 'fc1.weight': npy('float32', [3, 4], weight) },
      [
        'm.json layers[0].weight: expected int8 weights, got float32 in array fc1.weight of m.npz; save the integer representation (torch: weight().int_repr())',
      ],
    ],
    [
      'weights of one axis',
      { 'fc1.weight': npy('int8', [12], weight) },
      ['m.json layers[0].weight: expected shape (out_features, in_features), got (12,) in array fc1.weight of m.npz'],
    ],
    [
      'no weights',
      { 'fc1.weight': npy('int8', [0, 4], []) },
      ['m.json layers[0].weight: expected shape (out_features, in_features), got (0, 4) in array fc1.weight of m.npz'],
    ],
    [
      'uint8 weights beyond int8',
      { 'fc1.weight': npy('uint8', [3, 4], [...weight.slice(0, 10).map(Math.abs), 200, 255]) },
      [
        'm.json layers[0].weight[2][0]: expected an integer in -128..127, got 128, and 2 more like it in array fc1.weight of m.npz; are they int8 stored as uint8? then save .view(np.int8)',
      ],
    ],
    [
      'transposed weights',
      { 'fc1.weight': npy('int8', [4, 3], weight) },
      [
        'm.json layers[0].weight: expected [out_features, in_features] = [3, 4] (weight_scale has 3 values), got [4, 3]; it is transposed: save weight.T',
      ],
    ],
    [
      'one scale as a list',
      { 'fc1.weight_scale': npy('float64', [1], [0.5]) },
      [
        'm.json layers[0].weight_scale: expected 3 values (out_features of fc1), got 1 (array fc1.weight_scale of m.npz); save a 0-d array for a per-tensor scale',
      ],
    ],
    [
      'scales of two axes',
      { 'fc1.weight_scale': npy('float64', [3, 1], [1, 2, 3]) },
      [
        'm.json layers[0].weight_scale: expected 3 values (out_features of fc1), got (3, 1) (array fc1.weight_scale of m.npz)',
      ],
    ],
    [
      'NaN among scales',
      { 'fc1.weight_scale': npy('float32', [3], [1, Number.NaN, 1]) },
      [`m.json layers[0].weight_scale: ${SCALE}, got NaN at [1] (array fc1.weight_scale of m.npz)`],
    ],
    [
      'NaN bias',
      { 'fc1.bias': npy('float32', [3], [0, 0, Number.NaN]) },
      ['m.json layers[0].bias: expected a number that float32 holds, got NaN at [2] (array fc1.bias of m.npz)'],
    ],
    [
      'zero point beyond 2^53',
      { 'fc1.weight_zero_point': npy('int64', [3], [0, 0, 2 ** 53]) },
      ['m.npz fc1.weight_zero_point: expected integers within 2^53, got 9007199254740992 (value 2 of those read)'],
    ],
  ])('%s', async (_, changes, problems) => {
    expect(await problemsOf(validate(changed(refer), { ...arrays, ...changes }))).toEqual(problems);
  });

  test('a key that the npz lacks', async () => {
    const model = changed((m) => (m.layers[0].weight = { array: 'fc1.wieght' }));
    expect(await problemsOf(validate(model, { 'fc1.weight': arrays['fc1.weight'] }))).toEqual([
      'm.json layers[0].weight: expected array fc1.wieght in m.npz, got fc1.weight',
    ]);
  });
});

describe('warnings', () => {
  test('an unknown field warns once for each name', async () => {
    const model = changed((m) => {
      m.comment = 'hi';
      for (const layer of m.layers) layer.stride = 1;
      m.layers[0].output.observer = 'minmax';
      m.producer.host = 'a';
      m.inputs[0].observed = [4];
      Object.defineProperty(m, '__proto__', { value: {}, enumerable: true });
    });
    expect((await validate(model)).warnings.map(({ code, where, message }) => `${code} ${where}: ${message}`)).toEqual([
      'unknown-field m.json comment: a field that this version does not know is ignored',
      'unknown-field m.json __proto__: a field that this version does not know is ignored',
      'unknown-field m.json producer.host: a field that this version does not know is ignored',
      'unknown-field m.json inputs[0].observed: a field that this version does not know is ignored',
      'unknown-field m.json layers[0].stride: a field that this version does not know is ignored (3 places)',
      'unknown-field m.json layers[0].output.observer: a field that this version does not know is ignored',
    ]);
  });

  test("relu keeps its input's scale whatever it declares", async () => {
    const model = await validate(changed((m) => (m.layers[1].output.scale = 0.3)));
    expect(model.layers[1].output).toMatchObject({ scale: 0.25, zeroPoint: 100 });
    expect(model.warnings).toEqual([
      {
        code: 'output-params',
        where: 'm.json layers[1].output',
        message: "relu keeps its input's scale 0.25 and zero_point 100; the declared 0.3 and 100 are ignored",
      },
    ]);
  });
});

test('ten million inline weights are checked in one loop', async () => {
  const [rows, cols] = [100, 100_000];
  const row = Array.from({ length: cols }, (_, i) => (i % 256) - 128);
  const model = changed((m) => {
    Object.assign(m.layers[0], {
      weight: Array.from({ length: rows }, () => row),
      weight_scale: 1,
      weight_zero_point: 0,
      bias: null,
    });
    m.layers.length = 1;
  });
  const weights = await ((await validate(model)).layers[0] as ProductLayer).form.weight.read();
  expect(weights.length).toBe(rows * cols);
  expect(weights.subarray(cols, cols + 300)).toEqual(Int8Array.from(row.slice(0, 300)));
});

test('a long chain of layers in the wrong order ends', async () => {
  const layers = Array.from({ length: 20_000 }, (_, i) => ({ name: `l${i}`, op: 'relu', input: `l${i + 1}` }));
  expect((await problemsOf(validate({ format: 'qdiff-model', version: 1, layers }))).length).toBe(1001);
});

describe('more than anybody reads', () => {
  test.each([
    [
      'layers that are none',
      (m: Json) => (m.layers = new Array(300_000).fill(0)),
      /^m\.json layers\[1000\]: .* 1000 problems/,
    ],
    [
      'inputs that are none',
      (m: Json) => (m.inputs = new Array(300_000).fill(0)),
      /^m\.json layers\[0\]: .* problems before/,
    ],
    [
      'a list of texts for a shape',
      (m: Json) => (m.layers[0].output_shape = m.layers[0].shape = new Array(300_000).fill('')),
      /^m\.json layers\[0\].*: expected /,
    ],
    [
      'a name',
      (m: Json) => (m.layers[0].name = 'n'.repeat(65_536)),
      /expected text of at most 65535 characters, got "n{60}\.\.\."/,
    ],
  ])('is not walked: %s', async (_, change, message) => {
    const problems = await problemsOf(validate(changed(change)));
    expect(problems.length).toBeLessThan(3000);
    expect(problems).toContainEqual(expect.stringMatching(message));
  });

  const zeros = new Array(300_000).fill(0);
  const first = { format: 'qdiff-baseline', version: 1, tool: {}, kernel: '', mode: 'isolated' };
  test.each([
    ['a baseline', () => validateBaseline({ ...first, layers: zeros }, 'a.json')],
    ['a report', () => validateReports({ format: 'qdiff-report', version: 1, layers: zeros }, 'a.json')],
    ['a configuration', () => validateConfig({ format: 'qdiff-config', version: 1, models: zeros }, 'a.json')],
    ['a blob', () => validateBlob({ format: 'qdiff-blob', version: 1, runs: zeros }, 'a.json')],
  ])('nor in %s', async (_, read) => {
    const problems = await problemsOf((async () => read())());
    expect(problems.length).toBeLessThan(1100);
    expect(problems).toContainEqual(
      expect.stringMatching(/^a\.json (?:layers|models|runs)\[\d+\]: expected an object, got 0/),
    );
  });
});

test.each([
  [{ value: 'a' }, 'constants[0].value: expected '],
  [{ value: [1, 2, 3], shape: [2] }, 'constants[0].value: expected a multiple of 2 values (its shape), got 3'],
  [{ value: [], shape: [2] }, 'constants[0].value: expected '],
])('a constant of %j is refused in one line', async (wrong, message) => {
  const constants = [{ name: 'c', dtype: 'uint8', scale: 1, zero_point: 0, ...wrong }];
  expect(await problemsOf(validate(changed((m) => Object.assign(m, { constants }))))).toEqual([
    expect.stringContaining(message),
  ]);
});
