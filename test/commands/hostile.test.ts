import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { sealed } from '../../src/documents/blob.js';
import type { LayerReport } from '../../src/nouns/report.js';
import { type Files, run } from '../fuzz/io.js';
import { arraysOf, npzOf } from '../fuzz/zipFile.js';
import { npy } from '../support/npz.js';

const iris = 'fixtures/pytorch/iris-avx2';
const json = JSON.parse(readFileSync(`${iris}/model.json`, 'utf8'));
const capture = readFileSync(`${iris}/capture.npz`);
const filesOf = (model: unknown): Files =>
  new Map([
    ['model.json', Buffer.from(JSON.stringify(model))],
    ['capture.npz', capture],
  ]);
const pair = ['model.json', 'capture.npz'];

test('more shards than layers: the last have none, and all of them are the whole', async () => {
  const { code, stdout } = await run([...pair, '--shard', '999999/999999', '--reporter', 'blob'], filesOf(json));
  expect(code).toBe(0);
  expect(JSON.parse(stdout).runs[0].part.layers).toEqual([]);
});

test.each([
  ['a kernel', ['--kernel', `${'k'.repeat(5000)}\u{f0000}`]],
  ['a layer', ['--layer', 'x'.repeat(5000)]],
  ['an option', [`--${'x'.repeat(5000)}\ud800`]],
  ['a value of an option', ['--samples', `\u001b[31m${'9'.repeat(5000)}x`]],
  ['a file', ['--baseline', `${'x'.repeat(5000)}\n::error::`]],
])('%s with a long name: lines of at most 300 characters that steer nothing', async (_, words) => {
  const { code, stderr, stdout } = await run([...pair, ...words], filesOf(json));
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  for (const line of stderr.trimEnd().split('\n')) expect(line.length).toBeLessThanOrEqual(300);
  expect(stderr).not.toMatch(/[\u0000-\u0009\u001b\ud800\u{f0000}]|^::/mu);
});

test('names of the model of any length', async () => {
  const long = structuredClone(json);
  for (const layer of long.layers) layer.input = 'n'.repeat(9000);
  const { code, stderr } = await run(pair, filesOf(long));
  expect(code).toBe(2);
  for (const line of stderr.trimEnd().split('\n')) expect(line).toMatch(/^qdiff: .{20,293}$/);
});

test('why a layer cannot be replayed: names in a reason steer nothing', async () => {
  const chain = structuredClone(json);
  const [first, ...others] = chain.layers;
  chain.layers = [{ name: 'up\ue000\u001b[2J', op: 'other', input: first.input, output: chain.inputs[0] }];
  chain.layers.push({ ...first, input: 'up\ue000\u001b[2J' }, ...others);
  const { code, stderr } = await run(['explain', ...pair, '--layer', first.name], filesOf(chain));
  expect(code).toBe(2);
  expect(stderr).toContain('its input up\\ue000\\x1b[2J was not captured');
});

