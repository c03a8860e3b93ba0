/** What is said of a capture from a CPU whose producer lists what it lacks: no kernel that it cannot run. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { compare } from '../../src/compare/compare.js';
import { openCapture, openModel } from '../../src/frontends/open.js';
import { nodeFileSystem } from '../../src/io.js';
import type { Producer } from '../../src/nouns/model.js';

const AVX2: Producer = {
  framework: 'pytorch',
  engine: 'onednn',
  cpuCapability: 'AVX2',
  avx512: false,
  avx512Vnni: false,
  avxVnni: false,
  amxInt8: false,
};

async function said(set: string, producer: Producer, kernel = 'onednn-avx2') {
  const folder = join('fixtures/kernels', kernel, set);
  const model = { ...(await openModel(nodeFileSystem, join(folder, 'model.json'))), producer };
  const capture = await openCapture(nodeFileSystem, join(folder, 'capture.npz'), model);
  const { layers } = await compare(model, capture);
  await Promise.all([model.close(), capture.close()]);
  return layers.filter(({ mismatched }) => mismatched).map(({ name, diagnosis }) => ({ name, ...diagnosis! }));
}

test.each(['saturating', 'dynamic'])(
  '%s, with AVX2 alone: the kernel of that CPU, and no formula of AMX',
  async (set) => {
    const found = await said(set, AVX2);
    expect(found.length).toBeGreaterThan(0);
    for (const { kernel, evidence } of found) {
      expect(kernel).toBe('onednn-avx2');
      expect(JSON.stringify(evidence)).not.toContain('if K > 16');
    }
  },
);

test('a lowered graph on AVX2: the kernels of that flow come first', async () => {
  const found = await said('saturating', { ...AVX2, flow: 'pt2e-lowered' }, 'onednn-pointwise-avx2');
  expect(found.length).toBeGreaterThan(0);
  for (const { kernel, explained_by } of found) {
    expect([kernel, explained_by?.[0]]).toEqual(['onednn-pointwise-avx2', 'onednn-pointwise-avx2']);
  }
});
