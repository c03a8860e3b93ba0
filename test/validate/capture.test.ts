import { describe, expect, test } from 'vitest';
import { openNpz } from '../../src/load/npz.js';
import type { Capture } from '../../src/nouns/capture.js';
import { ops } from '../../src/ops/registry.js';
import { validateCapture } from '../../src/validate/capture.js';
import { validateModel } from '../../src/validate/model.js';
import { memoryFiles } from '../support/memoryFiles.js';
import { counting, type Json, smallCapture, smallModel } from '../support/models.js';
import { npy, npz } from '../support/npz.js';
import { problemsOf } from '../support/problems.js';

async function validate(bytes: Buffer, change: (model: Json) => void = () => {}): Promise<Capture> {
  const raw = smallModel();
  change(raw);
  const model = await validateModel(raw, 'm.json', 'none');
  return validateCapture(model, await openNpz(memoryFiles({ 'c.npz': bytes }), 'c.npz'));
}

/** x (float) -> conv (not replayed) -> relu -> flatten (not replayed) -> fc 6->2 */
function convModel(model: Json): void {
  const output = { dtype: 'uint8', scale: 0.5, zero_point: 0 };
  model.inputs = [{ name: 'x', dtype: 'float32' }];
  model.layers = [
    { name: 'conv', op: 'conv2d', input: 'x', output },
    { name: 'relu', op: 'relu', input: 'conv' },
    { name: 'flat', op: 'flatten', input: 'relu', output },
    { name: 'fc', op: 'linear', input: 'flat', weight: [counting(6), counting(6)], weight_scale: 1, output },
  ];
}

