import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { schemas } from '../../src/schemas.js';
import { cli } from '../support/cli.js';

const avx2 = ['fixtures/pytorch/iris-avx2/model.json', 'fixtures/pytorch/iris-avx2/capture.npz'];
const vnni = ['fixtures/pytorch/iris-vnni/model.json', 'fixtures/pytorch/iris-vnni/capture.npz'];
const withBaseline = ['--baseline', 'baseline.json'];
const update = [...withBaseline, '--update-baseline'];

/** A command whose folder has the baseline of iris-avx2. */
async function recorded() {
  const files = new Map<string, string>();
  const run = cli(files);
  expect((await run([...avx2, ...update])).exitCode).toBe(0);
  return { files, run };
}

interface Recorded {
  name: string;
  mismatched: number;
  max_abs_diff: number;
  causes: string[];
  channels: { mismatched: number; max_abs_diff: number }[];
}

/** The recorded document, changed by hand. */
function edit(files: Map<string, string>, change: (baseline: { layers: Recorded[] }) => void) {
  const baseline = JSON.parse(files.get('baseline.json')!);
  change(baseline);
  files.set('baseline.json', JSON.stringify(baseline));
}

test('the recorded file, verbatim: a line a channel, in order', async () => {
  const { files } = await recorded();
  expect(files.get('baseline.json')).toBe(`{
  "format": "qdiff-baseline",
  "version": 1,
  "kernel": "fbgemm",
  "mode": "isolated",
  "layers": [
    {
      "name": "fc1",
      "mismatched": 963,
      "max_abs_diff": 74,
      "causes": ["int16-saturation"],
      "channels": [
        {"channel": 0, "mismatched": 91, "max_abs_diff": 42},
        {"channel": 1, "mismatched": 91, "max_abs_diff": 62},
        {"channel": 2, "mismatched": 91, "max_abs_diff": 27},
        {"channel": 3, "mismatched": 37, "max_abs_diff": 53},
        {"channel": 4, "mismatched": 91, "max_abs_diff": 56},
        {"channel": 5, "mismatched": 73, "max_abs_diff": 44},
        {"channel": 7, "mismatched": 85, "max_abs_diff": 58},
        {"channel": 8, "mismatched": 91, "max_abs_diff": 74},
        {"channel": 9, "mismatched": 90, "max_abs_diff": 57},
        {"channel": 10, "mismatched": 54, "max_abs_diff": 42},
        {"channel": 11, "mismatched": 91, "max_abs_diff": 53},
        {"channel": 12, "mismatched": 76, "max_abs_diff": 58},
        {"channel": 15, "mismatched": 2, "max_abs_diff": 4}
      ]
    },
    {
      "name": "fc2",
      "mismatched": 8,
      "max_abs_diff": 6,
      "causes": ["int16-saturation"],
      "channels": [
        {"channel": 1, "mismatched": 2, "max_abs_diff": 1},
        {"channel": 2, "mismatched": 6, "max_abs_diff": 6}
      ]
    }
  ]
}
`);
  const validate = new Ajv2020({ strict: true }).compile(schemas['qdiff-baseline']);
  expect(validate(JSON.parse(files.get('baseline.json')!)), JSON.stringify(validate.errors)).toBe(true);
});

test('what is recorded is accepted', async () => {
  const { run } = await recorded();
  const { exitCode, stdout } = await run([...avx2, ...withBaseline]);
  expect(exitCode).toBe(0);
  expect(stdout).toContain('int16-saturation (within baseline)');
  expect(stdout).toMatch(/^MATCH: 3 of 3 layers compared; .* accepted; 2 layers\nwithin baseline$/m);
  expect(stdout).not.toContain('baseline: ');
});

describe('the regression of one weight', () => {
  const model = JSON.parse(readFileSync(avx2[0], 'utf8'));
  model.layers[0].weight[6][1] += 5; // channel 6 does not differ in the baseline
  const changed = ['fixtures/pytorch/iris-avx2/changed.json', avx2[1]];

  test('fails, and the channel is named', async () => {
    const { files, run } = await recorded();
    files.set(changed[0], JSON.stringify(model));
    const { exitCode, stdout } = await run([...changed, ...withBaseline]);
    expect(exitCode).toBe(1);
    expect(stdout.replaceAll(/\s+/g, ' ')).toMatch(
      /explained differently than in the baseline: fc1: \d+ values by up to 74 lsb \(int16-saturation \+ weight-value\), recorded 963 by up to 74 \(int16-saturation\); channel 6 \(\d+ values by up to \d+, new\)/,
    );
    expect(stdout).toContain('MISMATCH: 1 of 3 layers differs');
  });

  test('is in the JSON report as data', async () => {
    const { files, run } = await recorded();
    files.set(changed[0], JSON.stringify(model));
    const report = JSON.parse((await run([...changed, ...withBaseline, '--reporter', 'json'])).stdout);
    expect(report.verdict).toBe('mismatch');
    expect(report.first_divergence).toBe('fc1');
    expect(report.layers.map((l: { accepted: unknown }) => l.accepted)).toEqual([null, null, 'baseline']);
    expect(report.baseline.updated).toBe(false);
    const [change, ...others] = report.baseline.changes;
    expect(others).toEqual([]);
    expect(change).toMatchObject({ layer: 'fc1', change: 'explained-differently' });
    expect(change.channels.map((c: { channel: number }) => c.channel)).toEqual([6]);
  });
});

