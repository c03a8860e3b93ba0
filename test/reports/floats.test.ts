/** Reports from the public about layers whose values are floats, rebuilt with PyTorch itself: fixtures/reports says what each is. */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
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
    expect(diagnosis.fix).toContain('PyTorch computes as qnnpack does');
    expect(diagnosis.evidence['activation-range'].found.codes).toEqual([0, 255]);
  }
  const { stdout } = await answer('dynamic-other-engine', 'capture.npz');
  expect(stdout).toContain("in the values' own unit");
  expect(stdout).toContain('0: the 8 worst of 32 channels that differ, by up to 0.0324 (0.85% of its range');
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

describe('what is no number is said first, and nothing is sought in it', () => {
  test('in an output', async () => {
    const { layers, exitCode } = await json('nan', 'nan-output.npz');
    expect(exitCode).toBe(1);
    expect(layers[2]).toMatchObject({ mismatched: 2, mean_diff: 0 });
    const { causes, explained, evidence } = layers[2].diagnosis;
    expect([causes, explained]).toEqual([['unexplained'], 0]);
    const nan = { sample: 3, channel: 4, values: 1, samples: ['3:4'] };
    const inf = { sample: 5, channel: 1, values: 1, samples: ['5:6'] };
    expect(evidence.unexplained).toEqual({ not_finite: [{ value: '2', of: 'output', nan, inf }] });
    const { stdout } = await answer('nan', 'nan-output.npz');
    const said = stdout.replace(/\s+/g, ' ');
    expect(said).toContain(
      '! 2: the capture (PyTorch) holds NaN (1 value: sample 3, channel 4) and inf (1 value: sample 5, channel 1)',
    );
    expect(said.indexOf('holds NaN')).toBeLessThan(said.indexOf('mismatched'));
    expect(said).not.toMatch(/hypotheses|reduce_range/);
    expect(stdout).toMatch(/^ +4 .* inf .* NaN, inf$/m); // a channel's row as the layer's
  });

  test('in an input', async () => {
    const { layers } = await json('nan', 'nan-input.npz');
    expect(layers.map((layer: { mismatched: number }) => layer.mismatched)).toEqual([63, 0, 0]);
    const [held] = layers[0].diagnosis.evidence.unexplained.not_finite;
    expect(held).toMatchObject({ value: 'input', of: 'input', nan: { sample: 0, channel: 0, values: 1 } });
    const { stdout } = await answer('nan', 'nan-input.npz');
    expect(stdout).toContain('! 0: the capture (PyTorch): its input (input) holds NaN (1 value: sample 0,');
    expect(stdout).not.toMatch(/hypotheses|reduce_range will/);
  });

  test.each([
    ['nan-output.npz', ['--sample', '3', '--channel', '4']],
    ['nan-input.npz', ['--sample', '0']],
  ])('the next command of %s shows that place, and runs', async (capture, place) => {
    const { stdout } = await answer('nan', capture);
    const next = stdout.match(/^next: qdiff (.*)$/m)![1].split(' ');
    expect(next.slice(-place.length)).toEqual(place);
    expect((await qdiff(next)).exitCode).toBeLessThan(2);
  });

  test('in a candidate', async () => {
    const [model, capture] = ['model.json', 'nan-output.npz'].map((file) => join('fixtures/reports/nan', file));
    const input = join('fixtures/reports/nan', 'nan-input.npz');
    const { stdout } = await qdiff([model, input, '--candidate', capture]);
    expect(stdout.replace(/\s+/g, ' ')).toContain('2: the candidate holds NaN (1 value: sample 3, channel 4)');
    expect(stdout).not.toContain('hypotheses');
  });
});

test('explain quantizes the input as each kernel does', async () => {
  const files = ['model.json', 'capture.npz'].map((file) => join('fixtures/reports/dynamic-other-engine', file));
  const { stdout } = await qdiff(['explain', ...files, '--layer', '0', '--channel', '16', '--reporter', 'json']);
  const { captured, columns } = JSON.parse(stdout);
  expect(columns.map(({ kernel, explains }: { kernel: string; explains: boolean }) => [kernel, explains])).toEqual([
    ['fbgemm', false],
    ['qnnpack', true],
  ]);
  expect(columns[1].value).toBe(captured);
  expect(columns[0].input.scale / columns[1].input.scale).toBeCloseTo(255 / 127, 2);
});
