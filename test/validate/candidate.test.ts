import { describe, expect, test } from 'vitest';
import { openNpyFolder } from '../../src/load/npyFolder.js';
import { openNpz } from '../../src/load/npz.js';
import type { Capture } from '../../src/nouns/capture.js';
import { validateCandidate } from '../../src/validate/candidate.js';
import { validateCapture } from '../../src/validate/capture.js';
import { validateModel } from '../../src/validate/model.js';
import { memoryFiles } from '../support/memoryFiles.js';
import { counting, type Json, smallCapture, smallModel } from '../support/models.js';
import { npy, npz } from '../support/npz.js';
import { problemsOf } from '../support/problems.js';

type Arrays = Record<string, Buffer>;

async function validate(
  arrays: Arrays,
  names: Record<string, string> = {},
  change: (model: Json) => void = () => {},
  captured: Record<string, Buffer | null> = {},
): Promise<Capture> {
  const raw = smallModel();
  change(raw);
  const files = memoryFiles({ 'c.npz': smallCapture(captured), 'mine.npz': npz(arrays) });
  const model = await validateModel(raw, 'm.json', 'none');
  const capture = await validateCapture(model, await openNpz(files, 'c.npz'));
  return validateCandidate(model, capture, await openNpz(files, 'mine.npz'), new Map(Object.entries(names)));
}

const codes = counting(15);

test('numbers of all samples in one axis, as C dumps them, have the captured shape', async () => {
  const { values, warnings } = await validate({ fc1: npy('int8', [15], codes) });
  expect([...(await values.get('fc1')!.read(1, 3))]).toEqual(codes.slice(3, 9));
  expect(warnings).toEqual([
    expect.objectContaining({ code: 'flat', message: '15 numbers in one axis, read as 5 x 3' }),
  ]);
});

test.each(['int8', 'uint8', 'int16', 'uint16', 'int32', 'uint32', 'int64', 'uint64'] as const)(
  '%s codes are taken by value; the other values are missing',
  async (dtype) => {
    const candidate = await validate({ fc1: npy(dtype, [5, 3], codes) });
    expect([...candidate.values.keys()]).toEqual(['fc1']);
    expect(candidate).toMatchObject({ path: 'mine.npz', samples: 5, batchSizes: [5], warnings: [] });
    expect([...(await candidate.values.get('fc1')!.read(0, 5))]).toEqual(codes);
  },
);

test('values that do not fit the declared dtype are values still', async () => {
  const candidate = await validate({
    fc1: npy(
      'int32',
      [5, 3],
      codes.map((code) => code - 300),
    ),
  });
  expect((await candidate.values.get('fc1')!.read(0, 1))[0]).toBe(-300);
});

test.each(['float16', 'float32', 'float64'] as const)('%s for a float value', async (dtype) => {
  const float = (model: Json) => (model.layers[2].output = { dtype: 'float32' });
  const captured = { fc2: npy('float32', [5, 2], counting(10)) };
  const candidate = await validate({ fc2: npy(dtype, [5, 2], new Uint8Array(10)) }, {}, float, captured);
  expect(await candidate.values.get('fc2')!.read(0, 5)).toEqual(new Float32Array(10));
});

test('a folder of npy files does too', async () => {
  const model = await validateModel(smallModel(), 'm.json', 'none');
  const files = memoryFiles({ 'c.npz': smallCapture(), 'mine/fc2.npy': npy('int32', [5, 2], counting(10)) });
  const capture = await validateCapture(model, await openNpz(files, 'c.npz'));
  const candidate = await validateCandidate(model, capture, await openNpyFolder(files, 'mine'));
  expect([...candidate.values.keys()]).toEqual(['fc2']);
});

const messages = ({ warnings }: Capture) => warnings.map(({ message }) => message);

test('codes of the other sign that the model has not are said to be shifted, as they may be', async () => {
  const negative = npy(
    'int8',
    [5, 3],
    counting(15).map((code) => code - 128),
  );
  expect(messages(await validate({ fc1: negative }))).toEqual([
    "1 array of int8 with codes below 0, where the model's are uint8: if they are its codes less 128, add 128 (as int16); if they are its bytes, take .view(np.uint8)",
  ]);
});

