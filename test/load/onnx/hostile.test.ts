/** Files that are damaged, or made to harm: one clear line each, and little time and memory. */
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { openModel } from '../../../src/frontends/open.js';
import { InputError } from '../../../src/nouns/problem.js';
import { memoryFiles } from '../../support/memoryFiles.js';
import {
  bytes,
  external,
  gemmModel,
  int,
  join,
  model,
  node,
  scaled,
  tag,
  tensor,
  valueInfo,
  varint,
} from '../../support/onnx.js';
import { problemsOf } from '../../support/problems.js';

const open = (data: Uint8Array, files: Readonly<Record<string, Uint8Array | string>> = {}, links = {}) =>
  openModel(memoryFiles({ 'm.onnx': data, ...files }, links), 'm.onnx');

const relu = (input: string, output: string, name = '') => node('Relu', [input], [output], {}, name);
const inputX = [valueInfo('x')];
const outputY = [valueInfo('y')];
const times = (count: number, part: Uint8Array) => Uint8Array.from(Buffer.alloc(count * part.length, part));

/** A graph that is right but for its initializers, which nothing reads. */
const holding = (...initializers: Uint8Array[]) =>
  model({ inputs: inputX, outputs: outputY, nodes: [relu('x', 'y')], initializers });

/** A byte of value 1 is a dimension 1: as many as bytes. */
const manyDims = bytes(7, bytes(5, join(bytes(1, new Uint8Array(6 << 20).fill(1)), int(2, 3), bytes(8, 'w'))));

