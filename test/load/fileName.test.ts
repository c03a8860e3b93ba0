import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fileName, fileNames } from '../../src/load/fileName.js';
import { openNpyFolder } from '../../src/load/npyFolder.js';
import { memoryFiles } from '../support/memoryFiles.js';
import { npy } from '../support/npz.js';

const digits = (name: string) => createHash('sha256').update(name).digest('hex').slice(0, 8);

test.each([
  ['fc1.weight_int8-2', 'fc1.weight_int8-2'],
  ['block/0/conv', 'block%2F0%2Fconv'],
  ['a b~c%', 'a%20b%7Ec%25'],
  ['C:\\x', 'C%3A%5Cx'],
  ['層', '%E5%B1%A4'],
  ['\u001b[31m', '%1B%5B31m'],
  ['x'.repeat(120), 'x'.repeat(120)],
  ['x'.repeat(121), `${'x'.repeat(111)}~${digits('x'.repeat(121))}`],
  // 13 characters of 9 each are 117: the 12th is the last that leaves room for the digits, and none is cut in two
  ['層'.repeat(14), `${'%E5%B1%A4'.repeat(12)}~${digits('層'.repeat(14))}`],
])('%j is the file %s', (name, file) => {
  expect(fileName(name)).toBe(file);
});

test('no two files of one folder have names alike', () => {
  expect([...fileNames(['fc1', 'FC1', '\ud800', '\udc00']).values()]).toEqual([
    'fc1',
    `FC1~${digits('FC1')}`,
    '%EF%BF%BD',
    expect.stringMatching(/^%EF%BF%BD~[\da-f]{8}$/),
  ]);
});

test('any name is a file of its own folder', () => {
  const property = fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (name) => {
    expect(fileName(name)).toMatch(/^(?:[A-Za-z0-9._-]|%[\dA-F]{2}){0,120}(?:~[\da-f]{8})?$/);
    expect(fileName(name).length).toBeLessThanOrEqual(120);
  });
  fc.assert(property, { seed: 5, numRuns: 300 });
});

test('a folder of npy files is read with the names that they stand for', async () => {
  const names = ['fc1', 'block/0', '層', '100%', '%ZZ', 'a%2fb'];
  const files = names.map((name) => [`d/${fileName(name)}.npy`, npy('uint8', [1], [7])] as const);
  const asTheyAre = [
    ['d/100% sure.npy', npy('uint8', [1], [7])] as const,
    ['d/%FF.npy', npy('uint8', [1], [7])] as const,
  ];
  const folder = await openNpyFolder(memoryFiles(Object.fromEntries([...files, ...asTheyAre])), 'd');
  expect([...folder.arrays.keys()].sort()).toEqual([...names, '100% sure', '%FF'].sort());
});

test('one name written in two ways is said', async () => {
  const array = npy('uint8', [1], [7]);
  const folder = openNpyFolder(memoryFiles({ 'd/a%2Db.npy': array, 'd/a-b.npy': array }), 'd');
  await expect(folder).rejects.toThrow(
    /d\/a-b\.npy: expected a name of its own, got a-b by two files; keep one of them/,
  );
});