describe('a valid capture', () => {
  test('of a layer whose first operand the model holds needs the other alone', async () => {
    const oneBy = (model: Json) => {
      model.inputs = [{ name: 'x', dtype: 'float32' }];
      model.constants = [{ name: 'one', dtype: 'float32', shape: [], value: [1] }];
      model.layers = [{ name: 'y', op: 'div', input: ['one', 'x'], output: { dtype: 'float32' } }];
    };
    const [x, y] = [npy('float32', [2, 3], counting(6)), npy('float32', [2, 3], counting(6))];
    expect((await validate(npz({ x, y }), oneBy)).samples).toBe(2);
    const [problem] = await problemsOf(validate(npz({ y }), oneBy));
    expect(JSON.stringify(problem)).toContain('the input of a captured layer (x or y.input for y)');
  });

  test('has every value by samples', async () => {
    const capture = await validate(smallCapture());
    expect(capture).toMatchObject({ path: 'c.npz', samples: 5, batchSizes: [5], warnings: [] });
    expect([...capture.values.keys()]).toEqual(['quant', 'fc1', 'relu1', 'fc2']);
    const fc1 = capture.values.get('fc1')!;
    expect(fc1).toMatchObject({ samples: 5, features: 3, dtype: 'uint8' });
    expect(await fc1.read(1, 3)).toEqual(Uint8Array.of(3, 4, 5, 6, 7, 8));
  });

  test('leading axes are samples', async () => {
    const capture = await validate(
      smallCapture({
        quant: npy('uint8', [2, 3, 4], counting(24)),
        fc1: npy('uint8', [2, 3, 3], counting(18), { fortranOrder: true }),
        relu1: null,
        fc2: npy('uint8', [6, 2], counting(12)),
      }),
    );
    expect(capture.samples).toBe(6);
    const fc1 = capture.values.get('fc1')!;
    for (const [from, to] of [
      [0, 6],
      [1, 2],
      [2, 4],
      [3, 6],
      [4, 4],
    ]) {
      expect([...(await fc1.read(from, to))], `${from}..${to}`).toEqual(counting(18).slice(from * 3, to * 3));
    }
  });

  test('a 1-d array is one sample', async () => {
    const arrays = { quant: npy('uint8', [4], counting(4)), fc1: npy('uint8', [3], counting(3)) };
    const capture = await validate(npz(arrays));
    expect(capture.samples).toBe(1);
    expect([...(await capture.values.get('fc1')!.read(0, 1))]).toEqual([0, 1, 2]);
  });

  test('an image that is flattened on the way to the first layer', async () => {
    const capture = await validate(smallCapture({ quant: npy('uint8', [5, 1, 2, 2], counting(20)) }));
    expect(capture.values.get('quant')).toMatchObject({ samples: 5, features: 4 });
  });

  test('inputs and accumulators of layers, batch sizes', async () => {
    const capture = await validate(
      smallCapture({
        'fc2.input': npy('uint8', [5, 3], counting(15)),
        'fc2.accumulator': npy('int32', [5, 2], counting(10)),
        batch_sizes: npy('int64', [2], [3, 2]),
      }),
    );
    expect(capture.batchSizes).toEqual([3, 2]);
    expect(capture.values.get('fc2.input')).toMatchObject({ samples: 5, features: 3 });
    expect(capture.values.get('fc2.accumulator')).toMatchObject({ samples: 5, features: 2, dtype: 'int32' });
    expect(capture.warnings).toEqual([]);
  });

  test('a layer named like the input of another is that layer', async () => {
    const capture = await validate(
      smallCapture({ 'fc2.input': npy('uint8', [5, 3], counting(15)), relu1: null }),
      (m) => {
        m.layers[1].name = 'fc2.input';
        m.layers[2].input = 'fc2.input';
      },
    );
    expect([...capture.values.keys()]).toEqual(['quant', 'fc1', 'fc2.input', 'fc2']);
  });

  test('values around layers that are not replayed keep their shape', async () => {
    const arrays = {
      x: npy('float32', [2, 1, 9], counting(18)),
      conv: npy('uint8', [2, 3, 1, 2], counting(12)),
      relu: npy('uint8', [2, 3, 1, 2], counting(12)),
      flat: npy('uint8', [2, 6], counting(12)),
      fc: npy('uint8', [2, 2], counting(4)),
    };
    const capture = await validate(npz(arrays), convModel);
    expect(capture.samples).toBe(2);
    expect([...capture.values].map(([key, { features }]) => [key, features])).toEqual([
      ['x', 9],
      ['conv', 6],
      ['relu', 6],
      ['flat', 6],
      ['fc', 2],
    ]);
    expect([...(await capture.values.get('relu')!.read(1, 2))]).toEqual([6, 7, 8, 9, 10, 11]);
  });

  test('float64 that float32 holds is taken with a warning', async () => {
    const float = (model: Json) => (model.layers[2].output = { dtype: 'float32' });
    const values = [0.5, 0.1, -0, Number.NaN, Infinity, 1, 2, 3, 4, 5].map(Math.fround);
    const capture = await validate(smallCapture({ fc2: npy('float64', [5, 2], values) }), float);
    expect(capture.values.get('fc2')!.dtype).toBe('float32');
    expect(await capture.values.get('fc2')!.read(0, 5)).toEqual(Float32Array.from(values));
    expect(capture.warnings.map(({ code, where }) => `${code} ${where}`)).toEqual(['float64 c.npz fc2']);
  });

  test('arrays of no value: one warning', async () => {
    const labels = { labels: npy('int64', [5], counting(5)), 'fc\u001b': npy('uint8', [1], [1]) };
    expect((await validate(smallCapture(labels))).warnings).toEqual([
      { code: 'unknown-array', where: 'c.npz', message: '2 arrays of no value of the model ignored: labels, fc\\x1b' },
    ]);
  });

  test.each<[string, Record<string, Buffer | null>]>([
    ['a captured layer whose input must be replayed', { relu1: null, fc1: null }],
    [
      'one layer with its own input',
      { quant: null, fc1: null, relu1: null, 'fc2.input': npy('uint8', [5, 3], counting(15)) },
    ],
    ['a layer without any input beside one with', { quant: null }],
  ])('%s can be compared', async (_, changes) => {
    expect((await validate(smallCapture(changes))).samples).toBe(5);
  });
});

