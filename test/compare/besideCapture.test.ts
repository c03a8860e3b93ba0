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

it('a rounding of the capture, and another zero point: also where a shard tells it of another one’s layer', async () => {
  const layer = (name: string) => ({ name, op: 'linear', input: 'x', weight, weight_scale: SCALE, output: value });
  const model = {
    format: 'qdiff-model',
    version: 1,
    producer: { kernel: 'numpy' },
    inputs: [{ name: 'x', ...value }],
    layers: [layer('noise'), layer('fc')],
  };
  const captured = codes(rounded(Math.floor, value.zero_point));
  const mine = {
    noise: codes(noise(SAMPLES * WIDTH, -128, 128)),
    fc: codes(rounded(Math.floor, value.zero_point + 4)),
  };
  const files = new Map<string, string>(
    Object.entries({
      'model.json': JSON.stringify(model),
      'capture.npz': npz({ x: codes(x.flat()), noise: captured, fc: captured }),
      'mine.npz': npz(mine),
    }) as never,
  );
  const run = cli(files);
  const argv = ['model.json', 'capture.npz', '--candidate', 'mine.npz', '--reporter'];
  const { stdout } = await run([...argv, 'json']);
  const causes = (JSON.parse(stdout) as Report).candidate_layers!.map(({ diagnosis }) => diagnosis!.causes);
  expect(causes).toEqual([['unexplained'], ['rounding-floor', 'output-zero-point-wrong']]);
  const pairs = vi.spyOn(Search.prototype, 'pairs');
  for (const shard of ['1/2', '2/2']) await run([...argv, `blob=${shard[0]}.blob`, '--shard', shard]);
  expect((await run(['merge', '1.blob', '2.blob', '--reporter', 'json'])).stdout).toBe(stdout);
  const paired = pairs.mock.contexts.map(
    (search) => ((search as Search).study.data as unknown as { name: string }).name,
  );
  expect(new Set(paired)).toEqual(new Set(['noise']));
  pairs.mockRestore();
});

it('that comes before all pairs', async () => {
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
