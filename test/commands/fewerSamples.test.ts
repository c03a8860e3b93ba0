/** A candidate that ran a part of the capture's samples: with --samples it is judged as one that ran all of them. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, test } from 'vitest';
import { nodeFileSystem } from '../../src/io.js';
import { openNpz } from '../../src/load/npz.js';
import { npzBytes, type RuntimeArray } from '../../src/save/npz.js';
import { cli } from '../support/cli.js';

const qdiff = cli();

/** Rows of these samples of an npz, in one of its own. samples: of the capture. */
async function cutFile(path: string, samples: number, [from, to]: readonly [number, number]): Promise<string> {
  const file = await openNpz(nodeFileSystem, path);
  const arrays = new Map<string, RuntimeArray>();
  for (const [name, source] of file.arrays) {
    const [rows, ...dims] = source.shape;
    const [start, end] = name === 'producer' ? [0, rows] : [from, to].map((sample) => (sample * rows) / samples);
    if (name !== 'batch_sizes')
      arrays.set(name, { shape: [end - start, ...dims], data: await source.read(start, end) });
  }
  await file.close();
  const cut = join(mkdtempSync(join(tmpdir(), 'fewer-')), 'mine.npz');
  writeFileSync(cut, await npzBytes(arrays));
  return cut;
}

const iris = {
  files: ['model.json', 'capture.npz'],
  folder: 'pytorch/iris-avx2',
  candidate: 'golden.npz',
  samples: 151,
};
const network = {
  files: ['model.tflite', 'captured-ref.npz'],
  folder: 'tflite/squeeze-excite',
  candidate: 'captured-xnn.npz',
  samples: 2,
};
const streaming = { ...network, folder: 'tflite/streaming-int8', samples: 40 };
const recurrent = { ...network, folder: 'tflite/lstm-int8', samples: 12 };
const dynamic = { ...iris, folder: 'kernels/fbgemm/dynamic', candidate: 'capture.npz', samples: 7 };

type Leaf = typeof iris;
const inputsOf = ({ folder, files }: Leaf) => files.map((file) => `fixtures/${folder}/${file}`);
const candidateOf = ({ folder, candidate }: Leaf) => `fixtures/${folder}/${candidate}`;

test.each([
  ['the first', iris, [0, 10]],
  ['some in the middle', iris, [37, 64]],
  ['the last', iris, [150, 151]],
  ['one image', network, [1, 2]],
  ['the first calls of a state', streaming, [0, 5]],
  ['the first calls of an LSTM', recurrent, [0, 4]],
] as const)('%s', async (_, leaf, [from, to]) => {
  const whole = candidateOf(leaf);
  const part = await cutFile(whole, leaf.samples, [from, to]);
  const judged = async (words: readonly string[], candidate: string) => {
    const argv = [...words, ...inputsOf(leaf), '--candidate', candidate, '--samples', `${from}:${to}`];
    const { stdout, stderr, exitCode } = await qdiff([...argv, '--reporter', 'json']);
    return {
      exitCode,
      stderr: stderr.replaceAll(candidate, ''),
      stdout: stdout.replaceAll(JSON.stringify(candidate), ''),
    };
  };
  for (const words of [[], ['explain']]) {
    const expected = await judged(words, whole);
    expect([0, 1], expected.stderr).toContain(expected.exitCode);
    expect(await judged(words, part)).toEqual(expected);
  }
});

it('is told on the next command too, also behind shards', async () => {
  const files = new Map<string, string>();
  const run = cli(files);
  const part = await cutFile(candidateOf(iris), 151, [20, 30]);
  const argv = [...inputsOf(iris), '--candidate', part, '--samples', '20:30'];
  const whole = await run(argv);
  expect(whole.stdout).toMatch(/next: qdiff explain .* --samples 20:30/);
  for (const i of [1, 2]) await run([...argv, '--shard', `${i}/2`, '--reporter', `blob=${i}.blob`]);
  expect((await run(['merge', '1.blob', '2.blob'])).stdout).toBe(whole.stdout);
});

it('is some calls of an LSTM that each begin anew', async () => {
  const leaf = { ...recurrent, files: ['model.tflite', 'captured-reset.npz'], candidate: 'captured-reset.npz' };
  const candidate = await cutFile(candidateOf(leaf), leaf.samples, [3, 5]);
  const { stderr, stdout, exitCode } = await qdiff([
    ...inputsOf(leaf),
    ...['--candidate', candidate, '--samples', '3:5', '--kernel', 'tflm'],
  ]);
  expect([exitCode, stderr]).toEqual([0, '']);
  expect(stdout).toContain('MATCH');
});

test.each([
  ['a range of a call', dynamic, [2, 4], 'takes its range from a whole call, got 2:4'],
  ['a state of earlier calls', streaming, [3, 9], 'keeps a state from call to call, got 3:9'],
  ['what an LSTM has read before', recurrent, [3, 9], 'keeps a state from call to call, got 3:9'],
] as const)('%s is not known of some samples', async (_, leaf, [from, to], said) => {
  const part = await cutFile(candidateOf(leaf), leaf.samples, [from, to]);
  const { stderr, stdout, exitCode } = await qdiff([
    ...inputsOf(leaf),
    ...['--candidate', part, '--samples', `${from}:${to}`],
  ]);
  expect([exitCode, stdout]).toEqual([2, '']);
  expect(stderr).toContain(said);
});

it('is asked for where it is not said, or is another number', async () => {
  const part = await cutFile(candidateOf(iris), 151, [0, 10]);
  for (const options of [[], ['--samples', '12']]) {
    const { stderr, stdout, exitCode } = await qdiff([...inputsOf(iris), '--candidate', part, ...options]);
    expect([exitCode, stdout]).toEqual([2, '']);
    expect(stderr).toContain('expected 151 samples (as the capture has), got 10');
    expect(stderr).toContain('if they are the first, add --samples 10');
  }
});

it('also of a plain file', async () => {
  const file = await openNpz(nodeFileSystem, candidateOf(iris));
  const path = join(mkdtempSync(join(tmpdir(), 'fewer-')), 'fc1.csv');
  writeFileSync(path, Array.from(await file.arrays.get('fc1')!.read(0, 10)).join('\n'));
  await file.close();
  const argv = [...inputsOf(iris), '--candidate', path];
  expect((await qdiff(argv)).stderr).toContain('10 of 151 samples; if they are the first, add --samples 10');
  expect((await qdiff([...argv, '--samples', '10'])).stdout).toContain('fc1   linear    160');
});

test.each([
  ['the first', '4', [0, 4]],
  ['others', '20:30', [20, 30]],
] as const)('words for $readmemh of %s alone', async (_, samples, [from, to]) => {
  const file = await openNpz(nodeFileSystem, candidateOf(iris));
  const folder = mkdtempSync(join(tmpdir(), 'fewer-'));
  const words = (codes: Iterable<number>) => Array.from(codes, (code) => code.toString(16)).join('\n');
  for (const name of ['fc1', 'fc2'])
    writeFileSync(join(folder, `${name}.memh`), words(await file.arrays.get(name)!.read(from, to)));
  await file.close();
  const judged = async (candidate: string) => {
    const argv = [...inputsOf(iris), '--candidate', candidate, '--samples', samples, '--reporter', 'json'];
    const { stdout, stderr } = await qdiff(argv);
    expect(stderr).toBe('');
    return JSON.parse(stdout).candidate_layers.map(({ name, mismatched }: { name: string; mismatched: number }) => [
      name,
      mismatched,
    ]);
  };
  expect(await judged(folder)).toEqual(await judged(candidateOf(iris)));
});
