/** A layer of which a value or two differ on what it read itself: that is known, if not what they are, and nothing else is sought. */
import { expect, it, vi } from 'vitest';
import { Diagnosis } from '../../src/diagnose/diagnose.js';
import type { Report } from '../../src/nouns/report.js';
import { cli } from '../support/cli.js';
import { npy, npz } from '../support/npz.js';

const value = { dtype: 'int8', scale: 1, zero_point: 0 };
const x = Array.from({ length: 256 }, (_, i) => i - 128);
const even = (v: number) => (Math.abs(v % 1) === 0.5 ? 2 * Math.round(v / 2) : Math.round(v));
const layer = (name: string, input: string, weight_scale: number) => {
  return { name, op: 'linear', input, weight: [[1]], weight_scale, activation: 'none', output: value };
};
const codes = (values: readonly number[]) => npy('int8', [256, 1], values);
/** A tie that goes another way at 16 alone. */
const second = (v: number, round: (v: number) => number) => round(v / 32);

it('it is not searched on what was captured, on which more differ', async () => {
  const [first, own] = [x.map((v) => even(v * 0.35)), x.map((v) => Math.floor(v * 0.35))];
  const model = {
    format: 'qdiff-model',
    version: 1,
    producer: { framework: 'litert', kernel: 'xnnpack' },
    inputs: [{ name: 'x', ...value }],
    layers: [layer('first', 'x', 0.35), layer('few', 'first', 1 / 32)],
  };
  const right = { first: codes(first), few: codes(first.map((v) => second(v, even))) };
  const mine = own.map((v) => second(v, (half) => Math.floor(half + 0.5)));
  const files = new Map<string, string>(
    Object.entries({
      'model.json': JSON.stringify(model),
      'capture.npz': npz({ x: codes(x), ...right }),
      'mine.npz': npz({ first: codes(own), few: codes(mine) }),
    }) as never,
  );
  const searched = vi.spyOn(Diagnosis.prototype, 'layer');
  const { stdout } = await cli(files)(['model.json', 'capture.npz', '--candidate', 'mine.npz', '--reporter', 'json']);
  const [, few] = (JSON.parse(stdout) as Report).candidate_layers!;
  expect(few).toMatchObject({ diagnosis: { causes: ['unexplained'] } });
  expect(few.mismatched).toBeGreaterThan(3);
  expect(searched.mock.calls.filter(([{ run }]) => run.ready.layer.name === 'few')).toHaveLength(1);
  searched.mockRestore();
});

it('nor told as a number that gives them on what was captured, where far more differ', async () => {
  const times = (v: number, more: number) => Math.round((v + more) * 0.3);
  const isOpen = (v: number) => times(v, 2) === times(v, 3);
  const all = Array.from({ length: 40 }, (_, i) => i + 10);
  const one = all.find((v) => !isOpen(v))!; // what it gives of two codes more, and of three, tells them apart
  const read = [...all.filter(isOpen).slice(0, 9), one];
  const model = {
    format: 'qdiff-model',
    version: 1,
    producer: { framework: 'litert', kernel: 'xnnpack' },
    inputs: [{ name: 'x', ...value }],
    layers: [layer('first', 'x', 1), layer('few', 'first', 0.3)],
  };
  const written = (values: readonly number[]) => npy('int8', [read.length, 1], values);
  const mine = read.map((v) => times(v, 3));
  const files = new Map<string, string>(
    Object.entries({
      'model.json': JSON.stringify(model),
      'capture.npz': npz({ x: written(read), first: written(read), few: written(read.map((v) => times(v, 0))) }),
      'mine.npz': npz({ first: written(read.map((v) => v + 2)), few: written(mine) }),
    }) as never,
  );
  const { stdout } = await cli(files)(['model.json', 'capture.npz', '--candidate', 'mine.npz', '--reporter', 'json']);
  expect((JSON.parse(stdout) as Report).candidate_layers![1].diagnosis!.causes).toEqual(['unexplained']);
});
