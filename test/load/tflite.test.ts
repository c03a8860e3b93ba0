/** Reading .tflite: a small model whole, and every way to break it. */
import { expect, test } from 'vitest';
import { openTflite } from '../../src/load/tflite/read.js';
import type { RandomAccessFile } from '../../src/nouns/file.js';
import { type Fields, flatbuffer, type Written } from '../support/flatbuffer.js';
import { memoryFiles } from '../support/memoryFiles.js';
import { problemsOf } from '../support/problems.js';
import { type GraphSpec, oneLinear, type TensorSpec, tflite } from '../support/tflite.js';

const open = (bytes: Uint8Array) => openTflite(memoryFiles({ 'm.tflite': bytes }), 'm.tflite');

test('one layer', async () => {
  const { bytes } = tflite(oneLinear());
  const { subgraphs } = await open(bytes);
  const [{ tensors, operators, inputs, outputs }] = subgraphs;
  expect(inputs).toEqual([0]);
  expect(outputs).toEqual([3]);
  expect(tensors.map(({ name, shape, type }) => [name, shape, type.name])).toEqual([
    ['x', [1, 4], 'int8'],
    ['w', [3, 4], 'int8'],
    ['b', [3], 'int32'],
    ['y', [1, 3], 'int8'],
  ]);
  expect(tensors[0].quantization?.single).toEqual({ scale: 0.5, zeroPoint: -3 });
  expect(tensors[1].quantization).toMatchObject({ single: null, axis: 0, scale: { count: 3 } });
  expect(tensors.map(({ data }) => data?.length ?? null)).toEqual([null, 12, 12, null]);
  expect(operators).toMatchObject([{ name: 'FULLY_CONNECTED', inputs: [0, 1, 2], outputs: [3] }]);
});

test('options left out are zeros, but for those with another default where the table is there', async () => {
  const add = (options?: Fields): GraphSpec => ({
    tensors: [
      { name: 'a', shape: [1, 2] },
      { name: 'y', shape: [1, 2] },
    ],
    inputs: [0],
    outputs: [1],
    operators: [{ code: 'ADD', inputs: [0, 0], outputs: [1], options }],
  });
  const optionsOf = async (graph: GraphSpec) => (await open(tflite(graph).bytes)).subgraphs[0].operators[0].options;
  expect([...(await optionsOf(add()))]).toEqual([
    ['activation', 0],
    ['pot_scale_int16', 0],
  ]);
  expect([...(await optionsOf(add([{ i8: 3 }])))]).toEqual([
    ['activation', 3],
    ['pot_scale_int16', 1],
  ]);
});

// ---------------------------------------------------------------- damaged files

const u32 = (file: Written, at: number, value: number) => file.bytes.writeUInt32LE(value, at);
const u16 = (file: Written, at: number, value: number) => file.bytes.writeUInt16LE(value, at);
/** Where the vtable of a table lies. */
const vtable = (file: Written, path: string) => file.at(path) - file.bytes.readInt32LE(file.at(path));
const TENSOR = '2[0].0';
const NODE = '2[0].3[0]';

