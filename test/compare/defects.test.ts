import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { compare } from '../../src/compare/compare.js';
import { openCapture, openModel } from '../../src/frontends/open.js';
import { nodeFileSystem } from '../../src/io.js';

const FOLDER = 'fixtures/kernels/onednn/convolutions';

test('weights that oneDNN scrambles are said, though the replay computes as it does', async () => {
  const model = await openModel(nodeFileSystem, `${FOLDER}/model.json`);
  const capture = await openCapture(nodeFileSystem, `${FOLDER}/capture.npz`, model);
  const report = await compare(model, capture, { kernel: 'onednn' });
  expect(report.layers.filter(({ status }) => status === 'mismatch')).toEqual([]);
  const said = report.warnings.filter(({ code }) => code === 'kernel-defect').map(({ where }) => where);
  const { layers } = JSON.parse(readFileSync(`${FOLDER}/model.json`, 'utf8'));
  const scrambled = layers.filter(
    ({ name, op }: { name: string; op: string }) => op.includes('transpose') && said.includes(name),
  );
  expect(scrambled.length).toBe(said.length);
  expect(said.length).toBeGreaterThan(2);
  expect(said).not.toContain('any-0');
  expect(report.warnings.find(({ code }) => code === 'kernel-defect')!.message).toContain('in a wrong order');
});