const HOSTILE: readonly (readonly [what: string, data: Uint8Array, lines: readonly (string | RegExp)[]])[] = [
  ['an empty file', new Uint8Array(0), [/^m\.onnx: expected an ONNX model, got one without a graph/]],
  [
    'a graph that is cut off',
    gemmModel().subarray(0, 300),
    [/^m\.onnx at byte \d+: expected at most \d+ bytes in field 7, got a length of \d+; the file is damaged/],
  ],
  [
    'a length beyond the file',
    join(int(1, 8), tag(7, 2), varint(2 ** 40)),
    [/^m\.onnx at byte 2: expected at most 0 bytes in field 7, got a length of 1099511627776/],
  ],
  [
    'a number of more than ten bytes',
    join(int(1, 8), tag(1, 0), new Uint8Array(11).fill(0xff)),
    [/^m\.onnx at byte 3: expected a number, got more than 10 bytes/],
  ],
  [
    'a number that is cut off',
    join(int(1, 8), tag(1, 0), Uint8Array.of(0x80)),
    [/^m\.onnx at byte 3: expected a number, got the end of what holds it/],
  ],
  [
    'a group (wire type 3)',
    join(int(1, 8), tag(7, 3)),
    [/^m\.onnx at byte 2: expected a field, got number 7 of wire type 3/],
  ],
  [
    'field number 0',
    join(int(1, 8), tag(0, 0), varint(1)),
    [/^m\.onnx at byte 2: expected a field, got number 0 of wire type 0/],
  ],
  [
    'a graph that is a number',
    join(int(1, 8), int(7, 1)),
    [/^m\.onnx at byte 3: expected field 7 as bytes with a length, got a varint/],
  ],
  [
    'a node name that is a number',
    join(int(1, 8), bytes(7, bytes(1, int(3, 1)))),
    [/expected field 3 as bytes with a length, got a varint/],
  ],
  [
    'a name that is not UTF-8',
    join(int(1, 8), bytes(7, bytes(1, bytes(2, Uint8Array.of(0xff, 0xfe))))),
    [/expected text in UTF-8, got other bytes/],
  ],
  [
    'six million dimensions',
    join(int(1, 8), manyDims),
    [/expected at most 16 dimensions, got more \(6291456 bytes of them\)/],
  ],
  [
    'many dimensions, one by one',
    join(int(1, 8), bytes(7, bytes(5, times(17, int(1, 1))))),
    [/expected at most 16 dimensions, got more/],
  ],
  [
    'a million nodes and one',
    join(int(1, 8), bytes(7, times(1_000_001, bytes(1, '')))),
    [/expected at most 1000000 nodes, got more/],
  ],
  [
    'numbers of an attribute, one by one',
    join(int(1, 8), bytes(7, bytes(1, bytes(5, times(70_000, int(8, 1)))))),
    [/expected at most 65536 numbers in an attribute, got more/],
  ],
  [
    'numbers of a tensor, one by one',
    join(int(1, 8), bytes(7, bytes(5, times(5000, int(5, 1))))),
    [/expected packed numbers, got single ones/],
  ],
  ['no graph', join(int(1, 8), bytes(2, 'x')), [/^m\.onnx: expected an ONNX model, got one without a graph/]],
  [
    'a graph without nodes',
    model({ inputs: inputX, outputs: [valueInfo('x')] }),
    ['m.onnx: expected a graph with nodes that compute something, got none'],
  ],
  [
    'an opset of the future',
    gemmModel({ opsets: { '': 999 } }),
    [
      'm.onnx: expected an opset of ONNX from 1 to 28, got 999; convert it with onnx.version_converter, or use the qdiff that knows it',
    ],
  ],
  ['a negative opset', gemmModel({ opsets: { '': -1 } }), [/expected an opset of ONNX from 1 to 28, got -1/]],
  ['no opset', gemmModel({ opsets: {} }), [/expected an opset of ONNX from 1 to 28, got none/]],
  [
    'a cycle',
    model({
      inputs: inputX,
      outputs: outputY,
      nodes: [node('Add', ['x', 'b'], ['a'], {}, 'one'), relu('a', 'b', 'two'), relu('a', 'y')],
    }),
    [
      'm.onnx node one: expected a tensor computed before, got b, which node two computes later, or from what this node computes (a cycle)',
    ],
  ],
  [
    'a node that reads itself',
    model({ inputs: inputX, outputs: outputY, nodes: [node('Add', ['x', 'y'], ['y'], {}, 'one')] }),
    [/^m\.onnx node one: expected a tensor computed before, got y, which node one computes later/],
  ],
  [
    'two producers',
    model({ inputs: inputX, outputs: outputY, nodes: [relu('x', 'y', 'one'), relu('x', 'y', 'two')] }),
    ['m.onnx node two: expected a tensor of its own, got y, which node one gives too'],
  ],
  [
    'a node that writes an input',
    model({ inputs: inputX, outputs: [valueInfo('x')], nodes: [relu('x', 'x', 'one')] }),
    ['m.onnx node one: expected a tensor of its own, got x, which an input or initializer gives too'],
  ],
  [
    'a missing producer',
    model({ inputs: inputX, outputs: outputY, nodes: [node('Add', ['x', 'z'], ['y'], {}, 'one')] }),
    ['m.onnx node one: expected a tensor computed before, got z, which nothing computes'],
  ],
  [
    'a missing output',
    model({ inputs: inputX, outputs: outputY, nodes: [relu('x', 'z', 'one')] }),
    ['m.onnx graph output: expected a tensor, got y, which no node computes'],
  ],
  [
    'names with escapes',
    model({ inputs: inputX, outputs: outputY, nodes: [node('Add', ['x', '\u001b[31mz'], ['y'], {}, 'a\u202eb')] }),
    ['m.onnx node a\\u202eb: expected a tensor computed before, got \\x1b[31mz, which nothing computes'],
  ],
  [
    'too few bytes for a shape',
    holding(tensor('w', [3, 3], new Int8Array(6))),
    [/^m\.onnx tensor w: expected 9 bytes \(int8 of shape \(3, 3\)\), got 6; the file is damaged/],
  ],
  [
    'a shape of 2^80',
    holding(tensor('w', [2 ** 40, 2 ** 40], new Int8Array(6))),
    [/^m\.onnx tensor w: expected a shape that a file can hold, got \(1099511627776, 1099511627776\)/],
  ],
  [
    'a negative dimension',
    holding(tensor('w', [-1, 6], new Int8Array(6))),
    [/^m\.onnx tensor w: expected a shape that a file can hold, got \(-1, 6\)/],
  ],
  [
    'two initializers of one name',
    holding(...scaled('x', 1, 0), ...scaled('x', 1, 0)),
    [
      'm.onnx initializer x_scale: expected one of this name, got two',
      'm.onnx initializer x_zero_point: expected one of this name, got two',
    ],
  ],
  [
    'typed data that is too short',
    holding(join(bytes(1, varint(100)), int(2, 6), bytes(8, 'w'), bytes(5, varint(1)))),
    [/^m\.onnx tensor w: expected 400 bytes \(int32 of shape \(100,\)\), got 1 \(in numbers of 1 to 10 bytes\)/],
  ],
  [
    'a scale of 0',
    gemmModel({
      initializers: [
        ...scaled('x', 0, 3),
        ...scaled('y', 0.25, 0),
        tensor('w', [2, 3], new Int8Array(6)),
        tensor('w_scale', [2], new Float32Array(2).fill(1)),
        tensor('w_zero_point', [2], new Int8Array(2)),
      ],
    }),
    [/scale: expected a positive number that float32 holds/],
  ],
];