describe('the capture of a CPU with VNNI', () => {
  test('is better than the baseline, and passes', async () => {
    const { run } = await recorded();
    const { exitCode, stdout } = await run([...vnni, ...withBaseline]);
    expect(exitCode).toBe(0);
    expect(stdout).toContain(`
baseline: better than baseline: fc1: nothing differs, recorded 963 by up to 74
baseline: better than baseline: fc2: nothing differs, recorded 8 by up to 6
baseline: baseline.json: --update-baseline records what got better
`);
  });

  test('is recorded if asked; then the old differences are new', async () => {
    const { files, run } = await recorded();
    expect((await run([...vnni, ...update])).stdout).toContain('baseline: baseline.json: written\n');
    expect(JSON.parse(files.get('baseline.json')!).layers).toEqual([]);
    const { exitCode, stdout } = await run([...avx2, ...withBaseline]);
    expect(exitCode).toBe(1);
    expect(stdout).toContain('baseline: not in the baseline: fc2: 8 values by up to 6 lsb (int16-saturation);\n');
  });
});

const edits: [what: string, edit: (layers: Recorded[]) => void, exitCode: number, says: string][] = [
  [
    'a channel one value larger',
    (l) => l[0].channels[0].mismatched--,
    1,
    'channel 0 (91 values by up to 42, recorded 90 by up to 42)',
  ],
  [
    'a channel by one more step',
    (l) => l[0].channels[0].max_abs_diff--,
    1,
    'channel 0 (91 values by up to 42, recorded 91 by up to 41)',
  ],
  [
    'a new channel',
    (l) => l[1].channels.shift(),
    1,
    'larger than baseline: fc2: 8 values by up to 6 lsb, recorded 8 by up to 6; channel 1 (2 values by up to 1, new)',
  ],
  [
    'a layer with more values',
    (l) => l[1].mismatched--,
    1,
    'larger than baseline: fc2: 8 values by up to 6 lsb, recorded 7 by up to 6',
  ],
  [
    'a layer by more',
    (l) => l[1].max_abs_diff--,
    1,
    'larger than baseline: fc2: 8 values by up to 6 lsb, recorded 8 by up to 5',
  ],
  [
    'a new layer',
    (l) => l.pop(),
    1,
    'not in the baseline: fc2: 8 values by up to 6 lsb (int16-saturation); channel 1 (2 values by up to 1), channel 2 (6 values by up to 6)',
  ],
  [
    'another cause',
    (l) => Object.assign(l[1], { causes: ['bias-int32'] }),
    1,
    'explained differently than in the baseline: fc2: 8 values by up to 6 lsb (int16-saturation), recorded 8 by up to 6 (bias-int32)',
  ],
  ['a cause less', (l) => l[1].causes.push('bias-int32'), 1, 'explained differently than in the baseline: fc2'],
  [
    'a channel that is smaller',
    (l) => l[1].channels[0].mismatched++,
    0,
    'better than baseline: fc2: 8 values by up to 6 lsb, recorded 8 by up to 6',
  ],
  [
    'one channel smaller, another larger',
    (l) => {
      l[1].channels[0].mismatched++;
      l[1].channels[1].mismatched--;
    },
    1,
    'larger than baseline: fc2: 8 values by up to 6 lsb, recorded 8 by up to 6; channel 2 (6 values by up to 6, recorded 5 by up to 6)',
  ],
  [
    'an infinite record',
    (l) => Object.assign(l[1], { max_abs_diff: 'inf' }),
    0,
    'better than baseline: fc2: 8 values by up to 6 lsb, recorded 8 by up to inf',
  ],
  [
    'a layer that the model lacks',
    (l) => l.push({ ...l[1], name: 'gone' }),
    0,
    'gone: recorded in baseline.json, but not a layer of the model',
  ],
  ['layers in another order', (l) => l.reverse(), 0, '2 layers within baseline'],
];

test.each(edits)('against a record: %s', async (_, change, exitCode, says) => {
  const { files, run } = await recorded();
  edit(files, ({ layers }) => change(layers));
  const result = await run([...avx2, ...withBaseline, '-v']);
  const text = result.stdout.replaceAll(/\s+/g, ' ');
  expect(text).toContain(says);
  expect(result.exitCode).toBe(exitCode);
});

