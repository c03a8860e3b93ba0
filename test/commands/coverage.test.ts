/** Captures and candidates of which a part is missing (fixtures/coverage): what is not there does not pass as equal. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { LayerReport, Report } from '../../src/nouns/report.js';
import { cli } from '../support/cli.js';
import type { Json } from '../support/models.js';
import { npy, npz } from '../support/npz.js';

const ROOT = 'fixtures/coverage';
const file = (set: string, name: string) => join(ROOT, set, name);

/** Ops that no file of qdiff's will ever replay. */
function withoutEngines(model: Json): void {
  for (const layer of model.layers) if (!layer.weight && layer.op !== 'relu') layer.op = `vendor::${layer.op}`;
}

/** qdiff on a set, with its model changed. */
function on(set: string, change: (model: Json) => void = () => {}, files = new Map<string, string>()) {
  const model = JSON.parse(readFileSync(file(set, 'model.json'), 'utf8'));
  change(model);
  files.set('model.json', JSON.stringify(model));
  const run = cli(files);
  const argv = (options: readonly string[]) => ['model.json', file(set, 'capture.npz'), ...options];
  return {
    run: (...options: string[]) => run(argv(options)),
    report: async (...options: string[]): Promise<Report> => {
      const { stdout, stderr } = await run(argv([...options, '--reporter', 'json']));
      expect(stderr).toBe('');
      return JSON.parse(stdout);
    },
  };
}

const only = (layers: readonly LayerReport[], name: string) => layers.find((layer) => layer.name === name)!;

describe('a layer that is not replayed', () => {
  const conv = on('second-machine', (model) => {
    model.layers[1].op = 'vendor::conv2d';
  });

  test('is part of the verdict', async () => {
    const { exitCode, stdout } = await conv.run();
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^MATCH of 2 of 3 layers; conv was compared with nothing; all 256 values are equal$/m);
    expect(stdout).toMatch(/note: conv: .*; another capture of it is compared\n +with --candidate/);
    const { verdict, coverage } = await conv.report();
    expect({ verdict, coverage }).toEqual({
      verdict: 'match',
      coverage: { compared: 2, layers: 3, not_compared: ['conv'] },
    });
  });

  test('fails the run where it is required', async () => {
    const { exitCode, stdout } = await conv.run('--require-replayed', '-q');
    expect(exitCode).toBe(1);
    expect(stdout.replaceAll('\n', ' ')).toContain(
      'not everything that is required was compared; conv was compared with',
    );
  });

  test('is compared with another capture', async () => {
    const {
      candidate_layers: layers,
      coverage,
      first_divergence,
    } = await conv.report('--candidate', file('second-machine', 'candidate.npz'));
    expect(only(layers!, 'conv')).toMatchObject({ values: 128, mismatched: 111, max_abs_diff: 35, diagnosis: null });
    expect(only(layers!, 'dequantize').diagnosis).toMatchObject({ causes: ['inherited'] });
    expect({ coverage, first_divergence }).toEqual({
      coverage: { compared: 3, layers: 3, not_compared: [] },
      first_divergence: 'conv',
    });
  });

  test('is compared where nothing else is', async () => {
    const { run, report } = on('nothing-replayed', withoutEngines);
    const candidate = ['--candidate', file('nothing-replayed', 'candidate.npz')];
    const { exitCode, stdout } = await run(...candidate);
    expect(exitCode).toBe(1);
    expect(stdout).toContain('not replayed, so not explained');
    const { candidate_layers: layers } = await report(...candidate);
    expect(layers).toMatchObject([{ values: 200, mismatched: 39, unit: 'lsb' }]);
  });

  test('alone is a problem of the model, which is named with what is replayed', async () => {
    const { exitCode, stdout, stderr } = await on('nothing-replayed', withoutEngines).run();
    expect([exitCode, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(
      /^qdiff: model.json layers: expected a layer that is replayed \(linear, .*\), got vendor::add; --candidate compares/,
    );
  });

  test('is compared by its codes where the file does not say what they are', async () => {
    const { report } = on('nothing-replayed', (model) => {
      withoutEngines(model);
      delete model.layers[0].output;
    });
    const { candidate_layers: layers } = await report('--candidate', file('nothing-replayed', 'candidate.npz'));
    expect(layers).toMatchObject([{ values: 200, mismatched: 39, max_abs_diff: 1, unit: 'lsb' }]);
  });

  test('under a kernel without its steps is compared too', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'steps-'));
    const at = (name: string) => join(folder, name);
    const values = (y: number[]) => npz({ x: npy('float32', [2, 2], [1, 2, 3, 4]), fc: npy('float32', [2, 1], y) });
    const fc = { name: 'fc', op: 'linear_dynamic', input: 'x', weight: [[1, 2]], weight_scale: 1, reduce_range: false };
    const inputs = [{ name: 'x', dtype: 'float32' }];
    const layers = [{ ...fc, output: { dtype: 'float32' } }];
    writeFileSync(at('model.json'), JSON.stringify({ format: 'qdiff-model', version: 1, inputs, layers }));
    writeFileSync(at('capture.npz'), values([5, 11]));
    writeFileSync(at('candidate.npz'), values([5, 12]));
    const argv = [at('model.json'), at('capture.npz'), '--kernel', 'cmsis-nn'];
    const alone = await cli()(argv);
    expect(alone.exitCode).toBe(2);
    expect(alone.stderr).toContain('got none; fc: kernel cmsis-nn has no dynamic linear');
    const both = await cli()([...argv, '--candidate', at('candidate.npz')]);
    expect(both.exitCode).toBe(1);
    expect(both.stdout).toContain('MISMATCH: 1 of 1 layer differs, 1 of 2 values');
  });
});

describe('nothing left to compare', () => {
  test('is exit 2, and why', async () => {
    const { exitCode, stdout, stderr } = await on('only-relu').run('--layer', 'fc1');
    expect([exitCode, stdout]).toEqual([2, '']);
    expect(stderr).toBe(
      'qdiff: model.json: expected a layer that can be compared, got none; fc1: replayed, but its output was not captured\n',
    );
  });
});