describe('a file that is damaged or made to harm', () => {
  test.each(HOSTILE)('%s', async (_, data, lines) => {
    const problems = await problemsOf(open(data));
    expect(problems.length).toBe(lines.length);
    for (const [i, line] of lines.entries()) {
      if (typeof line === 'string') expect(problems[i]).toBe(line);
      else expect(problems[i]).toMatch(line);
    }
  });

  it('graphs within graphs are skipped, however deep', async () => {
    let inner = bytes(7, bytes(1, ''));
    for (let depth = 0; depth < 2000; depth++) inner = bytes(1, bytes(5, bytes(6, inner)));
    const deep = join(bytes(4, 'If'), bytes(1, 'x'), bytes(2, 'y'), bytes(5, join(bytes(1, 'then'), bytes(6, inner))));
    const opened = await open(model({ inputs: inputX, outputs: outputY, nodes: [deep] }));
    expect(opened.layers[0].notReplayed).toBe('If holds a graph of its own, which is not entered');
    await opened.close();
  });

  it('__proto__ is a name like any other', async () => {
    const nodes = [relu('__proto__', 'constructor'), relu('constructor', 'y')];
    const opened = await open(model({ inputs: [valueInfo('__proto__')], outputs: outputY, nodes }));
    expect(opened.layers.map(({ name, inputs }) => [name, ...inputs])).toEqual([
      ['constructor', '__proto__'],
      ['y', 'constructor'],
    ]);
    await opened.close();
  });

  it('a graph that comes in two pieces is merged', async () => {
    const first = model({ inputs: inputX, nodes: [relu('x', 'y')] });
    const second = bytes(7, bytes(12, valueInfo('y')));
    const opened = await open(join(first, second));
    expect(opened.layers.map(({ name }) => name)).toEqual(['y']);
    await opened.close();
  });

  it('any byte may be wrong, and any end missing: a model or an InputError, nothing else', async () => {
    const good = gemmModel();
    const change = fc.tuple(fc.nat(good.length - 1), fc.nat(255), fc.nat(good.length));
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
        const bad = Uint8Array.from(good);
        for (const [at, value] of changes) bad[at] = value;
        const [[, , end]] = changes;
        const data = end % 3 === 0 ? bad.subarray(0, end) : bad;
        const outcome = await open(data).catch((error) => error);
        if (outcome instanceof Error) {
          if (!(outcome instanceof InputError)) throw outcome;
        } else await outcome.close();
      }),
      { seed: 20261126, numRuns: 1500 },
    );
  });
});

