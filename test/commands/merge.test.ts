import { readFileSync } from 'node:fs';
import { describe, expect, it, test } from 'vitest';
import { cli } from '../support/cli.js';

const folder = (name: string) => `fixtures/pytorch/${name}`;
const pair = (name: string) => [`${folder(name)}/model.json`, `${folder(name)}/capture.npz`];

/** iris-vnni with another scale declared for fc1 and its ReLU: fc1's diagnosis finds it, and fc2's shares it. */
function wrongScale(): Map<string, string> {
  const model = JSON.parse(readFileSync(`${folder('iris-vnni')}/model.json`, 'utf8'));
  for (const layer of model.layers.slice(0, 2)) layer.output.scale *= 1.25;
  return new Map([['wrong-scale.json', JSON.stringify(model)]]);
}

const runs: readonly { name: string; argv: readonly string[]; files?: () => Map<string, string> }[] = [
  { name: 'a mismatch', argv: pair('iris-avx2') },
  { name: 'a match', argv: pair('iris-vnni') },
  { name: 'another model', argv: pair('digits-avx2') },
  { name: 'a candidate', argv: [...pair('iris-avx2'), '--candidate', `${folder('iris-avx2')}/golden.npz`] },
  { name: 'a number that layers share', argv: ['wrong-scale.json', pair('iris-vnni')[1]], files: wrongScale },
  { name: 'the first difference only', argv: [...pair('iris-avx2'), '--fail-fast'] },
  {
    name: 'the first difference of a candidate only',
    argv: [...pair('iris-avx2'), '--fail-fast', '--candidate', `${folder('iris-avx2')}/golden.npz`],
  },
  { name: 'a tolerance', argv: [...pair('iris-avx2'), '--tol-lsb', '6'] },
  { name: 'no diagnosis', argv: [...pair('iris-avx2'), '--no-diagnose', '--require-replayed', '--samples', '3:40'] },
];

describe.each(runs)('$name', ({ argv, files = () => new Map() }) => {
  it.each([1, 2, 3, 5])('%i shards give the report of one process', async (count) => {
    const written = files();
    const run = cli(written);
    const looks = [
      [],
      ['--reporter', 'json'],
      ['-v', '--reporter', 'markdown'],
      ['--sort', 'worst', '--channels', '2'],
      ['--reporter', 'html'],
    ];
    const whole = await Promise.all(looks.map((look) => cli(files())([...argv, ...look])));
    const blobs: string[] = [];
    for (let index = count; index >= 1; index--) {
      blobs.push(`${index}.blob`);
      await run([...argv, '--shard', `${index}/${count}`, '--reporter', `blob=${index}.blob`]);
    }
    for (const [i, look] of looks.entries()) expect(await run(['merge', ...blobs, ...look])).toEqual(whole[i]);
  });

  it('is the same for any number of threads', async () => {
    const [one, two, three] = await Promise.all(
      ['1', '2', '3'].map((threads) => cli(files())([...argv, '--reporter', 'json', '--threads', threads])),
    );
    expect(two).toEqual(one);
    expect(three).toEqual(one);
  });
});

it('shares what a layer before it found, though that is another shard’s', async () => {
  const run = cli(wrongScale());
  const argv = ['wrong-scale.json', pair('iris-vnni')[1], '--reporter', 'json', '--shard'];
  const shards = [];
  for (const shard of ['1/3', '2/3', '3/3']) shards.push(JSON.parse((await run([...argv, shard])).stdout));
  const last = shards.find(({ layers }) => layers[0].name === 'fc2');
  expect(last.layers).toHaveLength(1);
  expect(JSON.stringify(last.layers[0].diagnosis.evidence)).toContain('"same_as":"fc1"');
});

it('merges a baseline', async () => {
  const files = new Map<string, string>();
  const run = cli(files);
  const argv = [...pair('iris-avx2'), '--baseline', 'baseline.json'];
  await run([...argv, '--update-baseline']);
  const baseline = JSON.parse(files.get('baseline.json')!);
  baseline.layers[0].mismatched--;
  baseline.layers.push({ ...baseline.layers[1], name: 'gone' });
  baseline.layers[1].mismatched++;
  files.set('baseline.json', JSON.stringify(baseline));
  const whole = await run([...argv, '--reporter', 'json']);
  expect(JSON.parse(whole.stdout).baseline.changes).toHaveLength(2);
  for (const shard of [2, 1]) await run([...argv, '--shard', `${shard}/2`, '--reporter', `blob=${shard}.blob`]);
  expect(await run(['merge', '2.blob', '1.blob', '--reporter', 'json'])).toEqual(whole);
});

it('makes no blob of blobs', async () => {
  const run = cli(new Map());
  await run([...pair('iris-avx2'), '--reporter', 'blob=a.blob']);
  const { exitCode, stdout, stderr } = await run(['merge', 'a.blob', '--reporter', 'blob']);
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
  expect(stderr).toContain('expected another format, got blob');
});