test.each([
  ['tol_lsb', 'x', /models\[0\]\.tol_lsb: expected a whole number such as 1, or LAYER=1, got x$/],
  ['mode', 'up', /models\[0\]\.mode: expected .*isolated.*, got .*up/],
  ['kernel', 'none', /expected a kernel's name, got "none"/],
])('a wrong %s in the configuration is told of as of a field', async (field, value, message) => {
  const config = {
    format: 'qdiff-config',
    version: 1,
    models: [{ name: 'a', model: pair[0], capture: pair[1], [field]: value }],
  };
  const { code, stderr } = await run([], filesOf(json).set('qdiff.config.json', Buffer.from(JSON.stringify(config))));
  expect(code).toBe(2);
  expect(stderr.trimEnd()).toMatch(message);
});

describe('numbers beyond the usual', () => {
  const layerOf = (fields: object) => ({
    format: 'qdiff-model',
    version: 1,
    inputs: [{ name: 'x', dtype: 'uint8', scale: 0.5, zero_point: 3 }],
    layers: [{ name: 'fc', op: 'linear', input: 'x', weight: [[127, -128]], weight_scale: 1e38, ...fields }],
  });
  const scene = (fields: object, output: Buffer) =>
    new Map([
      ['model.json', Buffer.from(JSON.stringify(layerOf(fields)))],
      [
        'capture.npz',
        npzOf([
          ['x', npy('uint8', [2, 2], [255, 0, 7, 9])],
          ['fc', output],
        ]),
      ],
    ]);

  test('infinite steps are spelt in the JSON of explain', async () => {
    const output = { dtype: 'uint8', scale: 1e-30, zero_point: 0 };
    const files = scene({ output, bias: [1], bias_dtype: 'float32' }, npy('uint8', [2, 1], [0, 255]));
    const { code, stdout } = await run(['explain', ...pair, '--kernel', 'onednn', '--reporter', 'json'], files);
    expect(code).toBeLessThan(2);
    const values = JSON.parse(stdout).columns[0].steps.map((step: { value: unknown }) => step.value);
    expect(values.filter((value: unknown) => value === 'inf' || value === '-inf').length).toBeGreaterThan(0);
  });

  test.each(['cmsis-nn-single', 'tflite-double', 'xnnpack', 'fbgemm'])(
    'a float output under %s is explained',
    async (kernel) => {
      const files = scene({ output: { dtype: 'float32' }, weight_scale: 0.25 }, npy('float32', [2, 1], [1, 2]));
      const { code, stderr } = await run(['explain', ...pair, '--kernel', kernel], files);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    },
  );

  const dynamic = {
    op: 'linear_dynamic',
    input: 'x',
    activation: 'none',
    reduce_range: false,
    output: { dtype: 'float32' },
  };
  const floats = (x: number[], fc: number[]) =>
    npzOf([
      ['x', npy('float32', [1, 2], x)],
      ['fc', npy('float32', [1, 1], fc)],
    ]);

  test.each(['captured', 'candidate'])(
    'inf in the %s input of a dynamic layer: no scale, hence no fixed point',
    async (where) => {
      const layers = [{ name: 'fc', ...dynamic, weight: [[127, -128]], weight_scale: 0.01 }];
      const model = { format: 'qdiff-model', version: 1, inputs: [{ name: 'x', dtype: 'float32' }], layers };
      const inputs = (own: string) => (own === where ? [Number.POSITIVE_INFINITY, 2] : [1, 2]);
      const files = filesOf(model)
        .set('capture.npz', floats(inputs('captured'), [5]))
        .set('candidate.npz', floats(inputs('candidate'), [7]));
      for (const command of [['explain'], []]) {
        const rest = command.length === 0 ? ['--reporter', 'html'] : [];
        const { code, stderr } = await run([...command, ...pair, '--candidate', 'candidate.npz', ...rest], files);
        expect(stderr).toBe('');
        expect(code).toBeLessThan(2);
      }
    },
  );

  test('an int32 output at a scale of its own is said to have no kernel', async () => {
    const output = { dtype: 'int32', scale: 0.01, zero_point: 5 };
    const files = scene({ output, weight_scale: 0.25 }, npy('int32', [2, 1], [1000, -77]));
    const { code, stderr } = await run([...pair, '--kernel', 'ort', '--reporter', 'json'], files);
    expect(code).toBe(2);
    expect(stderr).toContain('kernel ort has no linear with an int32 output at another scale than s_x * s_w');
  });
});

describe('a blob that was changed', async () => {
  const { stdout } = await run([...pair, '--reporter', 'blob'], filesOf(json));
  const merged = async (change: (runs: { part: { layers: LayerReport[] } }[]) => void, forged: boolean) => {
    const blob = JSON.parse(stdout);
    change(blob.runs);
    const text = JSON.stringify(forged ? sealed(blob) : blob);
    return run(['merge', 'a.blob', '--reporter', 'markdown'], new Map([['a.blob', Buffer.from(text)]]));
  };

  test('in numbers that no longer add up, its checksum made again', async () => {
    const { code, stderr } = await merged(([{ part }]) => (part.layers[0].channels![0].mismatched += 1), true);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^qdiff: a\.blob runs\[0\]\.part: expected numbers of fc1 that add up, got others; .*\n$/);
  });

  test('in evidence, which has no schema', async () => {
    const { code, stderr } = await merged(
      ([{ part }]) => (part.layers[0].diagnosis!.evidence = { 'int16-saturation': { pair: {} } }),
      false,
    );
    expect(code).toBe(2);
    expect(stderr).toMatch(/^qdiff: a\.blob runs_crc32: expected the blob as it was written, got a changed one; .*\n$/);
  });

  test('in nothing but its spaces', async () => {
    expect((await merged(() => {}, false)).code).toBe(1);
  });
});