describe('one line for each problem', () => {
  const u8 = (shape: number[]) => npy('uint8', shape, counting(shape.reduce((a, b) => a * b, 1)));
  test.each<[string, Record<string, Buffer | null>, string[]]>([
    [
      'wider integers',
      { fc1: npy('int64', [5, 3], counting(15)) },
      ['c.npz fc1: expected uint8, got int64; save .astype(np.uint8)'],
    ],
    [
      'the other signedness',
      { fc1: npy('int8', [5, 3], counting(15)) },
      ['c.npz fc1: expected uint8, got int8; save int_repr() as it is, or correct the dtype in the model'],
    ],
    [
      'floats for codes',
      {
        fc1: npy(
          'float32',
          [5, 3],
          [0.5, ...counting(14)].map((v) => v / 8),
        ),
      },
      [
        'c.npz fc1: expected uint8, got float32; save the integer representation (torch: int_repr()); 0.0625 is 0.25 steps of its scale',
      ],
    ],
    [
      'bool',
      { fc1: npy('bool', [5, 3], new Uint8Array(15)) },
      ['c.npz fc1: expected uint8, got bool; save .astype(np.uint8)'],
    ],
    [
      'an accumulator of int64',
      { 'fc1.accumulator': npy('int64', [5, 3], counting(15)) },
      ['c.npz fc1.accumulator: expected int32, got int64; save .astype(np.int32)'],
    ],
    [
      'channels of a layer',
      { fc1: u8([5, 4]) },
      ['c.npz fc1: expected 3 channels (out_features of fc1), got 4 (shape (5, 4))'],
    ],
    [
      'channels of the input',
      { quant: u8([5, 5]) },
      ['c.npz quant: expected 4 channels (in_features of fc1), got 5 (shape (5, 5))'],
    ],
    [
      'channels of a pointwise layer',
      { relu1: u8([5, 2]) },
      ['c.npz relu1: expected 3 channels (out_features of fc1), got 2 (shape (5, 2))'],
    ],
    [
      'channels of NAME.input',
      { 'fc2.input': u8([5, 2]) },
      ['c.npz fc2.input: expected 3 channels (out_features of fc1), got 2 (shape (5, 2))'],
    ],
    ['samples', { fc1: u8([4, 3]) }, ['c.npz fc1: expected 5 samples (as quant has), got 4 (shape (4, 3))']],
    ['no samples', { fc1: u8([0, 3]) }, ['c.npz fc1: expected at least one sample and one channel, got shape (0, 3)']],
    [
      'a huge first axis without data',
      { fc1: u8([2 ** 40, 0]) },
      ['c.npz fc1: expected at least one sample and one channel, got shape (1099511627776, 0)'],
    ],
    [
      'transposed values',
      { fc1: u8([3, 5]) },
      [
        'c.npz fc1: expected 3 channels (out_features of fc1), got 5 (shape (3, 5)); samples come first: save its transpose (.T)',
      ],
    ],
    [
      'several',
      { fc1: npy('int16', [4, 3], counting(12)), fc2: u8([5, 3]) },
      [
        'c.npz fc1: expected uint8, got int16; save .astype(np.uint8)',
        'c.npz fc1: expected 5 samples (as quant has), got 4 (shape (4, 3))',
        'c.npz fc2: expected 2 channels (out_features of fc2), got 3 (shape (5, 3))',
      ],
    ],
    [
      'no layer',
      { fc1: null, relu1: null, fc2: null },
      [
        'c.npz: expected the output of a replayed layer (fc1, relu1, fc2), got only inputs (quant); capture the rest where the model runs: qdiff exporter pytorch',
      ],
    ],
    [
      "another model's, which names its input alike",
      { fc1: null, relu1: null, fc2: null, conv: u8([5, 3]) },
      ['c.npz: expected the output of a replayed layer (fc1, relu1, fc2), got quant, conv'],
    ],
    [
      'no input of any captured layer',
      { quant: null, relu1: null, fc2: null },
      ['c.npz: expected the input of a captured layer (quant or fc1.input for fc1), got fc1'],
    ],
    [
      'batch sizes that do not add up',
      { batch_sizes: npy('int64', [2], [3, 3]) },
      ['c.npz batch_sizes: expected sizes that add up to 5 samples, got 6'],
    ],
    [
      'a batch size of zero',
      { batch_sizes: npy('int64', [2], [5, 0]) },
      ['c.npz batch_sizes: expected sizes of at least 1, got 0'],
    ],
    [
      'float batch sizes',
      { batch_sizes: npy('float64', [1], [5]) },
      ['c.npz batch_sizes: expected int64, one number for each call, at most 5, got float64 of shape (1,)'],
    ],
    [
      'more batches than samples',
      { batch_sizes: npy('int64', [6], [1, 1, 1, 1, 1, 0]) },
      ['c.npz batch_sizes: expected int64, one number for each call, at most 5, got int64 of shape (6,)'],
    ],
  ])('%s', async (_, changes, problems) => {
    expect((await problemsOf(validate(smallCapture(changes)))).sort()).toEqual(problems.sort());
  });

  const float = (model: Json) => (model.layers[2].output = { dtype: 'float32' });
  const perTensor = (model: Json) => {
    Object.assign(model.layers[0], { weight_scale: 1, weight_zero_point: 0, bias: null });
    model.layers.length = 1;
  };
  const oneChannel = (model: Json) => {
    Object.assign(model.layers[2], { weight: [[1, 2, 3]], bias: null });
  };
  test.each<[string, (model: Json) => void, Record<string, Buffer | null>, string[]]>([
    [
      'float64 that float32 does not hold',
      float,
      { fc2: npy('float64', [5, 2], [0.5, 0.1, 0, 0, 0, 0, 0, 0, 0, 0]) },
      ['c.npz fc2: expected float32, got float64 with 0.1, which float32 does not hold; save .astype(np.float32)'],
    ],
    [
      'integers for floats',
      float,
      { fc2: npy('uint8', [5, 2], counting(10)) },
      ['c.npz fc2: expected float32, got uint8; save float values as .astype(np.float32)'],
    ],
    [
      'half precision',
      float,
      { fc2: npy('float16', [5, 2], counting(10)) },
      ['c.npz fc2: expected float32, got float16; save float values as .astype(np.float32)'],
    ],
    [
      'a transposed weight that only the capture shows',
      perTensor,
      { quant: u8([5, 3]), fc1: u8([5, 4]), relu1: null, fc2: null },
      [
        'c.npz quant: expected 4 channels (in_features of fc1), got 3 (shape (5, 3)); is that weight transposed? then save weight.T',
        'c.npz fc1: expected 3 channels (out_features of fc1), got 4 (shape (5, 4)); is that weight transposed? then save weight.T',
      ],
    ],
    [
      'one channel saved without its axis',
      oneChannel,
      { fc2: u8([5]) },
      [
        'c.npz fc2: expected 1 channel (out_features of fc2), got 5 (shape (5,)); a 1-d array is one sample: save it as (N, 1)',
      ],
    ],
    [
      'a model with nothing to replay',
      (m) => (m.layers = [{ name: 'conv', op: 'conv' }]),
      { conv: u8([5, 3]) },
      [
        `m.json layers: expected a layer that is replayed (${ops.map(({ name }) => name).join(', ')}), got conv; --candidate compares such values with another capture's`,
      ],
    ],
    [
      'a model whose layers say why they are not replayed',
      (m) => (m.layers = [{ name: 'conv', op: 'conv2d', not_replayed: 'a value of it has int16 codes' }]),
      { conv: u8([5, 3]) },
      [
        "m.json layers: expected a layer that is replayed, got none of 1: conv: a value of it has int16 codes; --candidate compares such values with another capture's",
      ],
    ],
    [
      'a value of a replayed layer that does not fit the samples',
      convModel,
      { x: null, relu: u8([3, 4]), flat: u8([2, 6]), fc: u8([2, 2]) },
      [
        'c.npz flat: expected 3 samples (as relu has), got 2 (shape (2, 6))',
        'c.npz fc: expected 3 samples (as relu has), got 2 (shape (2, 2))',
      ],
    ],
  ])('%s', async (_, change, changes, problems) => {
    expect(await problemsOf(validate(smallCapture(changes), change))).toEqual(problems);
  });
});