test.each<[string, (file: Written) => void, RegExp]>([
  ['a root beyond the file', (f) => u32(f, 0, 1 << 20), /expected a table inside the \d+ bytes/],
  ['a root of 4 GB', (f) => u32(f, 0, 2 ** 32 - 4), /expected a table inside/],
  ['a root at an odd byte', (f) => u32(f, 0, f.bytes.readUInt32LE(0) + 1), /multiple of 4, got byte/],
  ['a root that points at itself', (f) => u32(f, 0, 0), /byte 0/],
  ['a vtable beyond the file', (f) => f.bytes.writeInt32LE(-(1 << 20), f.at('')), /expected a vtable inside/],
  ['a vtable before the file', (f) => f.bytes.writeInt32LE(1 << 20, f.at('')), /expected a vtable inside/],
  ['a vtable of 3 bytes', (f) => u16(f, vtable(f, ''), 3), /expected sizes of at least 4/],
  ['a vtable of 5 bytes', (f) => u16(f, vtable(f, ''), 5), /expected sizes of at least 4/],
  ['a vtable of 64 kB', (f) => u16(f, vtable(f, ''), 0xfffe), /expected a vtable inside/],
  ['a table of 64 kB', (f) => u16(f, vtable(f, '') + 2, 0xffff), /expected a table inside/],
  ['a table of 3 bytes', (f) => u16(f, vtable(f, '') + 2, 3), /expected sizes of at least 4/],
  ['a field before its table', (f) => u16(f, vtable(f, '') + 4, 2), /version: expected a field inside/],
  ['a field behind its table', (f) => u16(f, vtable(f, '') + 4, 60), /version: expected a field inside/],
  ['a field at an odd byte', (f) => u16(f, vtable(f, '') + 4, 5), /version: expected a field at a multiple of 4/],
  ['another version', (f) => u32(f, f.at('0'), 2), /version: expected 3, got 2/],
  ['subgraphs beyond the file', (f) => u32(f, f.slot('2'), 1 << 30), /subgraphs: expected a vector inside/],
  ['2^31 subgraphs', (f) => u32(f, f.at('2'), 2 ** 31), /subgraphs: expected at most \d+ bytes .* got 2147483648 of 4/],
  ['2^32 - 1 tensors', (f) => u32(f, f.at(TENSOR), 2 ** 32 - 1), /tensors: expected at most \d+ bytes/],
  ['a tensor beyond the file', (f) => u32(f, f.slot(`${TENSOR}[1]`), 1 << 24), /tensors\[1\]: expected a table inside/],
  ['no subgraph', (f) => u32(f, f.at('2'), 0), /subgraphs: expected at least one subgraph, got none/],
  [
    'a name longer than the file',
    (f) => u32(f, f.at(`${TENSOR}[0].3`), 1 << 20),
    /tensors\[0\].name: expected at most/,
  ],
  ['an unknown type', (f) => f.bytes.writeInt8(99, f.at(`${TENSOR}[0].1`)), /type: expected a type .* got 99/],
  ['a type below 0', (f) => f.bytes.writeInt8(-1, f.at(`${TENSOR}[0].1`)), /type: expected a type .* got -1/],
  ['buffer 99', (f) => u32(f, f.at(`${TENSOR}[1].2`), 99), /tensors\[1\].buffer: expected one of 3 buffers, got 99/],
  ['a dimension below 0', (f) => f.bytes.writeInt32LE(-4, f.at(`${TENSOR}[1].0`) + 4), /shape: expected .* got -4/],
  [
    'a huge shape',
    (f) => f.bytes.fill(0x7f, f.at(`${TENSOR}[1].0`) + 4, f.at(`${TENSOR}[1].0`) + 12),
    /shape: expected at most 2\^45/,
  ],
  ['a buffer that is too short', (f) => u32(f, f.at('4[1].0'), 11), /expected 12 bytes \(int8 \[3, 4\]\), got 11/],
  ['a buffer beyond the file', (f) => u32(f, f.at('4[1].0'), 1 << 28), /buffers\[1\].data: expected at most/],
  [
    'tensor 99 as an input',
    (f) => u32(f, f.at(`${NODE}.1`) + 4, 99),
    /operators\[0\].inputs: expected tensors -1..3, got 99/,
  ],
  [
    'tensor -2 as an input',
    (f) => f.bytes.writeInt32LE(-2, f.at(`${NODE}.1`) + 4),
    /inputs: expected tensors -1..3, got -2/,
  ],
  [
    'tensor -1 as an output',
    (f) => f.bytes.writeInt32LE(-1, f.at(`${NODE}.2`) + 4),
    /outputs: expected tensors 0..3, got -1/,
  ],
  [
    'a constant as an output',
    (f) => u32(f, f.at(`${NODE}.2`) + 4, 1),
    /outputs: expected tensors that nothing else computes, got 1/,
  ],
  [
    'the input as an output',
    (f) => u32(f, f.at(`${NODE}.2`) + 4, 0),
    /outputs: expected tensors that nothing else computes, got 0/,
  ],
  [
    'a value read before it is computed',
    (f) => u32(f, f.at(`${NODE}.1`) + 4, 3),
    /inputs: expected tensors that are computed before, got 3/,
  ],
  [
    'a graph without its input',
    (f) => u32(f, f.at('2[0].1'), 0),
    /inputs: expected tensors that are computed before, got 0/,
  ],
  [
    'operator code 7 of 1',
    (f) => u32(f, f.at(`${NODE}.0`), 7),
    /opcode_index: expected one of 1 operator codes, got 7/,
  ],
  [
    'options of another operator',
    (f) => f.bytes.writeUInt8(5, f.at(`${NODE}.3`)),
    /expected options of type 8 \(FULLY_CONNECTED\), got 5/,
  ],
  [
    'a code below 0',
    (f) => {
      f.bytes.writeInt8(-5, f.at('1[0].0'));
      f.bytes.writeInt32LE(-5, f.at('1[0].3'));
    },
    /builtin_code: expected 0\.\.209, got -5/,
  ],
  [
    'a code that the schema has not',
    (f) => f.bytes.writeInt32LE(4000, f.at('1[0].3')),
    /builtin_code: expected 0\.\.209, got 4000; no operator of the schema, or one of a newer one/,
  ],
])('%s is refused', async (_, damage, problem) => {
  const file = tflite(oneLinear());
  damage(file);
  const problems = await problemsOf(open(file.bytes));
  expect(problems).toEqual([expect.stringMatching(problem)]);
  expect(problems[0]).toMatch(/^m\.tflite/);
});