test('a baseline accepts accumulators that it recorded, and no worse ones', async () => {
  const arrays = arraysOf(capture);
  const sums = (first: number) =>
    npy(
      'int32',
      [151, 16],
      Array.from({ length: 151 * 16 }, (_, i) => (i === 0 ? first : 0)),
    );
  const golden = arraysOf(
    Buffer.from((await run(['golden', ...pair, '-o', 'g'], filesOf(json))).written.get('g/golden.npz') as Uint8Array),
  );
  const equal = new Map([...arrays].map(([key, data]) => [key, golden.get(`${key}.output`) ?? data]));
  const withSums = (first: number) =>
    filesOf(json).set('capture.npz', npzOf([...equal, ['fc1.accumulator', sums(first)]]));
  const layer = ['--layer', 'fc1'];
  expect((await run([...pair, ...layer], withSums(0))).code).toBe(1);
  const recorded = await run([...pair, ...layer, '--baseline', 'b.json', '--update-baseline'], withSums(0));
  expect(recorded.code).toBe(0);
  const judged = (first: number) => {
    const files = withSums(first).set('b.json', Buffer.from(String(recorded.written.get('b.json'))));
    return run([...pair, ...layer, '--baseline', 'b.json', '--reporter', 'json'], files);
  };
  expect((await judged(0)).code).toBe(0);
  const worse = await judged(2 ** 30);
  expect(worse.code).toBe(1);
  expect(JSON.parse(worse.stdout).baseline.changes).toMatchObject([{ layer: 'fc1', change: 'larger' }]);
});

test('a model of which nothing is captured has no value to explain', async () => {
  const files = filesOf(json).set('capture.npz', npzOf([['quant', arraysOf(capture).get('quant')!]]));
  const { code, stderr } = await run(['explain', ...pair], files);
  expect({ code, stderr }).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/^qdiff: .*expected .*, got .*\n$/),
  });
});

describe('a chain of 4,000 layers of which the last is captured, each of the value before with itself', () => {
  const output = { dtype: 'uint8', scale: 0.1, zero_point: 3 };
  const layers = Array.from({ length: 4000 }, (_, i) => {
    const before = i === 0 ? 'quant' : `l${i - 1}`;
    return { name: `l${i}`, op: 'add', input: [before, before], output };
  });
  const values = npzOf([
    ['quant', npy('uint8', [2, 4], [1, 2, 3, 4, 5, 6, 7, 8])],
    ['l3999', npy('uint8', [2, 4], [3, 3, 3, 3, 3, 3, 3, 3])],
  ]);
  const files = filesOf({ ...json, inputs: [{ name: 'quant', ...output }], layers }).set('c.npz', values);

  test.each([
    ['compared', ['model.json', 'c.npz', '--no-diagnose']],
    ['in explain', ['explain', 'model.json', 'c.npz', '--layer', 'l3999']],
    ['of a candidate', ['model.json', 'c.npz', '--candidate', 'c.npz', '--against', 'replay', '--layer', 'l3999']],
  ])('%s', async (_, argv) => {
    const { code, stderr } = await run(argv, files);
    expect(stderr).toBe('');
    expect(code).toBeLessThan(2);
  });
});

test('the time of forecast grows with the layers, not with their square', async () => {
  const layers = Array.from({ length: 24_000 }, (_, i) => {
    const input = i === 0 ? 'quant' : `l${i - 1}`;
    return { name: `l${i}`, op: 'flatten', input, start_dim: 1 };
  });
  const files = filesOf({ ...json, layers }).set(
    'c.npz',
    npzOf([['quant', npy('uint8', [2, 4], [1, 2, 3, 4, 5, 6, 7, 8])]]),
  );
  const { code, stderr } = await run(['forecast', 'model.json', 'c.npz', '--kernel', 'qnnpack'], files);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
}, 15_000); // 27 s where each layer looked at all

test('a layer whose name is as long as an npz allows has no room there for what golden adds to it', async () => {
  const [first, ...others] = json.layers;
  const name = 'n'.repeat(65_535);
  const layers = [{ ...first, name }, { ...others[0], input: name }, ...others.slice(1)];
  const { code, stdout, stderr } = await run(['golden', ...pair, '-o', 'g'], filesOf({ ...json, layers }));
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(
    /^qdiff: n+\.\.\.n+\.input: expected at most 65535 bytes, .*, got 65545; rename the layer, .*\n$/,
  );
});
