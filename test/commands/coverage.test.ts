/** Captures and candidates of which a part is missing (fixtures/coverage): what is not there does not pass as equal. */
import { copyFileSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { nodeFileSystem } from '../../src/io.js';
import { openNpz } from '../../src/load/npz.js';
import type { LayerReport, Report } from '../../src/nouns/report.js';
import { npzBytes } from '../../src/save/npz.js';
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

  test('judged by the replay: that its captured values stand in is said', async () => {
    const candidate = 'fixtures/coverage/second-machine/candidate.npz';
    const { warnings } = await conv.report('--candidate', candidate, '--against', 'replay');
    expect(warnings.find(({ where }) => where === 'conv')?.message).toMatch(
      /; its captured values stand in for the replay's$/,
    );
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

  test('since its kernel models one step of a runtime: kernels of that runtime that have it are named', async () => {
    const files = ['model.json', 'capture.npz'].map((name) => `fixtures/onnx-export/${name}`);
    const { stdout } = await cli(new Map())([...files, '--kernel', 'tflite-double']);
    expect(stdout.replace(/\s+/g, ' ')).toMatch(
      /kernel tflite-double has no conv2d; tflite-reference, tflite-builtin, tflm have one/,
    );
  });

  const model = JSON.parse(readFileSync(file('second-machine', 'model.json'), 'utf8'));
  model.layers[1].op = 'vendor::conv2d';
  const capture = file('second-machine', 'capture.npz');
  const says = /conv.*vendor::conv2d.*not\s+replayed|conv: op vendor::conv2d is not\s+replayed|conv.*not[\s-]replayed/s;

  test.each([
    ['the comparison', []],
    ['the comparison, propagated', ['--mode', 'propagated']],
    ...['json', 'junit', 'markdown', 'html'].map((name) => [name, ['--reporter', name]] as const),
    ['lint', ['lint', 'm.json']],
    ['lint, as JSON', ['lint', 'm.json', '--reporter', 'json']],
    ['inspect', ['inspect', 'm.json']],
    ['inspect, as JSON', ['inspect', 'm.json', '--reporter', 'json']],
    ['forecast', ['forecast', 'm.json', capture]],
    ['forecast, as JSON', ['forecast', 'm.json', capture, '--reporter', 'json']],
    ['golden', ['golden', 'm.json', capture, '-o', join(mkdtempSync(join(tmpdir(), 'qdiff-')), 'golden')]],
    ['table', ['table', 'm.json']],
    ['table in C', ['table', 'm.json', '--format', 'c']],
    ['table, as JSON', ['table', 'm.json', '--format', 'json']],
    ['explain', ['explain', 'm.json', capture, '--layer', 'conv']],
  ] as const)('is said to be so: %s', async (_, words) => {
    const [command = ''] = words;
    const argv = command === '' || command.startsWith('-') ? ['m.json', capture, ...words] : [...words];
    const { stdout, stderr } = await cli(new Map([['m.json', JSON.stringify(model)]]))(argv);
    expect(says.test(stdout + stderr)).toBe(true);
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

describe('inputs alone', () => {
  const { run } = on('inputs-only');
  const inputs = [file('inputs-only', 'model.json'), file('inputs-only', 'capture.npz')];

  test('are no comparison', async () => {
    const { exitCode, stderr } = await run();
    expect(exitCode).toBe(2);
    expect(stderr).toContain(
      "expected the output of a replayed layer (conv), got only inputs (x); what the model gave goes into it under the layers' names",
    );
  });

  test.each(['npz', 'memh', 'c', 'json'])('give golden vectors (%s)', async (format) => {
    const folder = join(mkdtempSync(join(tmpdir(), 'golden-')), 'golden');
    const { exitCode, stdout } = await cli()(['golden', ...inputs, '--format', format, '-o', folder]);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('1 layer, 8 samples');
    const manifest = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'));
    expect(manifest).toMatchObject({ samples: 8, captured: [], layers: [{ name: 'conv' }] });
  });

  test('are forecast against the declared kernel', async () => {
    const { exitCode, stdout } = await cli()(['forecast', ...inputs, '--reporter', 'json']);
    expect(exitCode).toBe(0);
    const { expected, layers } = JSON.parse(stdout);
    expect(expected).toBe('cmsis-nn');
    expect(layers).toMatchObject([{ name: 'conv', values: 32, changed: { 'cmsis-nn': 0 } }]);
  });

  test('of a chain of layers are forecast as the replay goes on', async () => {
    const capture = join(mkdtempSync(join(tmpdir(), 'inputs-')), 'inputs.npz');
    const { arrays } = await openNpz(nodeFileSystem, 'fixtures/pytorch/iris-avx2/capture.npz');
    const quant = arrays.get('quant')!;
    writeFileSync(capture, await npzBytes(new Map([['quant', { shape: quant.shape, data: await quant.read() }]])));
    const argv = ['forecast', 'fixtures/pytorch/iris-avx2/model.json', capture, '--kernel', 'fbgemm-avx2'];
    const { layers, top1_flips } = JSON.parse((await cli()([...argv, '--reporter', 'json'])).stdout);
    // what differs between the captures of the two CPUs
    expect(layers.map((layer: { changed: object }) => layer.changed)).toEqual([
      { 'fbgemm-avx2': 963 },
      { 'fbgemm-avx2': 841 },
      { 'fbgemm-avx2': 306 },
    ]);
    expect(top1_flips).toEqual({ 'fbgemm-avx2': expect.any(Number) });
    expect((await cli()(argv)).stdout.replaceAll(/\s+/g, ' ')).toContain("differ from the declared kernel's (fbgemm)");
    const without = (await cli()([...argv.slice(0, 3), '--kernel', 'torchao'])).stdout.replaceAll(/\s+/g, ' ');
    expect(without).toContain('or of one before it; of inputs alone no captured values go on from there');
  });

  test('with outputs beside them, golden says where the capture is another', async () => {
    const folder = join(mkdtempSync(join(tmpdir(), 'golden-')), 'golden');
    const iris = ['model.json', 'capture.npz'].map((name) => join('fixtures/pytorch/iris-avx2', name));
    const { stdout } = await cli()(['golden', ...iris, '--kernel', 'fbgemm-avx2', '-o', folder, '--reporter', 'json']);
    expect(JSON.parse(stdout).captured).toEqual([
      { layer: 'fc1', values: 2416, mismatched: 0 },
      { layer: 'fc2', values: 453, mismatched: 0 },
    ]);
    const exact = await cli()(['golden', ...iris, '-o', `${folder}-exact`]);
    expect(exact.stdout).toContain('fc1: 963 of 2416 captured values differ from it\n');
  });
});

describe('accumulators alone', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sums-'));
  const { arrays } = await openNpz(nodeFileSystem, file('inputs-only', 'capture.npz'));
  const x = await arrays.get('x')!.read();
  const [layer] = JSON.parse(readFileSync(file('inputs-only', 'model.json'), 'utf8')).layers;
  const sums = Int32Array.from({ length: 32 }, (_, i) =>
    layer.weight[i % 4].reduce((sum: number, w: number, k: number) => sum + (x[Math.floor(i / 4) * 27 + k] + 5) * w, 0),
  );
  const saved = async (name: string, data: Int32Array) => {
    const path = join(folder, name);
    const values = { x: { shape: [8, 27], data: Int8Array.from(x) }, 'conv.accumulator': { shape: [8, 4], data } };
    writeFileSync(path, await npzBytes(new Map(Object.entries(values))));
    return path;
  };
  const right = await saved('right.npz', sums);
  const wrong = await saved(
    'wrong.npz',
    sums.map((sum, i) => (i === 5 ? sum + 1 : sum)),
  );
  const argv = (capture: string, ...options: string[]) => [file('inputs-only', 'model.json'), capture, ...options];

  test('that are equal', async () => {
    const { exitCode, stdout } = await cli()(argv(right));
    expect(exitCode).toBe(0);
    expect(stdout).toContain('MATCH: 1 of 1 layer compared; all 32 accumulators are equal\n');
  });

  test.each([
    ['the capture', [wrong]],
    ['a candidate', [right, '--candidate', wrong]],
    [
      'a candidate, where the capture has none',
      [join('fixtures/coverage/inputs-only/capture.npz'), '--candidate', wrong, '--against', 'replay'],
    ],
  ])('of which one differs: %s', async (_, [capture, ...options]) => {
    const { exitCode, stdout } = await cli()(argv(capture, ...options, '--reporter', 'json'));
    expect(exitCode).toBe(1);
    const report: Report = JSON.parse(stdout);
    expect((report.candidate_layers ?? report.layers)[0]).toMatchObject({
      values: null,
      accumulator: { values: 32, mismatched: 1, max_abs_diff: 1, first_mismatch: { sample: 1, channel: 1 } },
    });
  });

  test('that differ fail in every format', async () => {
    const files = new Map<string, string>();
    const targets = ['junit', 'github-actions', 'markdown'].flatMap((name) => ['--reporter', `${name}=${name}`]);
    const { stdout } = await cli(files)(argv(wrong, ...targets, '--reporter', 'table'));
    expect(stdout).toContain('MISMATCH: accumulators differ\n');
    expect(files.get('junit')).toContain('<failure message="1 of 32 accumulators differ, by up to 1');
    expect(files.get('junit')).toContain('tests="1" failures="1"');
    expect(files.get('github-actions')).toMatch(/^::error .*::1 of 32 accumulators differ/);
    expect(files.get('markdown')).toContain('its accumulators differ');
  });
});

describe('--against replay', () => {
  const inputs = [file('inputs-only', 'model.json'), file('inputs-only', 'capture.npz')];
  const iris = ['model.json', 'capture.npz'].map((name) => join('fixtures/pytorch/iris-avx2', name));
  const vectors = async (of: string[], kernel: string, format: string) => {
    const folder = join(mkdtempSync(join(tmpdir(), 'golden-')), 'golden');
    const { exitCode } = await cli()(['golden', ...of, '--kernel', kernel, '--format', format, '-o', folder]);
    expect(exitCode).toBe(0);
    return folder;
  };
  const judged = async (argv: string[]) => {
    const { stdout, stderr, exitCode } = await cli()([...argv, '--reporter', 'json']);
    expect([stderr, exitCode < 2]).toEqual(['', true]);
    return JSON.parse(stdout) as Report;
  };

  test.each(['npz', 'memh'])('golden vectors of the same kernel match, of another do not (%s)', async (format) => {
    const argv = [...iris, '--against', 'replay', '--candidate'];
    const own = await judged([...argv, await vectors(iris, 'fbgemm-avx2', format), '--kernel', 'fbgemm-avx2']);
    expect(own).toMatchObject({ verdict: 'match', against: 'replay', coverage: { compared: 2, layers: 3 } });
    // the capture differs from fbgemm's vectors: it is not what is asked
    const exact = await vectors(iris, 'fbgemm', format);
    expect((await judged([...argv, exact, '--kernel', 'fbgemm'])).verdict).toBe('match');
    const { candidate_layers: layers } = await judged([...argv, exact, '--kernel', 'fbgemm-avx2']);
    expect(only(layers!, 'fc1')).toMatchObject({
      mismatched: 963,
      diagnosis: { explained: 963, subject: 'candidate' },
    });
  });

  test('needs the inputs only', async () => {
    const own = ['--candidate', await vectors(inputs, 'cmsis-nn', 'npz')];
    const { exitCode, stderr } = await cli()([...inputs, ...own]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('expected the output of a layer (conv), got x; --against replay needs the inputs only');
    const { stdout, exitCode: match } = await cli()([...inputs, ...own, '--against', 'replay', '--require-replayed']);
    expect(match).toBe(0);
    expect(stdout).toContain('expected = the replay (cmsis-nn, from the captured inputs)');
    expect(stdout.replaceAll('\n', ' ')).toContain('no result of yours was compared; all 32 values are equal');
  });

  test('inputs only, of a model without shapes, and plain files by golden’s names', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'rtl-'));
    const golden = await vectors(iris, 'tflm', 'memh');
    for (const name of ['fc1', 'fc2']) {
      copyFileSync(join(golden, `${name}.output.memh`), join(folder, `${name}.output.memh`));
    }
    const inputsOnly = join(folder, 'x.npy');
    const x = (await openNpz(nodeFileSystem, iris[1])).arrays.get('quant')!;
    writeFileSync(inputsOnly, npy('uint8', x.shape, await x.read()));
    const own = await judged([iris[0], inputsOnly, '--candidate', folder, '--against', 'replay', '--kernel', 'tflm']);
    expect(own).toMatchObject({ verdict: 'match', coverage: { compared: 2, layers: 3 } });
  });

  test('is said in every format', async () => {
    const files = new Map<string, string>();
    const page = '<!--qdiff:title--><!--qdiff:content--><!--qdiff:data-->';
    const targets = ['markdown', 'html', 'junit'].flatMap((name) => ['--reporter', `${name}=${name}`]);
    const exact = await vectors(iris, 'fbgemm', 'npz');
    const argv = [...iris, '--candidate', exact, '--against', 'replay', '--kernel', 'fbgemm-avx2', ...targets];
    const { stdout } = await cli(files, { 'dist/report.html': page })([...argv, '--reporter', 'table']);
    expect(stdout).toContain('The replay: as declared (fbgemm-avx2)');
    expect(stdout).not.toContain('PyTorch');
    expect(files.get('markdown')).toContain('judged by the replay');
    expect(files.get('html')).toContain('expected <bdi>the replay (fbgemm-avx2, from the captured inputs)</bdi>');
    expect(files.get('junit')).toContain('<property name="against" value="replay"/>');
  });

  test('needs a candidate', async () => {
    const { exitCode, stderr } = await cli()([...iris, '--against', 'replay']);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('--against replay: expected --candidate NPZ with it');
  });
});

describe('golden vectors as capture', () => {
  const iris = ['model.json', 'capture.npz'].map((name) => join('fixtures/pytorch/iris-avx2', name));

  test.each(['npz', 'memh'])('%s', async (format) => {
    const folder = join(mkdtempSync(join(tmpdir(), 'golden-')), 'golden');
    await cli()(['golden', ...iris, '--kernel', 'fbgemm-avx2', '--format', format, '-o', folder]);
    const files = format === 'npz' ? [folder, join(folder, 'golden.npz')] : [folder];
    for (const capture of files) {
      const { stdout, exitCode } = await cli()([iris[0], capture, '--reporter', 'json']);
      expect(exitCode).toBe(1);
      const { layers, coverage }: Report = JSON.parse(stdout);
      expect(coverage.not_compared).toEqual(['relu1']);
      expect(only(layers, 'fc1')).toMatchObject({ mismatched: 963, diagnosis: { causes: ['int16-saturation'] } });
      expect((await cli()([iris[0], capture, '--kernel', 'fbgemm-avx2'])).exitCode).toBe(0);
    }
    // the chain begins at what its first layer read
    const again = await cli()(['golden', iris[0], files[0], '--kernel', 'fbgemm-avx2', '-o', `${folder}-again`]);
    expect([again.exitCode, again.stdout]).toEqual([0, expect.stringContaining('2 layers, 151 samples')]);
  });

  test('as C they are not read', async () => {
    const folder = join(mkdtempSync(join(tmpdir(), 'golden-')), 'golden');
    await cli()(['golden', ...iris, '--format', 'c', '-o', folder]);
    const { exitCode, stderr } = await cli()([iris[0], folder]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('manifest.json data: expected golden vectors as npz or memh, got "c"; write them again');
  });
});

describe('what the JSON says of a layer besides', () => {
  const iris = ['model.json', 'capture.npz'].map((name) => join('fixtures/pytorch/iris-avx2', name));
  const reported = async (...options: string[]): Promise<Report> =>
    JSON.parse((await cli()([...iris, ...options, '--reporter', 'json'])).stdout);

  test('samples, as --samples takes them, and the largest difference in real units', async () => {
    const { layers } = await reported();
    const [fc1, relu1, fc2] = layers;
    const { layers: declared } = JSON.parse(readFileSync(iris[0], 'utf8'));
    expect(fc1.max_abs_real).toBe(74 * declared[0].output.scale);
    expect(relu1).toMatchObject({ max_abs_real: 0, samples: { mismatched: 0, ranges: [] } });
    const { mismatched, ranges } = fc2.samples!;
    const alone = await Promise.all(
      ranges.map((range) => reported('--samples', range, '--no-diagnose', '--layer', 'fc2')),
    );
    const counts = alone.map((report) => report.layers[0]);
    expect(counts.every((layer) => layer.samples!.mismatched === layer.values! / 3)).toBe(true);
    expect(counts.reduce((sum, layer) => sum + layer.mismatched!, 0)).toBe(fc2.mismatched);
    expect(counts.reduce((sum, layer) => sum + layer.samples!.mismatched, 0)).toBe(mismatched);
  });

  test('floats differ by their own difference', async () => {
    const { candidate_layers: layers } = await on('second-machine').report(
      '--candidate',
      file('second-machine', 'candidate.npz'),
    );
    const [, conv, dequantize] = layers!;
    expect(conv).toMatchObject({ unit: 'lsb', max_abs_real: 35 * 0.03 });
    expect(dequantize).toMatchObject({ unit: 'ulp', samples: conv.samples });
    expect(dequantize.max_abs_real).toBeCloseTo(35 * 0.03, 6);
  });

  test('fixes: what each side can do, rehearsed by itself; the first is `fix`', async () => {
    const golden = ['--candidate', 'fixtures/pytorch/iris-avx2/golden.npz'];
    const { layers, candidate_layers: own } = await reported(...golden);
    const { fix, rehearsal, fixes } = layers[0].diagnosis!;
    const exact = { mismatched_after_fix: 0 };
    expect(fixes).toMatchObject([
      { subject: 'capture', text: fix, rehearsal },
      { subject: 'capture', text: expect.stringContaining('run on a CPU with AVX512-VNNI'), rehearsal: exact },
    ]);
    expect(fixes[0].code?.[0]).toMatchObject({ language: 'python' }); // a line to paste, where there is one
    expect(own![0].diagnosis!).toMatchObject({ fix, rehearsal });
    expect(own![0].diagnosis!.fixes).toMatchObject([
      ...fixes,
      { subject: 'candidate', text: expect.stringContaining('add raw products in pairs'), rehearsal: exact },
    ]);
    const { candidate_layers: wrong } = await on('only-last-layer').report(
      '--candidate',
      file('only-last-layer', 'candidate-all.npz'),
    );
    const mine = wrong![0].diagnosis!;
    expect(mine.fixes).toMatchObject([
      { subject: 'candidate', text: mine.fix, rehearsal: { mismatched_after_fix: 0 } },
    ]);
  });
});

describe('a candidate that lacks what a layer read', () => {
  const says =
    'the candidate has no fc1, so what actions read is unknown: the difference may come from fc1 or earlier; qdiff forecast of inputs and outputs in one npz names the runtime';

  test('is not said to begin at that layer', async () => {
    const files = new Map<string, string>();
    const page = '<!--qdiff:title--><!--qdiff:content--><!--qdiff:data-->';
    const targets = ['markdown', 'html', 'junit', 'github-actions'].flatMap((name) => [
      '--reporter',
      `${name}=${name}`,
    ]);
    const argv = ['model.json', 'capture.npz', 'candidate.npz'].map((name) => file('only-last-layer', name));
    argv.splice(2, 0, '--candidate');
    const run = cli(files, { 'dist/report.html': page });
    const { stdout, exitCode } = await run([...argv, ...targets, '--reporter', 'table']);
    expect(exitCode).toBe(1);
    for (const text of [stdout, ...files.values()]) {
      expect(text.replaceAll(/\s+/g, ' ')).toContain(says);
      expect(text.toLowerCase()).not.toContain('first divergent layer');
    }
    expect(stdout).toContain('first layer that shows a difference: actions (');
    expect((await run([...argv, '--no-diagnose'])).stdout.replaceAll(/\s+/g, ' ')).toContain(says);
  });

  test('where the layer itself explains it, it does', async () => {
    const all = await on('only-last-layer').run('--candidate', file('only-last-layer', 'candidate-all.npz'));
    expect(all.stdout).toContain('first divergent layer: fc1 (');
    expect(all.stdout).not.toContain('unknown');
  });

  test('that computes layer by layer is explained on the captured input', async () => {
    const model = file('layer-by-layer', 'model.json');
    const argv = [model, file('layer-by-layer', 'capture.npz'), '--candidate'];
    const judged = async (name: string): Promise<Report> =>
      JSON.parse((await cli()([...argv, file('layer-by-layer', name), '--reporter', 'json'])).stdout);
    const [plain, told] = [await judged('candidate.npz'), await judged('candidate-with-input.npz')];
    for (const report of [plain, told]) {
      const causes = report.candidate_layers!.flatMap(({ diagnosis }) => (diagnosis ? [diagnosis.causes] : []));
      expect(causes).toEqual([['bias-missing'], ['bias-missing']]);
    }
    const message = 'explained if it read the captured fc1';
    expect(plain.warnings).toContainEqual({ code: 'captured-input', where: 'fc2', message });
    expect(told.warnings.map(({ code }) => code)).not.toContain('captured-input');
  });
});