test('no codes at all have no sign, whatever they are stored as', async () => {
  expect(await problemsOf(validate({ fc1: npy('int8', [0, 3], []) }))).toEqual([
    'mine.npz fc1: expected at least one sample and one channel, got shape (0, 3)',
  ]);
});

test('a misspelt name: the option that maps it', async () => {
  const candidate = await validate({ fc1: npy('uint8', [5, 3], codes), FC2: npy('uint8', [5, 2], counting(10)) });
  expect(messages(candidate)).toEqual(['1 array of no value of the model ignored: FC2; did you mean --map FC2=fc2?']);
});

test('files at the place of each other, or twice the same', async () => {
  const model = await validateModel(smallModel(), 'm.json', 'none');
  const files = memoryFiles({ 'c.npz': smallCapture() });
  const capture = await openNpz(files, 'c.npz');
  const own = await validateCapture(model, capture);
  expect(messages(await validateCandidate(model, own, { ...capture, path: './c.npz' }))).toEqual([
    'it is the capture itself: no result of yours was compared',
  ]);
  const values = { ...own, path: 'mine.npz', values: new Map([...own.values].filter(([key]) => key === 'fc1')) };
  expect(messages(await validateCandidate(model, values, capture))).toEqual([
    'it holds what the model reads (quant), and the capture does not: are capture and candidate exchanged?',
  ]);
});

describe('names', () => {
  const mine = {
    L1: npy('int32', [5, 3], codes),
    'L1.accumulator': npy('int64', [5, 3], codes),
    extra: npy('int8', [1], [0]),
  };

  test('are mapped, with what belongs to the layer', async () => {
    const candidate = await validate({ ...mine, fc2: npy('int8', [5, 2], counting(10)) }, { L1: 'fc1' });
    expect([...candidate.values.keys()]).toEqual(['fc1', 'fc2', 'fc1.accumulator']);
    expect(candidate.warnings.map(({ message }) => message)).toEqual([
      '1 array of no value of the model ignored: extra',
    ]);
  });

  test.each<[string, Arrays, Record<string, string>, string[]]>([
    [
      'no array of that name',
      mine,
      { L2: 'fc1' },
      ['mine.npz: expected an array L2, got L1, L1.accumulator, extra (--map L2=fc1)'],
    ],
    [
      'no layer of that name',
      mine,
      { L1: 'fc9' },
      [
        expect.stringMatching(
          /^mine\.npz: expected a value of the model \(quant, fc1, relu1, fc2, .*\), got fc9 \(--map L1=fc9\)$/,
        ) as unknown as string,
      ],
    ],
    [
      'two for one layer',
      { a: mine.L1, b: mine.L1 },
      { a: 'fc1', b: 'fc1' },
      ['mine.npz b: expected one array for fc1, got two (--map b=fc1)'],
    ],
    [
      'mapped and by its own name',
      { ...mine, fc1: mine.L1 },
      { L1: 'fc1' },
      ['mine.npz fc1: expected one array for fc1, got this and a mapped one; rename one, or leave --map out'],
    ],
    [
      'nothing known',
      { L1: mine.L1 },
      {},
      ['mine.npz: expected a captured layer (fc1, relu1, fc2), got L1; rename the arrays, or say --map MINE=LAYER'],
    ],
    [
      'only an input',
      { quant: npy('uint8', [5, 4], counting(20)) },
      {},
      ['mine.npz: expected a captured layer (fc1, relu1, fc2), got quant; rename the arrays, or say --map MINE=LAYER'],
    ],
  ])('%s', async (_, arrays, names, problems) => {
    expect(await problemsOf(validate(arrays, names))).toEqual(problems);
  });
});

