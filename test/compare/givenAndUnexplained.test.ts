/** Of values that a cause gives and that are too few to show it, it is not said that no cause gives them. */
import { expect, test } from 'vitest';
import { cli } from '../support/cli.js';
import { npy, npz } from '../support/npz.js';

const code = (scale: number) => ({ dtype: 'int8', scale, zero_point: 0 });

/** Halves of some codes, the first of them a tie. */
async function told(captured: readonly number[]): Promise<unknown> {
  const layer = { name: 'h', op: 'requantize', input: 'x', output: code(1) };
  const model = {
    format: 'qdiff-model',
    version: 1,
    producer: { framework: 'litert', kernel: 'fbgemm' },
    inputs: [{ name: 'x', ...code(0.5) }],
    layers: [layer],
  };
  const capture = npz({ x: npy('int8', [1, 3], [1, 4, 8]), h: npy('int8', [1, 3], captured) });
  const files = new Map<string, string | Uint8Array>([
    ['model.json', JSON.stringify(model)],
    ['capture.npz', capture],
  ]);
  const { stdout } = await cli(files as Map<string, string>)(['model.json', 'capture.npz', '--reporter', 'json']);
  return JSON.parse(stdout).layers[0].diagnosis;
}

test('of a layer without sums too', async () => {
  expect(await told([1, 2, 4])).toMatchObject({
    causes: ['unexplained'],
    evidence: { unexplained: { nearest: { explained: 1, of: 1, lost: 0 } } },
  });
  // nothing moves a single code by 37
  expect(await told([0, 39, 4])).toMatchObject({ causes: ['unexplained'], evidence: { unexplained: {} } });
  expect(JSON.stringify(await told([0, 39, 4]))).not.toContain('nearest');
});
