import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { explainPointwise } from '../../src/analyze/explain/explainPointwise.js';
import type { ExplainDocument } from '../../src/documents/explain.js';
import { openCapture, openModel } from '../../src/frontends/open.js';
import { nodeFileSystem } from '../../src/io.js';
import { kernels } from '../../src/kernels/registry.js';
import type { Kernel } from '../../src/nouns/kernel.js';
import { isElementwise } from '../../src/nouns/model.js';
import { ReplaySession } from '../../src/replay/session.js';
import { hasNumpy, outputOf } from '../support/tools.js';

const KERNELS = join(import.meta.dirname, '..', '..', 'fixtures', 'kernels');

/** Golden values of every op: near-ties of quantize above all. */
async function documentsOf(kernel: Kernel): Promise<ExplainDocument[]> {
  const folder = join(KERNELS, kernel.name, 'pointwise');
  const model = await openModel(nodeFileSystem, join(folder, 'model.json'));
  const capture = await openCapture(nodeFileSystem, join(folder, 'capture.npz'), model);
  const session = new ReplaySession(model, capture, kernel, 'isolated');
  const documents: ExplainDocument[] = [];
  for (const layer of model.layers.filter(isElementwise)) {
    const run = await session.open(layer);
    const captured = await capture.values.get(layer.name)!.read(0, capture.samples);
    const x = await run.input.read(0, capture.samples);
    for (let i = 0; i < x.length; i += Math.ceil(x.length / 40)) {
      if (!Number.isFinite(x[i]) || !Number.isFinite(captured[i])) continue;
      const place = { sample: Math.floor(i / run.input.features), channel: i % run.input.features };
      const value = { layer, input: run.ready.input, ...place, x: x[i], captured: captured[i], candidate: null };
      documents.push(explainPointwise({ ...value, kernels: [kernel], causes: [] }));
    }
  }
  await model.close();
  await capture.close();
  return documents;
}

describe.each(kernels.filter(({ name }) => existsSync(join(KERNELS, name, 'pointwise'))))('$name', async (kernel) => {
  const documents = await documentsOf(kernel);

  it('explains golden values of every op', () => {
    expect(documents.filter(({ columns }) => columns[0].explains !== true)).toEqual([]);
    expect(new Set(documents.map(({ op }) => op)).size).toBeGreaterThan(1);
  });

  it.skipIf(!hasNumpy)('numpy prints the same values (python3 with numpy)', () => {
    const file = join(mkdtempSync(join(tmpdir(), 'qdiff-')), 'snippets.py');
    writeFileSync(file, documents.map(({ numpy }) => numpy.join('\n')).join('\n'));
    const printed = outputOf('python3', ['-W', 'ignore', file]).trim().split('\n').map(Number);
    expect(printed.map(Math.fround)).toEqual(documents.map(({ columns }) => Math.fround(columns[0].value)));
  });
});
