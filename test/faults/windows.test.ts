import { readFileSync } from 'node:fs';
import { win32 } from 'node:path';
import { expect, test, vi } from 'vitest';
import { openCapture, openModel } from '../../src/frontends/open.js';
import { openNpyFolder } from '../../src/load/npyFolder.js';
import type { FileSystem } from '../../src/nouns/file.js';
import { memoryFiles } from '../support/memoryFiles.js';
import { npy } from '../support/npz.js';
import { problemsOf } from '../support/problems.js';

vi.mock('node:path', async () => {
  const { win32, posix } = await vi.importActual<typeof import('node:path')>('node:path');
  return { ...win32, posix, win32, default: win32 };
});

/** `C:\dir\file` of Windows lies at /C/dir/file in memory. */
function onDrive(files: Record<string, Uint8Array | string>): FileSystem {
  const memory = memoryFiles(files);
  const there = (path: string) => `/${win32.resolve('C:\\work', path).replaceAll('\\', '/').replace(':', '')}`;
  return {
    open: (path) => memory.open(there(path)),
    realPath: async (path) => win32.resolve('C:\\work', (await memory.realPath(there(path))) && path),
    isDirectory: (path) => memory.isDirectory(there(path)),
    isFile: (path) => memory.isFile(there(path)),
    list: (path) => memory.list(there(path)),
  };
}

const model = readFileSync('fixtures/pytorch/iris-avx2/model.json', 'utf8').replaceAll('\n', '\r\n');
const withArrays = (arrays: string) => JSON.stringify({ ...JSON.parse(model), arrays });
const capture = readFileSync('fixtures/pytorch/iris-avx2/capture.npz');

test.each(['models\\model.json', 'C:\\work\\models\\model.json', 'models/model.json', '.\\models\\model.json'])(
  '%s is found',
  async (path) => {
    const fs = onDrive({ '/C/work/models/model.json': model, '/C/work/models/capture.npz': capture });
    const opened = await openModel(fs, path);
    expect(opened.layers.length).toBe(3);
    const values = await openCapture(fs, path.replace('model.json', 'capture.npz'), opened);
    expect(values.samples).toBe(151);
  },
);

test.each(['..\\secret.npz', 'C:\\secret.npz', '\\secret.npz', '\\\\host\\share\\secret.npz', '../secret.npz'])(
  'arrays %s lead out of the folder',
  async (arrays) => {
    const fs = onDrive({ '/C/work/models/model.json': withArrays(arrays), '/C/work/secret.npz': capture });
    expect(await problemsOf(openModel(fs, 'models\\model.json'))).toContainEqual(
      expect.stringMatching(/^models\\model\.json arrays: expected a path inside the model's folder/),
    );
  },
);

test('a folder of npy files', async () => {
  const fs = onDrive({
    '/C/work/mine/fc1.npy': npy('uint8', [1], [7]),
    '/C/work/mine/block%2F0.npy': npy('uint8', [1], [8]),
  });
  const folder = await openNpyFolder(fs, 'C:\\work\\mine');
  expect([...folder.arrays.keys()]).toEqual(['block/0', 'fc1']);
  expect([...(await folder.arrays.get('block/0')!.read())]).toEqual([8]);
});
