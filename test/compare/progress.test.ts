import { expect, test } from 'vitest';
import { compare } from '../../src/compare/compare.js';
import type { Progress } from '../../src/compare/options.js';
import { openCandidate, openCapture, openModel } from '../../src/frontends/open.js';
import { nodeFileSystem as fs } from '../../src/io.js';

/** What is told on the way, of the capture's side and of a candidate's. */
test('the search of a layer’s causes tells how many it tried, on either side', async () => {
  const folder = 'fixtures/pytorch/iris-avx2';
  const model = await openModel(fs, `${folder}/model.json`);
  const capture = await openCapture(fs, `${folder}/capture.npz`, model);
  const other = 'fixtures/pytorch/iris-vnni/capture.npz';
  for (const candidate of [undefined, await openCandidate(fs, other, model, capture)]) {
    const told: Progress[] = [];
    await compare(model, capture, { candidate, onProgress: (progress) => told.push(progress) });
    const tried = told.flatMap((one) => (one.stage === 'diagnose' && one.layer === 'fc1' ? (one.tried ?? []) : []));
    expect(tried.length).toBeGreaterThan(20);
    expect(told.every(({ layersDone, layersTotal }) => layersDone < layersTotal)).toBe(true);
  }
  await model.close();
  await capture.close();
});