describe('shards that are no run', () => {
  const blobs = new Map<string, string>();
  const run = cli(blobs);
  const shard = async (name: string, index: number, count: number, argv: readonly string[]) => {
    await run([...argv, '--shard', `${index}/${count}`, '--reporter', `blob=${name}`]);
    return name;
  };
  test.each([
    ['missing', () => [shard('a', 1, 3, pair('iris-avx2'))], 'missing 2, 3'],
    ['doubled', () => [shard('a', 1, 2, pair('iris-avx2')), shard('b', 1, 2, pair('iris-avx2'))], '1/2 again'],
    ['foreign', () => [shard('a', 1, 2, pair('iris-avx2')), shard('b', 2, 2, pair('digits-avx2'))], 'another model'],
    [
      'differently configured',
      () => [shard('a', 1, 2, pair('iris-avx2')), shard('b', 2, 2, [...pair('iris-avx2'), '--tol-lsb', '1'])],
      'other settings: tolLsb',
    ],
    ['of other counts', () => [shard('a', 1, 2, pair('iris-avx2')), shard('b', 2, 3, pair('iris-avx2'))], '3 shards'],
    [
      'of other samples',
      () => [shard('a', 1, 2, pair('iris-avx2')), shard('b', 2, 2, [...pair('iris-avx2'), '--samples', '9'])],
      'other settings: samples',
    ],
  ] as const)('%s', async (_name, make, message) => {
    const made: string[] = [];
    for (const one of make()) made.push(await one);
    const { exitCode, stdout, stderr } = await run(['merge', ...made]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toContain(message);
  });

  it.each([
    ['another format', { format: 'qdiff-report', version: 1 }, 'format'],
    [
      'no runs',
      {
        format: 'qdiff-blob',
        version: 1,
        tool: { name: 'qdiff', version: '1' },
        shard: { index: 1, count: 1 },
        runs: [],
      },
      'runs',
    ],
  ])('%s', async (_name, document, place) => {
    blobs.set('c', JSON.stringify(document));
    const { exitCode, stderr } = await run(['merge', 'c']);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(`c ${place}: expected`);
  });

  it('a layer that the run has not', async () => {
    const blob = JSON.parse(blobs.get(await shard('d', 1, 1, pair('iris-avx2')))!);
    blob.runs[0].part.layers[0].name = '__proto__\u001b[31m';
    blobs.set('d', JSON.stringify(blob));
    const { exitCode, stderr } = await run(['merge', 'd']);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('expected layers of the run, got __proto__');
    expect(stderr).not.toContain('\u001b');
  });
});

it('says what a number of a shard may be', async () => {
  const files = new Map<string, string>();
  const run = cli(files);
  await run([...pair('iris-avx2'), '--shard', '1/1', '--reporter', 'blob=d']);
  files.set('d', files.get('d')!.replace(/"max_abs_diff": ?\d+/, '"max_abs_diff": "much"'));
  const { exitCode, stderr } = await run(['merge', 'd']);
  expect(exitCode).toBe(2);
  expect(stderr).toContain('layers[0].max_abs_diff: expected a number or "inf" or "-inf" or "nan", got "much"');
});

describe('--shard', () => {
  const argv = [...pair('iris-avx2'), '--reporter', 'json', '--shard'];
  const layersOf = (stdout: string) => JSON.parse(stdout).layers.map(({ name }: { name: string }) => name);

  it.each([
    [{ SLURM_ARRAY_TASK_ID: '7', SLURM_ARRAY_TASK_COUNT: '2', SLURM_ARRAY_TASK_MIN: '5', SLURM_ARRAY_TASK_STEP: '2' }],
    [{ SLURM_ARRAY_TASK_ID: '2', SLURM_ARRAY_TASK_COUNT: '2' }],
    [{ JOB_COMPLETION_INDEX: '1', JOB_COMPLETIONS: '2' }],
    [{ CI_NODE_INDEX: '2', CI_NODE_TOTAL: '2' }],
    [{ CIRCLE_NODE_INDEX: '1', CIRCLE_NODE_TOTAL: '2' }],
    [{ BUILDKITE_PARALLEL_JOB: '1', BUILDKITE_PARALLEL_JOB_COUNT: '2' }],
    [{ SYSTEM_JOBPOSITIONINPHASE: '2', SYSTEM_TOTALJOBSINPHASE: '2' }],
    [{ SEMAPHORE_JOB_INDEX: '2', SEMAPHORE_JOB_COUNT: '2' }],
  ])('auto is 2/2 with %o', async (env) => {
    const auto = await cli()([...argv, 'auto'], { env });
    expect(layersOf(auto.stdout)).toEqual(layersOf((await cli()([...argv, '2/2'])).stdout));
    expect(layersOf(auto.stdout)).not.toEqual(layersOf((await cli()([...argv, '1/2'])).stdout));
  });

  it.each([
    [['auto'], {}, '--shard auto: expected SLURM_ARRAY_TASK_ID and'],
    [['auto'], { CI_NODE_INDEX: '0', CI_NODE_TOTAL: '2' }, 'got CI_NODE_INDEX=0, CI_NODE_TOTAL=2'],
    [['auto'], { JOB_COMPLETION_INDEX: '0' }, 'got JOB_COMPLETION_INDEX=0, JOB_COMPLETIONS='],
    [['0/2'], {}, 'expected I/N'],
    [['3/2'], {}, 'expected I/N'],
    [['1/2', '--mode', 'propagated'], {}, '--shard: expected --mode isolated'],
    [['1/2', '--baseline', 'b.json', '--update-baseline'], {}, '--shard: expected one process'],
  ])('%j %o is refused', async (more, env, message) => {
    const { exitCode, stderr } = await cli()([...argv, ...more], { env });
    expect(exitCode).toBe(2);
    expect(stderr).toContain(message);
  });
});
