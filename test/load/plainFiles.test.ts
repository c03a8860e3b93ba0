import { expect, test } from 'vitest';
import { openPlainFiles, type PlainOf, plainFilesIn } from '../../src/load/plainFiles.js';
import { memoryFiles } from '../support/memoryFiles.js';

const plainOf: PlainOf = (name) =>
  ({
    fc1: { dtype: 'int8', shape: [2, 2] },
    fc2: { dtype: 'uint8', shape: [2, 1] },
    'net%2Fvery~0123abcd': { dtype: 'int8', shape: [2, 1], name: 'net/very long' },
    'net.3': { dtype: 'float32', shape: [2, 1] },
    'fc1.accumulator': { dtype: 'int32', shape: [2, 2] },
  })[name] ?? null;

const float = Buffer.from(Float32Array.of(1.5, -2).buffer);

function open(files: Readonly<Record<string, Uint8Array | string>>) {
  const fs = memoryFiles(Object.fromEntries(Object.entries(files).map(([name, data]) => [`/out/${name}`, data])));
  return openPlainFiles(fs, '/out', plainFilesIn('/out', Object.keys(files)), plainOf);
}

test('files by the names of layers: dtype and shape are the layer’s', async () => {
  const { arrays, ignored } = await open({
    'fc1_output.memh': 'ff 80\n7f 00 // the last\n',
    'fc2.output.bin': Uint8Array.of(200, 3),
    'net.3_output.bin': float,
    'fc1_input.memh': '00',
    'run.log': 'not a value',
  });
  expect([...arrays.keys()]).toEqual(['fc1', 'fc2', 'net.3']);
  expect(ignored).toEqual(['fc1_input.memh']);
  expect([...(await arrays.get('fc1')!.read())]).toEqual([-1, -128, 127, 0]);
  expect([...(await arrays.get('fc2')!.read(1, 2))]).toEqual([3]);
  expect([...(await arrays.get('net.3')!.read())]).toEqual([1.5, -2]);
});

test('text: savetxt, a CSV, a printf; dequantized numbers stay floats', async () => {
  const { arrays } = await open({
    'fc1.csv': '\ufeff# two samples\r\n1, -128\r\n127;0\r\n',
    'fc2_output.txt': '[[ 2.0e+02 ]\n [3]]',
    'net.3.txt': '1.5 -inf',
    'notes.txt': 'no numbers, and of no layer',
  });
  expect([...(await arrays.get('fc1')!.read(1))]).toEqual([127, 0]);
  expect([...(await arrays.get('fc2')!.read())]).toEqual([200, 3]);
  expect([...(await arrays.get('net.3')!.read())]).toEqual([1.5, Number.NEGATIVE_INFINITY]);
  expect([...arrays.values()].map(({ dtype }) => dtype)).toEqual(['int32', 'int32', 'float32']);
});

test('what an editor or PowerShell puts before text: a mark is left out, UTF-16 is said', async () => {
  const marked = await open({ 'fc1.memh': '\ufeffff 80 7f 00' });
  expect([...(await marked.arrays.get('fc1')!.read())]).toEqual([-1, -128, 127, 0]);
  const utf16 = (text: string) => Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, 'utf16le')]);
  const words = await open({ 'fc1.memh': utf16('ff 80 7f 00') });
  await expect(words.arrays.get('fc1')!.read()).rejects.toThrow(
    'expected ASCII or UTF-8, got UTF-16; save it as ASCII',
  );
  await expect(open({ 'fc1.csv': utf16('1,2,3,4') })).rejects.toThrow('fc1.csv: expected ASCII or UTF-8, got UTF-16');
});

test('words too many are counted, decimal ones sent to their own ending', async () => {
  const read = async (text: string) => (await open({ 'fc1.memh': text })).arrays.get('fc1')!.read();
  await expect(read('1 2 3 4 5 6 7 8')).rejects.toThrow('expected 4 words (shape 2 x 2), got 8');
  await expect(read('@4 1')).rejects.toThrow('expected 4 words (shape 2 x 2), got one at address 4');
  await expect(read('100 128 3 4')).rejects.toThrow('of 8 bits, got 100; decimal numbers are read from LAYER.csv');
});

