import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { schemas } from '../../src/schemas.js';
import { cli } from '../support/cli.js';

const avx2 = {
  name: 'avx2',
  model: 'fixtures/pytorch/iris-avx2/model.json',
  capture: 'fixtures/pytorch/iris-avx2/capture.npz',
};
const vnni = {
  name: 'vnni',
  model: 'fixtures/pytorch/iris-vnni/model.json',
  capture: 'fixtures/pytorch/iris-vnni/capture.npz',
};

const isConfig = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(schemas['qdiff-config']);

/** Plain `qdiff` in a folder with this configuration. */
function configured(models: object[], top: object = {}) {
  const config = { format: 'qdiff-config', version: 1, ...top, models };
  expect(isConfig(JSON.parse(JSON.stringify(config))), JSON.stringify(isConfig.errors)).toBe(true);
  const files = new Map([['qdiff.config.json', JSON.stringify(config)]]);
  return { files, run: cli(files) };
}

test('several models by name in one run, and the verdicts once more at the end', async () => {
  const { run } = configured([avx2, vnni]);
  const { exitCode, stdout, stderr } = await run([]);
  expect([exitCode, stderr]).toEqual([1, '']);
  expect(stdout).toMatch(/^== avx2 ==\nqdiff /);
  expect(stdout).toContain('\n\n== vnni ==\nqdiff ');
  expect(stdout).toMatch(
    /\n\n== 2 models ==\navx2 {2}MISMATCH: 2 of 3 layers differ, 971 of 5285 values\nvnni {2}MATCH: 3 of 3 layers compared; all 5285 values are equal\n$/,
  );
});

test('all match: exit code 0', async () => {
  expect((await configured([vnni, { ...vnni, name: 'again' }]).run(['-q'])).exitCode).toBe(0);
});

test('reporters of the file, each with every model', async () => {
  const { files, run } = configured([avx2, vnni], { reporter: ['junit=r.xml', 'json', 'markdown=r.md'] });
  const { stdout } = await run([]);
  const document = JSON.parse(stdout);
  const isReports = new Ajv2020({ strict: true }).compile(schemas['qdiff-reports']);
  expect(isReports(document), JSON.stringify(isReports.errors)).toBe(true);
  expect(document).toMatchObject({ format: 'qdiff-reports', verdict: 'mismatch' });
  expect(
    document.reports.map((r: { name: string; report: { verdict: string } }) => [r.name, r.report.verdict]),
  ).toEqual([
    ['avx2', 'mismatch'],
    ['vnni', 'match'],
  ]);
  expect(files.get('r.xml')!.match(/<testsuite name="(avx2|vnni)"/g)).toHaveLength(2);
  expect(files.get('r.md')).toContain('### `vnni`: MATCH');
});

describe('settings', () => {
  const settings: [what: string, top: object, own: object, argv: string[], says: string][] = [
    ['of a model', {}, { tol_lsb: 74 }, [], '2 layers within tolerance'],
    ['of all models', { tol_lsb: ['fc1=74', 6] }, {}, [], '2 layers within tolerance'],
    ["a model's replaces that of all", { tol_lsb: 74 }, { tol_lsb: 'fc2=6' }, [], '1 layer within tolerance'],
    ['the command line replaces both', { tol_lsb: 74 }, { tol_lsb: 74 }, ['--tol-lsb', '0'], '2 of 3 layers differ'],
    ['layers', {}, { layer: ['fc2', 'relu*'] }, [], '1 of 2 layers differs'],
    ['kernel', { kernel: 'fbgemm-avx2' }, {}, [], 'MATCH: 3 of 3'],
    ['samples', {}, { samples: '0:1' }, [], '16 values'],
    ['max_mismatched', { max_mismatched: '50%' }, {}, [], '2 layers within tolerance'],
    ['diagnose', { diagnose: false }, {}, [], 'not diagnosed'],
    ['a switch that a model turns off', { fail_fast: true }, { fail_fast: false }, [], '2 of 3 layers differ'],
    [
      'against the replay',
      { kernel: 'fbgemm-avx2' },
      { candidate: vnni.capture, against: 'replay' },
      [],
      '3 of 3 layers differ, 2110',
    ],
    ['candidate', {}, { candidate: avx2.capture }, [], 'MATCH: 3 of 3 layers compared; all 5285 values'],
  ];

  test.each(settings)('%s', async (_, top, own, argv, says) => {
    const { run } = configured([{ ...avx2, ...own }], top);
    const { stdout, stderr } = await run([...argv, '-q']);
    expect([stdout.replaceAll(/\s+/g, ' '), stderr]).toEqual([expect.stringContaining(says), '']);
  });
});

