import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { openMemhFolder } from '../../src/load/memhFolder.js';
import { memhText } from '../../src/save/memh.js';
import { memoryFiles } from '../support/memoryFiles.js';
import { problemsOf } from '../support/problems.js';

type Field = Record<string, unknown>;

/** A folder of one array, `x.memh`. */
function folder(text: string, entry: Field = {}) {
  const arrays = [{ name: 'x', file: 'x.memh', dtype: 'int8', shape: [2, 2], ...entry }];
  return openMemhFolder(memoryFiles({ 'd/manifest.json': JSON.stringify({ arrays }), 'd/x.memh': text }), 'd');
}

async function valuesOf(text: string, entry?: Field): Promise<number[]> {
  return [...(await (await folder(text, entry)).arrays.get('x')!.read())];
}

describe('words', () => {
  it.each<[what: string, text: string, entry: Field, values: number[]]>([
    ["two's complement of the dtype's width", 'ff 80\n7f 00', {}, [-1, -128, 127, 0]],
    ['unsigned', 'ff 80 7f 00', { dtype: 'uint8' }, [255, 128, 127, 0]],
    [
      'a narrow accumulator is sign-extended from its width',
      '3ffff 20000 1ffff 0',
      { dtype: 'int32', bits: 18 },
      [-1, -131072, 131071, 0],
    ],
    ['comments, underscores, capitals, short words', '// a 1\nF_F /* 2\n3 */ 8_0 // x\n7F 0', {}, [-1, -128, 127, 0]],
    ['addresses, as $writememh gives them', '@2 01 02 @00000000\n03 04', {}, [3, 4, 1, 2]],
  ])('%s', async (_, text, entry, values) => {
    expect(await valuesOf(text, entry)).toEqual(values);
  });

  it.each([
    ['int8', 'ff 80 7f 0', [-1, -128, 127, 0], '100'],
    ['uint8', 'ff 80 7f 0', [255, 128, 127, 0], '100'],
    ['int16', 'ffff 8000 7fff 0', [-1, -32768, 32767, 0], '10000'],
    ['uint16', 'ffff 8000 7fff 0', [65535, 32768, 32767, 0], '10000'],
    ['int32', 'ffffffff 80000000 7fffffff 0', [-1, -(2 ** 31), 2 ** 31 - 1, 0], '100000000'],
    ['uint32', 'ffffffff 80000000 7fffffff 0', [2 ** 32 - 1, 2 ** 31, 2 ** 31 - 1, 0], '100000000'],
  ])('%s, and no word is wider', async (dtype, text, values, wider) => {
    expect(await valuesOf(text, { dtype })).toEqual(values);
    expect(await problemsOf(valuesOf(`${wider} 0 0 0`, { dtype }))).toEqual([expect.stringContaining(wider)]);
  });

  it('rows are read as ranges', async () => {
    expect([...(await (await folder('1 2 3 4')).arrays.get('x')!.read(1, 2))]).toEqual([3, 4]);
  });

  it('what is written reads back: extremes of every dtype', async () => {
    for (const data of [
      Int8Array.of(-128, -1, 0, 127),
      Uint8Array.of(0, 1, 128, 255),
      Int32Array.of(-(2 ** 31), -1, 0, 2 ** 31 - 1),
    ]) {
      const dtype = data.constructor.name.replace('Array', '').toLowerCase();
      expect(await valuesOf(`${Buffer.from(memhText({ shape: [2, 2], data }, 'c'))}`, { dtype })).toEqual([...data]);
    }
  });
});

