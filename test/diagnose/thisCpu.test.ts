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

const HELD: Producer = {
  ...AVX2,
  cpuCapability: 'AVX512',
  avx512: true,
  avx512Vnni: true,
  avxVnni: true,
  environment: new Map([['ONEDNN_MAX_CPU_ISA', 'avx2']]),
};

test('a CPU with VNNI that a variable keeps from it: the variable is what to mend, not the CPU', async () => {
  const [{ evidence, fixes }] = await said('saturating', HELD);
  expect(evidence['int16-saturation']).toMatchObject({ held_by: 'ONEDNN_MAX_CPU_ISA=AVX2' });
  expect(fixes[0]).toMatchObject({
    text: expect.stringMatching(/^leave ONEDNN_MAX_CPU_ISA unset: the CPU of this capture has VNNI/),
    code: [{ where: 'shell', text: 'unset ONEDNN_MAX_CPU_ISA' }],
    rehearsal: { mismatched_after_fix: 0 },
  });
});

test.each<[string, Producer]>([
  ['another value', { ...HELD, environment: new Map([['ONEDNN_MAX_CPU_ISA', 'ALL']]) }],
  ['no VNNI to be kept from', { ...HELD, avx512Vnni: false, avxVnni: false }],
  ['nothing known of the CPU', { ...HELD, avx512Vnni: undefined, avxVnni: undefined }],
])('%s: no variable is blamed', async (_, producer) => {
  for (const { evidence, fixes } of await said('saturating', producer)) {
    expect(evidence['int16-saturation'] ?? {}).not.toHaveProperty('held_by');
    expect(JSON.stringify(fixes)).not.toContain('unset');
  }
});

test('a graph of FX takes its qconfig from a mapping', async () => {
  const lines = async (flow: string) =>
    JSON.stringify((await said('saturating', { ...AVX2, flow })).map(({ fixes }) => fixes));
  expect(await lines('fx')).toContain('qconfig_mapping = torch.ao.quantization.get_default_qconfig_mapping(');
  expect(await lines('fx')).not.toContain('model.qconfig');
  expect(await lines('eager')).toContain('model.qconfig = torch.ao.quantization.get_default_qconfig(');
});
