/** Captures whose calls differ in size, which oneDNN on AMX computes differently: fixtures/kernels/onednn-amx, 1, 3, 33 and 8 rows. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compare } from '../../src/compare/compare.js';
import type { CompareOptions } from '../../src/compare/options.js';
import { openCapture, openModel } from '../../src/frontends/open.js';
import { nodeFileSystem } from '../../src/io.js';
import type { Producer } from '../../src/nouns/model.js';

const ROOT = join(import.meta.dirname, '..', '..', 'fixtures', 'kernels');

async function reportOf(family: string, producer: Producer, options: CompareOptions = {}) {
  const folder = join(ROOT, family);
  const model = await openModel(nodeFileSystem, join(folder, 'model.json'));
  const capture = await openCapture(nodeFileSystem, join(folder, 'capture.npz'), model);
  try {
    return await compare({ ...model, producer }, capture, options);
  } finally {
    await model.close();
    await capture.close();
  }
}

const amx: Producer = { engine: 'onednn', amxInt8: true };
const differing = (report: Awaited<ReturnType<typeof reportOf>>) =>
  report.layers.filter(({ mismatched }) => mismatched);

describe.each(['onednn-amx/calls', 'onednn-amx/calls-int8', 'onednn-amx/dynamic-calls'])('%s', (family) => {
  it("follows the CPU's facts: each row names the kernel of its layer", async () => {
    const report = await reportOf(family, amx);
    expect(report.kernel).toBe('onednn');
    expect(differing(report)).toEqual([]);
    // K is 16 in every fourth layer
    expect(report.layers.map(({ kernel }) => kernel)).toEqual(
      report.layers.map((_, i) => (i % 4 === 0 ? 'onednn' : 'onednn-amx')),
    );
  });

  it('is read both ways where the CPU is not known, and says which held', async () => {
    const report = await reportOf(family, { engine: 'onednn' });
    expect(differing(report)).toEqual([]);
    const other = report.layers.filter(({ kernel }) => kernel === 'onednn-amx').map(({ name }) => name);
    expect(other.length).toBeGreaterThan(0);
    const said = report.warnings.filter(({ code }) => code === 'read-as').map(({ where }) => where);
    expect(said).toEqual(other);
  });

  it('is explained by its kernel where another is named, in every value of every call', async () => {
    const report = await reportOf(family, amx, { kernel: 'onednn' });
    const layers = differing(report);
    expect(layers.length).toBeGreaterThan(1);
    for (const { kernel, diagnosis, mismatched } of layers) {
      expect(kernel).toBe('onednn');
      expect(diagnosis).toMatchObject({
        causes: ['multiplier-precision'],
        kernel: 'onednn-amx',
        explained: mismatched,
        lost: 0,
      });
      expect(diagnosis!.explained_by).toContain('onednn-amx');
    }
  });
});
