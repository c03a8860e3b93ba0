import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { nodeFileSystem } from '../../src/io.js';
import { openNpz } from '../../src/load/npz.js';
import { type NamedArray, npzBytes } from '../../src/save/npz.js';
import { cli } from '../support/cli.js';

const qdiff = cli();
const MODEL = 'fixtures/pytorch/iris-vnni/model.json';
const folder = mkdtempSync(join(tmpdir(), 'qdiff-'));

async function captured(): Promise<Map<string, NamedArray>> {
  const { arrays } = await openNpz(nodeFileSystem, 'fixtures/pytorch/iris-vnni/capture.npz');
  const read = [...arrays].map(
    async ([key, array]) => [key, { shape: array.shape, data: await array.read() }] as const,
  );
  return new Map(await Promise.all(read));
}

/** sum of (x - 128) * w, by hand. */
async function fc1Sums(): Promise<Int32Array> {
  const { data: x } = (await captured()).get('quant')!;
  const { layers } = JSON.parse(readFileSync(MODEL, 'utf8'));
  const weight: number[][] = layers[0].weight;
  return Int32Array.from({ length: 151 * 16 }, (_, i) =>
    weight[i % 16].reduce((sum, w, k) => sum + (x[Math.floor(i / 16) * 4 + k] - 128) * w, 0),
  );
}

async function saved(name: string, changes: Record<string, NamedArray | null>): Promise<string> {
  const arrays = await captured();
  for (const [key, array] of Object.entries(changes)) {
    if (array) arrays.set(key, array);
    else arrays.delete(key);
  }
  const path = join(folder, name);
  writeFileSync(path, await npzBytes(arrays));
  return path;
}

const sums = (data: Int32Array) => ({ 'fc1.accumulator': { shape: [151, 16], data } });

async function compared(capture: string, ...options: string[]) {
  const { stdout, exitCode } = await qdiff([MODEL, capture, ...options, '--reporter', 'json']);
  return { report: JSON.parse(stdout), exitCode, table: (await qdiff([MODEL, capture, ...options])).stdout };
}

describe('accumulators are compared where they are captured', async () => {
  const right = await fc1Sums();
  const wrong = right.map((sum, i) => (i === 35 ? sum + 7 : sum)); // sample 2, channel 3
  const plain = await saved('plain.npz', {});

  it('none captured: nothing is said', async () => {
    const { report, exitCode } = await compared(plain);
    expect([exitCode, report.layers[0].accumulator]).toEqual([0, undefined]);
  });

  it.each([
    ['the capture against the replay', []],
    ['a candidate against the capture', ['--candidate']],
    ['a candidate against the replay on its own input', ['--candidate', 'only']],
  ])('%s', async (_, [flag, only]) => {
    const outcome = async (data: Int32Array) => {
      const own = await saved(`own-${data === right}.npz`, sums(data));
      if (!flag) return compared(own);
      return compared(only ? plain : await saved('with.npz', sums(right)), flag, own);
    };
    const judged = ({ layers, candidate_layers }: { layers: unknown[]; candidate_layers: unknown[] | null }) =>
      (candidate_layers ?? layers)[0];
    const equal = await outcome(right);
    expect(judged(equal.report)).toMatchObject({
      status: 'match',
      accumulator: { values: 2416, mismatched: 0, first_mismatch: null },
    });
    expect([equal.exitCode, equal.report.verdict]).toEqual([0, 'match']);
    const different = await outcome(wrong);
    expect(judged(different.report)).toMatchObject({
      status: 'match',
      accumulator: { mismatched: 1, max_abs_diff: 7, first_mismatch: { sample: 2, channel: 3 } },
    });
    expect([different.exitCode, different.report.verdict]).toEqual([1, 'mismatch']);
    expect(different.table).toContain('note: fc1: 1 of 2416 accumulators differ, by up to 7 (sample 2, channel 3:');
    expect(different.table).toContain('MISMATCH: every output is equal, but accumulators differ');
  });

  it('a candidate whose accumulators hold the bias, as those of golden do', async () => {
    const [{ bias, weight_scale: scales }] = JSON.parse(readFileSync(MODEL, 'utf8')).layers;
    const biased = right.map((sum, i) => sum + Math.round(bias[i % 16] / (0.01738515868782997 * scales[i % 16])));
    const { report, table, exitCode } = await compared(plain, '--candidate', await saved('biased.npz', sums(biased)));
    expect([exitCode, report.candidate_layers[0].accumulator.mismatched]).toEqual([0, 0]);
    expect(table).toContain('note: fc1: its accumulators hold the bias');
  });
});