test.each(['float32', 'float64'] as const)('%s on the grid of the scale are read as codes', async (dtype) => {
  const output = { dtype: 'uint8', scale: 0.25, zero_point: 3 };
  const change = (model: Json) => {
    for (const name of ['fc1', 'relu1']) model.layers.find((layer: Json) => layer.name === name).output = output;
  };
  const reals = codes.map((code) => (code - 3) * 0.25 * 1.0005);
  const candidate = await validate({ fc1: npy(dtype, [5, 3], reals) }, {}, change);
  expect([...(await candidate.values.get('fc1')!.read(0, 5))]).toEqual(codes);
  expect(candidate.warnings).toEqual([
    {
      code: 'floats-as-codes',
      where: 'mine.npz fc1',
      message: `stored as ${dtype}, read as codes: round(v / 0.25) + 3`,
    },
  ]);
  // 3 + 253 * 4 steps are no code of uint8
  const beyond = validate({ fc1: npy(dtype, [5, 3], [253, ...reals.slice(1)]) }, {}, change);
  expect(await problemsOf(beyond)).toEqual([
    expect.stringContaining('253 looks like a code: as a real value it is 1012 steps of its scale'),
  ]);
});

test.each<[string, Arrays, string[]]>([
  [
    'floats for codes',
    { fc1: npy('float64', [5, 3], [0.1, ...codes.slice(1)]) },
    [
      'mine.npz fc1: expected integers, got float64; save .astype(np.int32) of the codes; 0.1 is 0.4 steps of its scale',
    ],
  ],
  [
    'bool',
    { fc1: npy('bool', [5, 3], new Uint8Array(15)) },
    ['mine.npz fc1: expected integers, got bool; save .astype(np.int32) of the codes'],
  ],
  [
    'samples',
    { fc1: npy('uint8', [4, 3], counting(12)) },
    [
      'mine.npz fc1: expected 5 samples (as the capture has), got 4 (shape (4, 3)); if they are the first, add --samples 4; others, --samples A:B',
    ],
  ],
  [
    'channels',
    { fc1: npy('uint8', [5, 2], counting(10)) },
    ['mine.npz fc1: expected 3 channels (out_features of fc1), got 2 (shape (5, 2))'],
  ],
])('%s are refused', async (_, arrays, problems) => {
  expect(await problemsOf(validate(arrays))).toEqual(problems);
});

test('channels of a layer that is not replayed are as captured', async () => {
  const conv = (model: Json) => model.layers.push({ name: 'conv', op: 'conv', input: 'quant' });
  const captured = { conv: npy('uint8', [5, 2, 3], counting(30)) };
  const candidate = await validate({ conv: npy('int32', [5, 6], counting(30)) }, {}, conv, captured);
  expect(candidate.values.get('conv')).toMatchObject({ samples: 5, features: 6 });
  expect(await problemsOf(validate({ conv: npy('int32', [5, 7], counting(35)) }, {}, conv, captured))).toEqual([
    'mine.npz conv: expected 6 channels (as captured), got 7 (shape (5, 7))',
  ]);
});

test('floats that are stored as float16 are compared, and said to be so', async () => {
  const inFloats = (model: Json) => {
    model.layers = [
      { name: 'quant', op: 'quantize', input: 'x', output: { dtype: 'uint8', scale: 0.5, zero_point: 0 } },
      { name: 'fc1', op: 'dequantize', input: 'quant', output: { dtype: 'float32' } },
    ];
    model.inputs = [{ name: 'x', dtype: 'float32' }];
  };
  const captured = { quant: npy('uint8', [5, 3], codes), fc1: npy('float32', [5, 3], codes), relu1: null, fc2: null };
  const { values, warnings } = await validate(
    { fc1: npy('float16', [5, 3], new Array(15).fill(0x3c00)) },
    {},
    inFloats,
    captured,
  );
  expect([...(await values.get('fc1')!.read(0, 5))]).toEqual(new Array(15).fill(1));
  const message =
    'stored as float16, whose 11 bits differ from float32 by themselves: fc1; where you compute in float32, save that';
  expect(warnings).toContainEqual(expect.objectContaining({ code: 'float16', message }));
});