describe('numbers in a file beside the model', () => {
  const weights = Int8Array.of(1, -2, 3, -4, 5, -6);
  const withData = (entries: Record<string, string>, dims: readonly number[] = [2, 3]) =>
    gemmModel({
      initializers: [
        ...scaled('x', 0.5, 3),
        ...scaled('y', 0.25, 0),
        external('w', dims, entries),
        tensor('w_scale', [2], Float32Array.of(0.125, 0.0625)),
        tensor('w_zero_point', [2], new Int8Array(2)),
      ],
    });
  const data = { 'm.data': Uint8Array.from([9, 9, ...new Uint8Array(weights.buffer)]) };
  const read = async (entries: Record<string, string>, files: Record<string, Uint8Array> = data, links = {}) => {
    const opened = await openModel(memoryFiles({ 'm.onnx': withData(entries), ...files }, links), 'm.onnx');
    const layer = opened.layers.find(({ op }) => op === 'linear')!;
    if (layer.form?.kind !== 'product') throw new Error('expected a product');
    return layer.form.weight.read();
  };

  it('are read at their offset, when the layer asks', async () => {
    expect(await read({ location: 'm.data', offset: '2', length: '6' })).toEqual(weights);
    expect(await read({ location: './m.data', offset: '2' })).toEqual(weights);
  });

  test.each([
    ['', /expected the name of a file in the model's folder, got nothing/],
    ['/etc/passwd', /expected the name of a file in the model's folder, got \/etc\/passwd/],
    ['../m.data', /in the model's folder, got \.\.\/m\.data/],
    ['a/../../m.data', /in the model's folder, got a\/\.\.\/\.\.\/m\.data/],
    ['a\\m.data', /in the model's folder, got a\\m\.data/],
    ['C:m.data', /in the model's folder, got C:m\.data/],
    ['a\0b', /in the model's folder, got a\\x00b/],
    ['.', /in the model's folder, got \./],
  ])('location %j is refused when the model is opened', async (location, line) => {
    expect(await problemsOf(open(withData({ location }), data))).toEqual([expect.stringMatching(line)]);
  });

  test.each([
    [{ offset: '-1' }, /expected a whole number of bytes as offset, got -1/],
    [{ offset: '1e3' }, /expected a whole number of bytes as offset, got 1e3/],
    [{ length: '7' }, /expected 6 bytes by its shape, got a length of 7/],
    [{ offset: '99999999999999999999' }, /expected a whole number of bytes as offset/],
  ])('%j is refused', async (entries, line) => {
    expect(await problemsOf(open(withData({ location: 'm.data', ...entries }), data))).toEqual([
      expect.stringMatching(line),
    ]);
  });

  it('a file that is missing, too short, a folder, or a link out of the folder is refused, a missing one when its layer is read', async () => {
    const at = { location: 'm.data', offset: '2' };
    expect(await problemsOf(read(at, {}))).toEqual([
      'm.onnx tensor w: its numbers are in m.data: expected a file, found nothing; check the path',
    ]);
    expect(await problemsOf(read(at, { 'm.data': new Uint8Array(7) }))).toEqual([
      'm.onnx tensor w: expected 8 bytes in m.data (6 at offset 2), got 7; the file was cut off: copy it again',
    ]);
    expect(await problemsOf(read(at, { 'm.data/inner': new Uint8Array(8) }))).toEqual([
      'm.onnx tensor w: expected a file, got m.data, which is none',
    ]);
    const outside = { 'd/m.onnx': withData(at), 'e/secret': new Uint8Array(8) };
    const opened = openModel(memoryFiles(outside, { '/d/m.data': '/e/secret' }), 'd/m.onnx');
    expect(await problemsOf(opened)).toEqual([
      "d/m.onnx tensor w: expected a file in the model's folder, got d/m.data, a link that leaves it",
    ]);
  });
});
