/** A candidate's layer that does what the captured one does, and one thing more: that is tried before all pairs. */
import { expect, it, vi } from 'vitest';
import { Search } from '../../src/diagnose/search/phases.js';
import type { Report } from '../../src/nouns/report.js';
import { cli } from '../support/cli.js';
import { npy, npz } from '../support/npz.js';

const [SAMPLES, WIDTH] = [48, 6];
const SCALE = 0.0041731;
const value = { dtype: 'int8', scale: 0.05, zero_point: 3 };
let state = 3;
const noise = (count: number, from: number, to: number) =>
  Array.from({ length: count }, () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return from + ((state >>> 8) % (to - from));
  });
const x = Array.from({ length: SAMPLES }, () => noise(WIDTH, -100, 100));
const weight = Array.from({ length: WIDTH }, () => noise(WIDTH, -127, 128));
const codes = (values: readonly number[]) => npy('int8', [SAMPLES, WIDTH], values);

function rounded(round: (v: number) => number, zeroPoint: number): number[] {
  return x.flatMap((row) =>
    weight.map((own) => {
      const sum = own.reduce((all, w, k) => all + w * (row[k] - value.zero_point), 0);
      return Math.max(-128, Math.min(127, round(sum * SCALE) + zeroPoint));
    }),
  );
}

it('a rounding of the capture, and another zero point', async () => {
  const model = {
    format: 'qdiff-model',
    version: 1,
    producer: { kernel: 'numpy' },
    inputs: [{ name: 'x', ...value }],
    layers: [{ name: 'fc', op: 'linear', input: 'x', weight, weight_scale: SCALE, output: value }],
  };
  const files = new Map<string, string>(
    Object.entries({
      'model.json': JSON.stringify(model),
      'capture.npz': npz({ x: codes(x.flat()), fc: codes(rounded(Math.floor, value.zero_point)) }),
      'mine.npz': npz({ fc: codes(rounded(Math.floor, value.zero_point + 4)) }),
    }) as never,
  );
  const pairs = vi.spyOn(Search.prototype, 'pairs');
  const { stdout } = await cli(files)(['model.json', 'capture.npz', '--candidate', 'mine.npz', '--reporter', 'json']);
  const { layers, candidate_layers } = JSON.parse(stdout) as Report;
  expect(layers[0].diagnosis!.causes).toEqual(['rounding-floor']);
  expect(candidate_layers![0].diagnosis!.causes).toEqual(['rounding-floor', 'output-zero-point-wrong']);
  expect(pairs).not.toHaveBeenCalled();
  pairs.mockRestore();
});