describe('what is refused', () => {
  it.each<[what: string, text: string, entry: Field, message: string]>([
    [
      'an x',
      '1 xx 3 4',
      {},
      'd/x.memh word 1: expected hexadecimal, got xx: the simulation never set it (index 0, 1 of 2 x 2)',
    ],
    ['as C writes it', '1 0xff 3 4', {}, 'd/x.memh word 1: expected hexadecimal without 0x, got 0xff'],
    [
      'no hexadecimal',
      '1 2 3 -4',
      {},
      'd/x.memh word 3: expected hexadecimal of 8 bits, got -4; decimal numbers are read from LAYER.csv',
    ],
    [
      'a word too wide',
      '1 2 3 100',
      {},
      'd/x.memh word 3: expected hexadecimal of 8 bits, got 100; decimal numbers are read from LAYER.csv',
    ],
    ['too few words', '1 2 3', {}, 'd/x.memh: expected 4 words (shape 2 x 2), got none for word 3'],
    ['too many words', '1 2 3 4 5', {}, 'd/x.memh: expected 4 words (shape 2 x 2), got 5'],
    ['an address beyond', '@4 1', {}, 'd/x.memh: expected 4 words (shape 2 x 2), got one at address 4'],
    ['a bad address', '@zz 1', {}, 'd/x.memh: expected an address after @, got @zz'],
  ])('%s', async (_, text, entry, message) => {
    expect(await problemsOf(valuesOf(text, entry))).toEqual([message]);
  });

  it('all files that are wrong, at the first look at one', async () => {
    const arrays = ['x', 'y', 'z'].map((name) => ({ name, file: `${name}.memh`, dtype: 'int8', shape: [2] }));
    const files = {
      'd/manifest.json': JSON.stringify({ arrays }),
      'd/x.memh': '1 2',
      'd/y.memh': '1',
      'd/z.memh': 'xx 1',
    };
    const opened = await openMemhFolder(memoryFiles(files), 'd');
    expect((await opened.arrays.get('x')!.read()).length).toBe(2);
    expect(await problemsOf(opened.arrays.get('y')!.read())).toEqual([
      'd/y.memh: expected 2 words (shape 2), got none for word 1 on, 1 of 2 samples; if they are the first, add --samples 1; others, --samples A:B',
      'd/z.memh word 0: expected hexadecimal, got xx: the simulation never set it (index 0 of 2)',
    ]);
  });

  it.each<[entry: Field, message: string]>([
    [
      { file: '../secret' },
      'd/manifest.json arrays[0].file: expected the name of a file in the folder, got "../secret"',
    ],
    [{ file: '..' }, 'd/manifest.json arrays[0].file: expected the name of a file in the folder, got ".."'],
    [
      { dtype: '__proto__' },
      'd/manifest.json arrays[0].dtype: expected one of int8, uint8, int16, uint16, int32, uint32, got "__proto__"',
    ],
    [
      { shape: [1e9, 1e9] },
      'd/manifest.json arrays[0].shape: expected a list of counts from 1 on that a file can hold, e.g. [151, 16]',
    ],
    [
      { shape: [] },
      'd/manifest.json arrays[0].shape: expected a list of counts from 1 on that a file can hold, e.g. [151, 16]',
    ],
    [{ bits: 9 }, 'd/manifest.json arrays[0].bits: expected the width of a word, 1 to 8 for int8, got 9'],
    [{ name: 7 }, 'd/manifest.json arrays[0].name: expected the name of a value'],
  ])('%j in the manifest', async (entry, message) => {
    expect(await problemsOf(folder('1 2 3 4', entry))).toEqual([message]);
  });

  it('a manifest without arrays', async () => {
    const files = memoryFiles({ 'd/manifest.json': '{}' });
    expect(await problemsOf(openMemhFolder(files, 'd'))).toEqual([
      'd/manifest.json: expected "arrays", a list of {name, file, dtype, shape}, got none',
    ]);
  });
});

describe('a folder that golden wrote', () => {
  const [own, simulated] = ['01 02 03 04\n', '01 02 03 05\n'];
  const sha256 = createHash('sha256').update(own).digest('hex');
  const names = ['a', 'b'];
  const open = (files: Record<string, string>) => {
    const arrays = names.map((name) => ({ name, value: name, file: `${name}.memh`, dtype: 'int8', shape: [2, 2] }));
    const written = names.map((name) => ({ name: `${name}.memh`, sha256 }));
    const manifest = JSON.stringify({ format: 'qdiff-golden', arrays, files: written });
    return openMemhFolder(memoryFiles({ 'd/manifest.json': manifest, ...files }), 'd');
  };

  it.each([
    ['of which one file is a simulation’s', { 'd/a.memh': simulated, 'd/b.memh': own }, ['a'], ['b'], undefined],
    ['of which one file was never written again', { 'd/a.memh': simulated }, ['a'], [], undefined],
    ['that nobody touched is golden’s', { 'd/a.memh': own, 'd/b.memh': own }, ['a', 'b'], undefined, true],
    [
      'that was checked out on Windows',
      { 'd/a.memh': own.replace('\n', '\r\n'), 'd/b.memh': own },
      ['a', 'b'],
      undefined,
      true,
    ],
    ['of which all was simulated', { 'd/a.memh': simulated, 'd/b.memh': simulated }, ['a', 'b'], [], undefined],
  ])('%s', async (_, files, arrays, untouched, isGoldens) => {
    const folder = await open(files);
    expect(folder.isGoldens).toBe(isGoldens);
    expect([...folder.arrays.keys()]).toEqual(arrays);
    expect(folder.untouched).toEqual(untouched);
  });
});