test.each<[string, Parameters<typeof oneLinear>[0], RegExp]>([
  ['two scales of three', { w: { scale: [1, 2] } }, /tensors\[1\].quantization.scale: expected 1 or 3 .*, got 2/],
  ['a dimension that is not there', { w: { axis: 7 } }, /quantized_dimension: expected a dimension of \[3, 4\], got 7/],
  ['scales without zero points', { w: { zeroPoint: null } }, /zero_point: expected as many as scales, 3, got none/],
  ['fewer zero points than scales', { w: { zeroPoint: [0] } }, /zero_point: expected as many as scales, 3, got 1/],
  ['a scale of 0', { x: { scale: [0] } }, /tensors\[0\].quantization.scale: expected a positive number, got 0/],
  ['a scale below 0', { x: { scale: [-1] } }, /expected a positive number, got -1/],
  ['a scale that is no number', { y: { scale: [Number.NaN] } }, /expected a positive number, got NaN/],
  ['an infinite scale', { y: { scale: [Number.POSITIVE_INFINITY] } }, /expected a positive number, got Infinity/],
  ['a zero point of 1000', { x: { zeroPoint: [1000] } }, /zero_point: expected -128..127 \(int8\), got 1000/],
  ['a zero point of 2^40', { x: { zeroPoint: [2n ** 40n] } }, /expected -128..127 \(int8\), got 1099511627776/],
  ['a zero point of int16', { x: { type: 'int16', zeroPoint: [1] } }, /expected 0 \(int16\), got 1/],
  ['nine dimensions', { x: { shape: [1, 1, 1, 1, 1, 1, 1, 1, 4] } }, /shape: expected at most 8, got 9/],
])('%s: refused', async (_, change, problem) => {
  expect(await problemsOf(open(tflite(oneLinear(change)).bytes))).toEqual([expect.stringMatching(problem)]);
});

/** TensorFlow's converter writes it of a comparison with 0. */
test('a scale of 0 beside a constant number of int16 is none', async () => {
  const graph = oneLinear();
  const zero = { name: 'zero', type: 'int16', shape: [], scale: [0], zeroPoint: [0], data: Int16Array.of(0) } as const;
  const { subgraphs } = await open(tflite({ ...graph, tensors: [...graph.tensors, zero] }).bytes);
  expect(subgraphs[0].tensors[4]).toMatchObject({ name: 'zero', quantization: null });
});

test('an output that nothing computes is refused', async () => {
  const graph = oneLinear();
  const { bytes } = tflite({ ...graph, tensors: [...graph.tensors, { name: 'z' }], outputs: [4] });
  expect(await problemsOf(open(bytes))).toEqual([
    expect.stringMatching(/subgraphs\[0\].outputs: expected tensors that a node computes, got 4/),
  ]);
});

test.each([0, 1, 7, 8, 40, 0.5, 0.9])('a file cut at %s is refused', async (where) => {
  const { bytes } = tflite(oneLinear());
  const cut = bytes.subarray(0, where < 1 ? Math.floor(where * bytes.length) : where);
  expect(await problemsOf(open(cut))).toHaveLength(1);
});

// ---------------------------------------------------------------- buffers behind the FlatBuffer

function external(offset: number | bigint, size: number | bigint, own?: Uint8Array): Written {
  const buffer: Fields = [own && { bytes: own }, { u64: offset }, { u64: size }];
  const tensors = oneLinear().tensors.map(
    ({ data: _, name, shape, scale }, i) =>
      [
        { i32s: shape! },
        { i8: i === 2 ? 2 : 9 },
        { u32: i === 1 ? 1 : 0 },
        { text: name! },
        { table: [undefined, undefined, { f32s: scale!.slice(0, 1) }, { i64s: [0] }] },
      ] satisfies Fields,
  );
  const node: Fields = [{ u32: 0 }, { i32s: [0, 1, -1] }, { i32s: [3] }];
  const graph: Fields = [{ tables: tensors }, { i32s: [0] }, { i32s: [3] }, { tables: [node] }];
  return flatbuffer('TFL3', [
    { u32: 3 },
    { tables: [[{ i8: 9 }]] },
    { tables: [graph] },
    undefined,
    { tables: [[], buffer] },
  ]);
}