/** x -> lstm (not replayed, time first) -> quant -> dequant; x is the graph's. */
function recurrentGraph(model: Json): void {
  const codes = { dtype: 'uint8', scale: 0.5, zero_point: 0 };
  const nodes = ['n'];
  model.inputs = [{ name: 'x', dtype: 'float32', of_graph: true }];
  model.layers = [
    { name: 'lstm', op: 'lstm', input: 'x', output: { dtype: 'float32' }, nodes },
    { name: 'quant', op: 'quantize', input: 'lstm', output: codes, nodes },
    { name: 'own', op: 'quantize', input: 'x', output: codes, nodes },
  ];
}

describe('a graph whose layer that is not replayed puts another axis first', () => {
  const arrays = (own: number) => ({
    x: npy('float32', [5, 2, 3], counting(30)),
    lstm: npy('float32', [2, 5, 3], counting(30)),
    quant: npy('uint8', [2, 5, 3], counting(30)),
    own: npy('uint8', [own, 2, 3], counting(6 * own)),
  });

  test('what is behind it is left alone, and said', async () => {
    const capture = await validate(npz(arrays(5)), recurrentGraph);
    expect([capture.samples, [...capture.values.keys()]]).toEqual([5, ['x', 'own']]);
    expect(capture.warnings.map(({ message }) => message)).toEqual([
      '2 values whose first axis is not that of the 5 samples not compared: lstm, quant',
    ]);
  });

  test('what is not behind it still has to agree', async () => {
    expect(await problemsOf(validate(npz(arrays(4)), recurrentGraph))).toEqual([
      'c.npz own: expected 5 samples (as x has), got 4 (shape (4, 2, 3))',
    ]);
  });
});