test('$readmemh by its other names', async () => {
  const { arrays } = await open({ 'fc1.hex': 'ff 80 7f 00', 'fc2.mem': 'c8 03' });
  expect([...(await arrays.get('fc1')!.read())]).toEqual([-1, -128, 127, 0]);
  expect([...(await arrays.get('fc2')!.read())]).toEqual([200, 3]);
});

test.each([
  ['of 16 bits, as $writememh pads them', '0001 ffcd 7fff 8000', [1, -51, 32767, -32768]],
  ['of 32 bits', '00000001 ffffffcd 00007fff ffff8000', [1, -51, 32767, -32768]],
  ['as %h writes them, unpadded', '1 9 ffffffcd 8000', [1, 9, -51, 32768]],
  ['all as long, and unpadded', '9abc ffcd 8000 1000', [0x9abc, 0xffcd, 0x8000, 0x1000]],
])('sums %s', async (_, words, sums) => {
  const { arrays } = await open({ 'fc1.accumulator.memh': words });
  expect([...(await arrays.get('fc1.accumulator')!.read())]).toEqual(sums);
});

test('words of the first samples alone are those; of a part of a sample none', async () => {
  const { arrays } = await open({ 'fc1.memh': '01 02' });
  expect([...(await arrays.get('fc1')!.read(0, 1))]).toEqual([1, 2]);
  await expect(arrays.get('fc1')!.read(0, 2)).rejects.toThrow('add --samples 1');
  await expect((await open({ 'fc1.memh': '01' })).arrays.get('fc1')!.read(0, 1)).rejects.toThrow('got none for word 1');
});

test('a name that is cut stands for the whole one', async () => {
  const { arrays } = await open({ 'net%2Fvery~0123abcd.bin': Uint8Array.of(1, 2) });
  expect([...arrays.keys()]).toEqual(['net/very long']);
});

test.each([
  [
    { 'other.memh': '00' },
    'expected NAME.npy, NAME.csv, NAME.memh or NAME.bin (also NAME_output.*) of a layer, got other.memh; rename it, or say whose it is: --map other=LAYER',
  ],
  [{ 'fc1.csv': 'a,b\n1,2' }, 'fc1.csv line 1: expected a decimal number, got a; numpy.savetxt('],
  [
    { 'fc1.csv': '1,2' },
    'fc1.csv: expected 4 numbers (shape 2 x 2), got 2, 1 of 2 samples; if they are the first, add --samples 1',
  ],
  [
    { 'fc2.bin': Uint8Array.of(1) },
    'fc2.bin: expected 2 bytes (uint8, shape 2 x 1), got 1, 1 of 2 samples; if they are the first, add --samples 1; others, --samples A:B',
  ],
  [
    { 'fc2.bin': new Uint8Array(8) },
    'fc2.bin: expected 2 bytes (uint8, shape 2 x 1), got 8: 4 bytes a value; write uint8, or a .npy, which says its dtype',
  ],
  [
    { 'fc2.bin': Uint8Array.of(1, 2), 'fc2.memh': '01 02' },
    'fc2.memh: expected a name of its own, got fc2 by two files',
  ],
  [{ 'net.3.memh': '00 01' }, 'net.3.memh: expected a value of integers, got one of float32'],
])('%#: what is wrong is said', async (files, message) => {
  await expect(open(files as Record<string, string>)).rejects.toThrow(message);
});

test('words that are missing are said when they are read', async () => {
  const { arrays } = await open({ 'fc1.memh': '00 01 02' });
  await expect(arrays.get('fc1')!.read()).rejects.toThrow('expected 4 words (shape 2 x 2), got none for word 3');
});