describe('baselines', () => {
  const models = [
    { ...avx2, baseline: 'avx2.baseline.json' },
    { ...vnni, baseline: 'vnni.baseline.json' },
  ];

  test('one for each model', async () => {
    const { files, run } = configured(models);
    expect((await run(['--update-baseline', '-q'])).exitCode).toBe(0);
    expect(JSON.parse(files.get('avx2.baseline.json')!).layers).toHaveLength(2);
    expect(JSON.parse(files.get('vnni.baseline.json')!).layers).toEqual([]);
    expect((await run(['-q'])).exitCode).toBe(0);
  });

  test('none is written where one model cannot run', async () => {
    const { files, run } = configured([...models, { ...avx2, name: 'gone', capture: 'gone.npz' }]);
    const { exitCode, stdout } = await run(['--update-baseline']);
    expect([exitCode, stdout, files.size]).toEqual([2, '', 1]);
  });
});

test('a number that is none, where none belongs, is a problem as any other', async () => {
  const config = JSON.stringify({ format: 'qdiff-config', version: 1, models: [{ ...avx2, other: 0 }] });
  const run = cli(new Map([['qdiff.config.json', config.replace('"other":0', '"other":NaN')]]));
  const { exitCode, stderr } = await run([]);
  expect([exitCode, stderr]).toEqual([
    2,
    expect.stringMatching(/models\[0\]\.other: expected one of name, .*got another field/),
  ]);
});

test('2 wins over 1; the problems of every model are told with its name, and nothing is written', async () => {
  const gone = { name: 'gone', model: 'gone.json', capture: 'gone.npz' };
  const { files, run } = configured([avx2, gone, { ...vnni, layer: 'fc9' }], { reporter: ['table', 'junit=r.xml'] });
  const { exitCode, stdout, stderr } = await run([]);
  expect([exitCode, stdout, files.size]).toEqual([2, '', 1]);
  expect(stderr).toBe(
    'qdiff: gone: gone.json: expected a file, found nothing; check the path\n' +
      'qdiff: vnni: --layer: expected a layer of the model (fc1, relu1, fc2), got fc9; did you mean fc1?\n',
  );
});

test('without arguments and without a configuration', async () => {
  const { exitCode, stdout, stderr } = await cli()([]);
  expect([exitCode, stdout]).toEqual([2, '']);
  expect(stderr).toBe(
    'qdiff: arguments: expected MODEL and CAPTURE, got nothing, and there is no qdiff.config.json; e.g. qdiff model.json capture.npz\n',
  );
});

const refusals: [what: string, config: object, line: string][] = [
  ['no models', { models: [] }, 'qdiff: qdiff.config.json models: expected at least one, got an empty list\n'],
  [
    'a misspelt field',
    { models: [{ ...avx2, tol_lbs: 1 }] },
    'qdiff: qdiff.config.json models[0].tol_lbs: expected one of name, model, capture, candidate, ',
  ],
  [
    'a field of another place',
    { baseline: 'b.json', models: [avx2] },
    'qdiff: qdiff.config.json baseline: expected one of format, version, ',
  ],
  [
    'a wrong option',
    { models: [{ ...avx2, tol_lsb: 'many' }] },
    'qdiff: qdiff.config.json models[0].tol_lsb: expected a whole number such as 1, or LAYER=1, got many\n',
  ],
  ['an unknown kernel', { models: [{ ...avx2, kernel: 'k' }] }, 'qdiff: '],
  [
    'an unknown reporter',
    { reporter: 'junit5', models: [avx2] },
    'qdiff: qdiff.config.json models[0].reporter: expected one of table, ',
  ],
  [
    'a name twice',
    { models: [avx2, avx2] },
    'qdiff: qdiff.config.json models[1].name: expected another than "avx2", which is used; names tell reports apart\n',
  ],
  [
    'a baseline twice',
    {
      models: [
        { ...avx2, baseline: 'b' },
        { ...vnni, baseline: 'b' },
      ],
    },
    'qdiff: qdiff.config.json models[1].baseline: expected another than "b", which is used; each model has its own\n',
  ],
  ['another version', { version: 2, models: [avx2] }, 'qdiff: qdiff.config.json version: expected 1, got 2\n'],
  [
    'a model without a file',
    { models: [{ name: 'a' }] },
    'qdiff: qdiff.config.json models[0].model: expected text, got nothing\n',
  ],
];

test.each(refusals)('refused: %s', async (_, config, line) => {
  const files = new Map([['qdiff.config.json', JSON.stringify({ format: 'qdiff-config', version: 1, ...config })]]);
  const { exitCode, stdout, stderr } = await cli(files)([]);
  expect([exitCode, stdout]).toEqual([2, '']);
  expect(stderr.slice(0, line.length)).toBe(line);
});

test('what is refused is not valid under the schema either, where the schema can say it', () => {
  const at = (config: object) => isConfig({ format: 'qdiff-config', version: 1, ...config });
  expect(at({ models: [avx2] })).toBe(true);
  expect(at({ models: [{ ...avx2, tol_lbs: 1 }] })).toBe(false);
  expect(at({ models: [] })).toBe(false);
  expect(at({ baseline: 'b', models: [avx2] })).toBe(false);
});
