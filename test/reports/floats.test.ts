/** Reports from the public about layers whose values are floats, rebuilt with PyTorch itself: fixtures/reports says what each is. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { cli } from '../support/cli.js';

const qdiff = cli();

async function answer(report: string, capture: string, ...options: string[]) {
  const files = ['model.json', capture].map((file) => join('fixtures/reports', report, file));
  const { stdout, exitCode } = await qdiff([...files, ...options]);
  return { stdout, exitCode };
}

async function json(report: string, capture: string, ...options: string[]) {
  const { stdout, exitCode } = await answer(report, capture, '--reporter', 'json', ...options);
  return { ...JSON.parse(stdout), exitCode };
}

test('QNNPACK quantizes its input to 0..255 where the file says reduce_range', async () => {
  const { layers, exitCode } = await json('dynamic-other-engine', 'capture.npz');
  expect(exitCode).toBe(1);
  for (const { diagnosis } of [layers[0], layers[2]]) {
    expect(diagnosis.causes[0]).toBe('activation-range');
    expect(diagnosis).toMatchObject({ subject: 'capture', kernel: 'qnnpack', explained: diagnosis.of, lost: 0 });
    expect(diagnosis.fix).toContain('the capture computes as qnnpack does');
    expect(diagnosis.evidence['activation-range'].found.codes).toEqual([0, 255]);
  }
  const { stdout } = await answer('dynamic-other-engine', 'capture.npz');
  expect(stdout).not.toContain('reduce_range will not');
  expect(await json('dynamic-other-engine', 'capture.npz', '--kernel', 'qnnpack')).toMatchObject({
    exitCode: 0,
    verdict: 'match',
  });
});

test('oneDNN on AMX multiplies the scales first: the layer is read so, and all is equal', async () => {
  const report = await json('amx-float-output', 'capture.npz');
  expect(report).toMatchObject({ exitCode: 0, verdict: 'match' });
  expect(report.layers).toMatchObject([{ kernel: 'onednn-pointwise-amx', mismatched: 0, values: 512 }]);
});