test('data behind the FlatBuffer are where offset and size say, beyond 2 GiB too', async () => {
  const start = 3 * 2 ** 30;
  const { bytes } = external(start, 12);
  const sparse: RandomAccessFile = {
    size: start + 12,
    read: async (target, position) => {
      const part = bytes.subarray(position, position + target.length);
      target.fill(0).set(part);
      return target.length;
    },
    close: async () => {},
  };
  const fs = { ...memoryFiles({}), open: async () => sparse };
  const { subgraphs } = await openTflite(fs, 'm.tflite');
  expect(subgraphs[0].tensors[1].data).toEqual({ offset: start, length: 12 });
});

test('data inside come first, as in LiteRT', async () => {
  const { bytes } = external(
    64,
    12,
    Uint8Array.from({ length: 12 }, (_, i) => 200 + i),
  );
  const { subgraphs } = await openTflite(memoryFiles({ 'm.tflite': bytes }), 'm.tflite');
  const { offset, length } = subgraphs[0].tensors[1].data!;
  expect([bytes[offset], length]).toEqual([200, 12]);
});

test.each<[number | bigint, number | bigint, RegExp]>([
  [1n << 63n, 12, /buffers\[1\].offset: expected at most 2\^53 - 1, got 9223372036854775808/],
  [1000, (1n << 64n) - 988n, /size: expected at most 2\^53 - 1, got 18446744073709550628/],
  [1 << 30, 12, /offset: expected data inside the \d+ bytes of the file, got byte 1073741824 and 12 bytes/],
  [64, 2 ** 40, /offset: expected data inside/],
])('data at %s of %s bytes are refused', async (offset, size, problem) => {
  expect(await problemsOf(open(external(offset, size).bytes))).toEqual([expect.stringMatching(problem)]);
});

// ---------------------------------------------------------------- work

/** Four thousand tensors that are one table with four thousand scales: 16 million numbers in 180 kB. */
test('many offsets to one table are refused before they are all decoded', async () => {
  const count = 4000;
  const scales: TensorSpec = {
    name: 'n'.repeat(count),
    scale: Array.from({ length: count }, () => 1),
    shape: [count],
  };
  const file = tflite({
    tensors: [scales, ...Array.from({ length: count }, () => ({}))],
    inputs: [0],
    outputs: [0],
    operators: [],
  });
  const vector = file.at(TENSOR);
  for (let i = 1; i <= count; i++) u32(file, vector + 4 + 4 * i, file.at(`${TENSOR}[0]`) - (vector + 4 + 4 * i));
  expect(await problemsOf(open(file.bytes))).toEqual([expect.stringMatching(/many offsets lead to the same tables/)]);
});

// ---------------------------------------------------------------- subgraphs that run each other

const caller = (code: 'CALL_ONCE' | 'WHILE', ...targets: number[]): GraphSpec => ({
  tensors: [{ name: 'x', shape: [1] }],
  inputs: [0],
  outputs: [0],
  operators: targets.map((target) => ({ code, inputs: [], outputs: [], options: [{ i32: target }, { i32: target }] })),
});

test.each<[string, GraphSpec[], RegExp]>([
  ['itself', [caller('CALL_ONCE', 0)], /subgraphs: expected subgraphs that end, got 0, which runs itself/],
  ['each other', [caller('WHILE', 1), caller('CALL_ONCE', 2), caller('CALL_ONCE', 1)], /subgraphs that end, got 1/],
  [
    'one that is not there',
    [caller('CALL_ONCE', 5)],
    /operators\[0\].init_subgraph: expected one of 1 subgraphs, got 5/,
  ],
  ['one below 0', [caller('WHILE', -1)], /cond_subgraph: expected one of 1 subgraphs, got -1/],
])('subgraphs that run %s are refused', async (_, graphs, problem) => {
  expect(await problemsOf(open(tflite(...graphs).bytes))).toEqual([expect.stringMatching(problem)]);
});

test('subgraphs that are run twice are none', async () => {
  const file = await open(tflite(caller('WHILE', 1, 2), caller('CALL_ONCE', 2), caller('CALL_ONCE')).bytes);
  expect(file.subgraphs).toHaveLength(3);
});
