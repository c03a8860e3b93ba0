import { expect, it } from 'vitest';
import { cli } from '../support/cli.js';

const qdiff = cli();

/** One value of a layer that saturates, in both columns. */
async function explained(layer: string) {
  const folder = 'fixtures/pytorch/conv-dynamic-fbgemm-avx2';
  const options = ['--layer', layer, '--channel', '1', '--sample', '3', '--reporter', 'json'];
  const { stdout } = await qdiff(['explain', `${folder}/model.json`, `${folder}/capture.npz`, ...options]);
  return JSON.parse(stdout);
}

it.each(['layers.conv1d', 'layers.conv2d', 'layers.transposed2d'])(
  '%s: explained by the codes that it computes on the grid of its input',
  async (layer) => {
    const { columns, captured, numpy } = await explained(layer);
    const found = columns.at(-1);
    const { scale, zero_point } = found.input;
    expect(found.value).toBe(captured);
    expect(found.zero_point).toBe(zero_point);
    const code = Math.min(Math.max(found.rounded + zero_point, 0), 255);
    expect(Math.fround(Math.fround(scale) * (code - zero_point))).toBe(found.value);
    expect(numpy.at(-1)).toContain(`# ${captured}`);
  },
);

it('takes floats only, and names the op for codes', async () => {
  const params = { weight: [[[[1]]]], weight_scale: 0.5, output: { dtype: 'float32' } };
  const layers = [{ name: 'up', op: 'conv_transpose2d_dynamic', input: 'x', ...params }];
  const inputs = [{ name: 'x', dtype: 'uint8', scale: 1, zero_point: 0, shape: [1, 2, 2] }];
  const model = JSON.stringify({ format: 'qdiff-model', version: 1, inputs, layers });
  const { exitCode, stderr } = await cli(new Map([['model.json', model]]))(['inspect', 'model.json']);
  expect([exitCode, stderr]).toEqual([2, expect.stringContaining('use op "conv_transpose2d" on codes')]);
});