test('--layer updates those layers only', async () => {
  const { files, run } = await recorded();
  const before = JSON.parse(files.get('baseline.json')!);
  edit(files, ({ layers }) => Object.assign(layers[0], { mismatched: 1 }));
  await run([...vnni, '--layer', 'fc2', ...update]);
  expect(JSON.parse(files.get('baseline.json')!).layers).toEqual([{ ...before.layers[0], mismatched: 1 }]);
});

test('--fail-fast goes on past what is accepted', async () => {
  const { files, run } = await recorded();
  edit(files, ({ layers }) => layers.pop());
  const { stdout } = await run([...avx2, ...withBaseline, '--fail-fast', '-q']);
  expect(stdout).toContain('first divergent layer: fc2');
});

test('a candidate is judged, not the replay', async () => {
  const files = new Map<string, string>();
  const run = cli(files);
  const own = [...avx2, '--candidate', avx2[1]];
  expect((await run([...own, ...update])).exitCode).toBe(0);
  expect(JSON.parse(files.get('baseline.json')!).layers).toEqual([]);
});

const refusals: [what: string, argv: string[], content: string | null, line: string][] = [
  [
    'none',
    withBaseline,
    null,
    'qdiff: baseline.json: expected a baseline, found nothing; --update-baseline creates it\n',
  ],
  [
    'update without a file',
    ['--update-baseline'],
    null,
    'qdiff: --update-baseline: expected --baseline FILE with it, got none; e.g. --baseline baseline.json\n',
  ],
  [
    'not writable',
    ['--baseline', 'locked/b.json', '--update-baseline'],
    null,
    'qdiff: locked/b.json: expected a file that can be written, got EACCES; check that its folder may be written to\n',
  ],
  ['no JSON', withBaseline, '{', 'qdiff: baseline.json line 1 column 2: '],
  [
    'another format',
    withBaseline,
    '{"format": "qdiff-report", "version": 1}',
    'qdiff: baseline.json format: expected "qdiff-baseline", got "qdiff-report"\n',
  ],
  [
    'another version',
    withBaseline,
    '{"format": "qdiff-baseline", "version": 2}',
    'qdiff: baseline.json version: expected 1, got 2\n',
  ],
  [
    'a wrong field',
    withBaseline,
    '{"format": "qdiff-baseline", "version": 1, "kernel": "fbgemm", "mode": "isolated", "layers": [{"name": "fc1", "mismatched": -1, "max_abs_diff": "many", "causes": [], "channels": []}]}',
    'qdiff: baseline.json layers[0].mismatched: ',
  ],
  [
    'a layer twice',
    withBaseline,
    JSON.stringify({
      format: 'qdiff-baseline',
      version: 1,
      kernel: 'fbgemm',
      mode: 'isolated',
      layers: [0, 1].map(() => ({ name: 'fc1', mismatched: 1, max_abs_diff: 1, causes: [], channels: [] })),
    }),
    'qdiff: baseline.json layers[1].name: expected a layer once, got "fc1" again; keep one of them\n',
  ],
  [
    'another kernel',
    withBaseline,
    '{"format": "qdiff-baseline", "version": 1, "kernel": "qnnpack", "mode": "isolated", "layers": []}',
    'qdiff: baseline.json: expected a baseline of kernel fbgemm, mode isolated, got one of kernel qnnpack, mode isolated; --update-baseline records it again\n',
  ],
];

test.each(refusals)('refused: %s', async (_, argv, content, line) => {
  const files = new Map(content === null ? [] : [['baseline.json', content]]);
  const { exitCode, stdout, stderr } = await cli(files)([...avx2, ...argv]);
  expect([exitCode, stdout]).toEqual([2, '']);
  expect(stderr.slice(0, line.length)).toBe(line);
  expect(files.get('baseline.json') ?? null).toBe(content);
});

test('every format for CI names the channel of the regression, and what got better', async () => {
  const model = JSON.parse(readFileSync(avx2[0], 'utf8'));
  model.layers[0].weight[6][1] += 5;
  const changed = ['fixtures/pytorch/iris-avx2/changed.json', avx2[1]];
  const { files, run } = await recorded();
  files.set(changed[0], JSON.stringify(model));
  const targets = ['junit=r.xml', 'markdown=r.md', 'github-actions=r.txt'].flatMap((t) => ['--reporter', t]);
  expect((await run([...changed, ...withBaseline, ...targets])).exitCode).toBe(1);
  for (const file of ['r.xml', 'r.md', 'r.txt']) {
    expect(files.get(file)).toMatch(
      /explained differently than in the baseline: fc1: .*; channel 6 \(\d+ values by up to \d+, new\)/,
    );
  }
  expect((await run([...vnni, ...withBaseline, ...targets])).exitCode).toBe(0);
  for (const file of ['r.xml', 'r.md', 'r.txt']) {
    expect(files.get(file)).toContain('better than baseline: fc1: nothing differs, recorded 963 by up to 74');
  }
});