describe('a value that ONNX Runtime keeps in another order of axes', () => {
  const turnedGraph = (framework: string) => (model: Json) => {
    recurrentGraph(model);
    model.producer = { framework };
    model.inputs = [{ name: 'x', dtype: 'float32', shape: [4, 2, 3], of_graph: true }];
    model.layers = [
      { name: 'own', op: 'quantize', input: 'x', output: { dtype: 'uint8', scale: 0.5, zero_point: 0 }, nodes: ['n'] },
    ];
  };
  const arrays = (shape: number[]) =>
    npz({ x: npy('float32', [5, 4, 2, 3], counting(120)), own: npy('uint8', shape, counting(120)) });

  test.each([
    ['behind the samples', [5, 2, 3, 4]],
    ['joined with the samples', [20, 3, 2]],
  ])('%s: it is left alone, and said', async (_, shape) => {
    const capture = await validate(arrays(shape), turnedGraph('onnxruntime'));
    expect([...capture.values.keys()]).toEqual(['x']);
    expect(capture.warnings.map(({ message }) => message)).toEqual([
      '1 value with axes in another order than in the graph, as the optimizer moves Transposes, not compared: own',
    ]);
  });

  test.each([
    ['of lengths that are not its own', [5, 24], 'onnxruntime'],
    ['of another runtime', [5, 2, 3, 4], 'tflite'],
  ])('one %s is refused', async (_, shape, framework) => {
    expect(await problemsOf(validate(arrays(shape), turnedGraph(framework)))).toEqual([
      expect.stringContaining('c.npz own: expected shape (samples, 4, 2, 3), got '),
    ]);
  });
});

describe('codes that ONNX Runtime keeps under the name of floats, since it moved DequantizeLinear', () => {
  const movedGraph = (model: Json) => {
    const nodes = ['n'];
    model.producer = { framework: 'onnxruntime' };
    model.inputs = [{ name: 'x', dtype: 'float32', of_graph: true }];
    model.layers = [
      { name: 'q', op: 'quantize', input: 'x', output: { dtype: 'uint8', scale: 0.5, zero_point: 3 }, nodes },
      { name: 'd', op: 'dequantize', input: 'q', nodes },
      { name: 'turned', op: 'permute', input: 'd', dims: [0, 2, 1], nodes },
      { name: 'own', op: 'permute', input: 'x', dims: [0, 2, 1], nodes },
    ];
  };
  const captured = (name: string, dtype: 'uint8' | 'int8') =>
    validate(
      npz({ x: npy('float32', [5, 2, 3], counting(30)), [name]: npy(dtype, [5, 3, 2], counting(30)) }),
      movedGraph,
    );

  test('they are read by the scale of what is moved', async () => {
    const { values, warnings } = await captured('turned', 'uint8');
    expect([...(await values.get('turned')!.read(0, 1))]).toEqual([-1.5, -1, -0.5, 0, 0.5, 1]);
    expect(warnings.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^1 value of codes .*scale: turned$/),
    ]);
  });

  test.each([
    ['of another type', 'turned', 'int8'],
    ['of floats that no codes stand behind', 'own', 'uint8'],
  ] as const)('%s: they are left alone, and said', async (_, name, dtype) => {
    const { values, warnings } = await captured(name, dtype);
    expect([...values.keys()]).toEqual(['x']);
    expect(warnings.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^1 value of codes .*not compared: /),
    ]);
  });

  test('of another runtime they are refused', async () => {
    const model = (raw: Json) => {
      movedGraph(raw);
      raw.producer = {};
    };
    const arrays = { x: npy('float32', [5, 2, 3], counting(30)), turned: npy('uint8', [5, 3, 2], counting(30)) };
    expect(await problemsOf(validate(npz(arrays), model))).toEqual([
      expect.stringContaining('expected float32, got uint8'),
    ]);
  });
});

test('of a file without arrays it is said that there is nothing', async () => {
  const model = await validateModel(smallModel(), 'm.json', 'none');
  const file = { path: 'c.npz', arrays: new Map(), close: async () => {} };
  expect(await problemsOf(validateCapture(model, file, 'values'))).toEqual([expect.stringMatching(/, got nothing; /)]);
});

test('a producer of text is one of the problems', async () => {
  const header = "{'descr': '<U1', 'fortran_order': False, 'shape': (1,), }";
  const producer = npy('int32', [1], [0], { header });
  expect(await problemsOf(validate(smallCapture({ fc1: npy('int16', [5, 3], counting(15)), producer })))).toEqual([
    expect.stringContaining('fc1: expected uint8, got int16'),
    expect.stringContaining('producer'),
  ]);
});
