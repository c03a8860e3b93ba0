/** Values with positions, through the whole command: an image that is rectified, one wrong pixel, and one wrong channel. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Report } from '../../src/nouns/report.js';
import { cli } from '../support/cli.js';
import { npy, npz } from '../support/npz.js';

const qdiff = cli();
const [SAMPLES, CHANNELS, HEIGHT, WIDTH] = [2, 3, 4, 5];
const CODES = { dtype: 'uint8', scale: 0.02, zero_point: 100 };

/** Codes by sample, channel, y, x. */
type Image = (place: readonly [number, number, number, number]) => number;
const source: Image = ([n, c, y, x]) => 80 + n * 7 + c * 19 + y * 5 + x;
const rectified: Image = (place) => Math.max(100, source(place));

function write(image: Image, layout: 'NCHW' | 'NHWC'): { model: string; capture: string } {
  const folder = mkdtempSync(join(tmpdir(), 'qdiff-images-'));
  const dims = layout === 'NCHW' ? [CHANNELS, HEIGHT, WIDTH] : [HEIGHT, WIDTH, CHANNELS];
  const array = (value: Image) => {
    const codes: number[] = [];
    for (let n = 0; n < SAMPLES; n++) {
      for (let i = 0; i < CHANNELS * HEIGHT * WIDTH; i++) {
        const [a, b, c] = [Math.floor(i / (dims[1] * dims[2])), Math.floor(i / dims[2]) % dims[1], i % dims[2]];
        codes.push(value(layout === 'NCHW' ? [n, a, b, c] : [n, c, a, b]));
      }
    }
    return npy('uint8', [SAMPLES, ...dims], codes);
  };
  const raw = {
    format: 'qdiff-model',
    version: 1,
    layout,
    inputs: [{ name: 'x', ...CODES, shape: dims }],
    layers: [{ name: 'act', op: 'relu', input: 'x' }],
  };
  const [model, capture] = [join(folder, 'model.json'), join(folder, 'capture.npz')];
  writeFileSync(model, JSON.stringify(raw));
  writeFileSync(capture, npz({ x: array(source), act: array(image) }));
  return { model, capture };
}

describe.each(['NCHW', 'NHWC'] as const)('an image in %s', (layout) => {
  it('is equal, with its channels and positions', async () => {
    const { model, capture } = write(rectified, layout);
    const { exitCode, stdout } = await qdiff([model, capture, '--reporter', 'json']);
    const [layer] = (JSON.parse(stdout) as Report).layers;
    expect(exitCode).toBe(0);
    expect(layer).toMatchObject({ status: 'match', out_features: 3, positions: 20, values: 120 });
    expect(layer.shape).toEqual(layout === 'NCHW' ? [3, 4, 5] : [4, 5, 3]);
  });

  it('names sample, channel and position of what differs', async () => {
    const wrong: Image = (place) => rectified(place) + (place.join() === '1,2,3,4' ? 9 : 0);
    const { model, capture } = write(wrong, layout);
    const { exitCode, stdout } = await qdiff([model, capture, '--reporter', 'json']);
    const [layer] = (JSON.parse(stdout) as Report).layers;
    expect(exitCode).toBe(1);
    expect(layer.first_mismatch).toEqual({ sample: 1, channel: 2, at: [3, 4], expected: 153, actual: 144 });
    expect(layer.channels!.map(({ channel, mismatched }) => [channel, mismatched])).toEqual([[2, 1]]);
    const screen = await qdiff([model, capture]);
    expect(screen.stdout.replace(/\s+/g, ' ')).toContain('sample 1, channel 2, at 3,4: expected 153, actual 144');
  });

  it('finds what the whole layer did, and shows the value that differs most', async () => {
    const { model, capture } = write(source, layout);
    const { stdout } = await qdiff([model, capture, '--reporter', 'json']);
    const [layer] = (JSON.parse(stdout) as Report).layers;
    expect(layer.diagnosis).toMatchObject({ causes: ['relu-at-zero'], explained: layer.mismatched });
    const explained = JSON.parse((await qdiff(['explain', model, capture, '--reporter', 'json'])).stdout);
    expect(explained).toMatchObject({ sample: 0, channel: 0, at: [0, 0], captured: 80 });
    const at = JSON.parse(
      (await qdiff(['explain', model, capture, '--channel', '1', '--at', '2,3', '--reporter', 'json'])).stdout,
    );
    expect(at).toMatchObject({ channel: 1, at: [2, 3], captured: source([at.sample, 1, 2, 3]) });
  });

  it('refuses a position that is not there', async () => {
    const { model, capture } = write(source, layout);
    const { exitCode, stderr } = await qdiff(['explain', model, capture, '--at', '4,0']);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('expected a position of act (0,0 to 3,4), got 4,0');
  });
});
