/** What is mutated: this repository's fixtures, a small model with everything, and what the command makes of them. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { GOLDEN_FORMATS } from '../../src/documents/golden.js';
import { npy } from '../support/npz.js';
import { floatCapture, floatModel } from './floatModel.js';
import { type Files, root, run } from './io.js';
import { splitNpy } from './mutateNpy.js';
import { arraysOf, npzOf } from './zipFile.js';

export interface Pair {
  readonly weight: number;
  readonly json: { readonly [field: string]: unknown; readonly layers: readonly { readonly name: string }[] };
  readonly files: Files;
}

export interface Graph {
  readonly model: string;
  readonly layers: readonly string[];
  readonly files: Files;
}

/** What one's own results of a model are made from. */
export interface Implementation {
  readonly pair: Pair;
  /** Whether causes are sought more often than not. */
  readonly searched: boolean;
  readonly layers: readonly string[];
  /** Folders that golden wrote, a format each: files by name. */
  readonly golden: readonly Files[];
}

export interface Corpus {
  readonly pairs: readonly Pair[];
  /** A few samples, with a candidate that differs: enough for most. */
  readonly short: Pair;
  readonly npzs: readonly Buffer[];
  /** Graphs of other formats with what was captured of them. */
  readonly graphs: readonly Graph[];
  readonly hook: Buffer;
  readonly reports: readonly unknown[];
  /** Sets of shards that belong together. */
  readonly blobs: readonly (readonly unknown[])[];
  readonly baseline: unknown;
  readonly config: unknown;
  /** Golden vectors as $readmemh files with their manifest, and a folder of npy files. */
  readonly memh: Files;
  readonly npys: Files;
  /** Of linears, and of convolutions. */
  readonly implementations: readonly Implementation[];
}

export async function makeCorpus(): Promise<Corpus> {
  const iris = pairOf('fixtures/pytorch/iris-avx2', 2);
  const short = shortened(iris, 6, 6);
  const npzFolder = 'fixtures/npz';
  const npzs = namesIn(npzFolder)
    .filter((name) => name.endsWith('.npz'))
    .map((name) => read(join(npzFolder, name)));
  const convolutions = shortened(pairOf('fixtures/pytorch/cnn-x86-avx2', 1), 2, 2);
  const pairs = [iris, short, convolutions, small(), await floats(), ...otherPairs()];
  const hook = read(`${npzFolder}/hook-dictionary.npz`);
  const implementations = [await implementationOf(short, true), await implementationOf(convolutions, false)];
  const graphs = ['onnx', 'tflite'].flatMap(graphsOf);
  return { pairs, short, npzs, graphs, hook, implementations, ...(await derived(short)) };
}

async function implementationOf(pair: Pair, searched: boolean): Promise<Implementation> {
  const golden: Files[] = [];
  for (const format of GOLDEN_FORMATS) {
    const { written } = await made(['golden', 'model.json', 'capture.npz', '--format', format, '-o', 'f'], pair.files);
    golden.push(new Map([...written].map(([path, content]) => [path.slice('f/'.length), Buffer.from(content)])));
  }
  return { pair, searched, layers: pair.json.layers.map(({ name }) => name), golden };
}

/** The small ones: a run of a large one is long. */
function graphsOf(format: string): Graph[] {
  const folders = namesIn(`fixtures/${format}`).map((name) => `fixtures/${format}/${name}`);
  return folders
    .filter((folder) => statSync(join(root, folder)).isDirectory())
    .flatMap((folder) => {
      const names = namesIn(folder).filter((name) => name.startsWith('model.'));
      const capture = namesIn(folder).find((name) => /^capture(d-ref)?\.npz$/.test(name));
      if (!capture || statSync(join(root, folder, capture)).size > 60_000) return [];
      const data = read(join(folder, capture));
      const files = new Map([...names.map((name) => [name, read(join(folder, name))] as const), ['capture.npz', data]]);
      return [{ model: `model.${format}`, layers: [...arraysOf(data).keys()], files }];
    });
}

const read = (path: string) => readFileSync(join(root, path));
const namesIn = (folder: string) => readdirSync(join(root, folder)).sort();

function pairOf(folder: string, weight: number): Pair {
  const json = JSON.parse(read(join(folder, 'model.json')).toString());
  const names = ['model.json', 'capture.npz', ...(json.arrays ? [String(json.arrays)] : [])];
  const files = new Map(names.map((name) => [name, read(join(folder, name))]));
  return { weight, files, json };
}

/** Fixtures of all kinds; of large ones a run is long. */
function otherPairs(): Pair[] {
  const folders = ['fixtures/pytorch', 'fixtures/onnxruntime', 'fixtures/litert'].flatMap((at) =>
    namesIn(at).map((name) => join(at, name)),
  );
  const kernels = namesIn('fixtures/kernels').flatMap((name) => {
    const at = join('fixtures/kernels', name);
    return statSync(join(root, at)).isDirectory() ? namesIn(at).map((family) => join(at, family)) : [];
  });
  const whole = (folder: string) => ['model.json', 'capture.npz'].every((name) => existsSync(join(root, folder, name)));
  const bytes = (folder: string) => statSync(join(root, folder, 'capture.npz')).size;
  return [
    ...folders.filter((folder) => whole(folder) && bytes(folder) < 100_000).map((folder) => pairOf(folder, 0.3)),
    ...kernels.filter((folder) => whole(folder) && bytes(folder) < 9000).map((folder) => pairOf(folder, 0.1)),
  ];
}

/** The first samples of a capture. */
function shortened(pair: Pair, samples: number, weight: number): Pair {
  const arrays = [...arraysOf(pair.files.get('capture.npz')!)].map(
    ([key, file]) => [key, firstRows(file, samples)] as const,
  );
  const capture = npzOf(arrays);
  const data = arrays.map(([key, file]) => [key, key === 'fc2' ? lastBitFlipped(file) : file] as const);
  return { ...pair, weight, files: new Map([...pair.files, ['capture.npz', capture], ['candidate.npz', npzOf(data)]]) };
}

function firstRows(file: Buffer, rows: number): Buffer {
  const { dict, data } = splitNpy(file);
  const [, dtype, all, others] = /'descr': '(..\d)'.*'shape': \((\d+), (\d+(?:, \d+)*)\)/.exec(dict) ?? [];
  if (others === undefined || Number(all) <= rows) return file;
  const header = dict.replace(`(${all}, ${others})`, `(${rows}, ${others})`);
  const empty = npy('uint8', [0], [], { header });
  const values = others.split(', ').reduce((product, dim) => product * Number(dim), rows);
  return Buffer.concat([empty, data.subarray(0, values * Number(dtype[2]))]);
}

function lastBitFlipped(file: Buffer): Buffer {
  const out = Buffer.from(file);
  out[out.length - 1] ^= 1;
  return out;
}

async function made(argv: readonly string[], files: Files) {
  const result = await run(argv, files);
  if (result.code > 1) throw new Error(`${argv.join(' ')}: ${result.stderr}`);
  return result;
}

async function madeJson(argv: readonly string[], files: Files): Promise<unknown> {
  return JSON.parse((await made(argv, files)).stdout);
}

const CONFIG = {
  format: 'qdiff-config',
  version: 1,
  reporter: ['json'],
  tol_lsb: 0,
  models: [
    { name: 'a', model: 'model.json', capture: 'capture.npz' },
    {
      ...{ name: 'b', model: 'model.json', capture: 'capture.npz', candidate: 'candidate.npz' },
      ...{ kernel: 'numpy', tol_lsb: ['1', 'fc1=2'], samples: '0:4', layer: ['fc*'] },
    },
  ],
};

const REPORTS = ['', '--kernel numpy', '--candidate candidate.npz', '--mode propagated', '--no-diagnose --tol-lsb 9'];

async function derived({ files }: Pair) {
  const pair = ['model.json', 'capture.npz'];
  const words = (text: string) => text.split(' ').filter(Boolean);
  const reports: unknown[] = [];
  for (const options of REPORTS)
    reports.push(await madeJson([...pair, '--reporter', 'json', ...words(options)], files));
  reports.push(await madeJson([], new Map([...files, ['qdiff.config.json', Buffer.from(JSON.stringify(CONFIG))]])));
  const blobs: unknown[][] = [];
  for (const options of ['', '--candidate candidate.npz']) {
    const shard = (i: number) =>
      madeJson([...pair, '--shard', `${i}/2`, '--reporter', 'blob', ...words(options)], files);
    blobs.push([await shard(1), await shard(2)]);
  }
  blobs.push([await madeJson([...pair, '--reporter', 'blob'], files)]);
  const based = await made([...pair, '--baseline', 'b.json', '--update-baseline'], files);
  const golden = await made(['golden', ...pair, '--format', 'memh', '-o', 'f'], files);
  const memh = new Map([...golden.written].map(([path, content]) => [path, Buffer.from(content as string)]));
  const npys = new Map([...arraysOf(files.get('capture.npz')!)].map(([key, file]) => [`f/${key}.npy`, file]));
  return { reports, blobs, baseline: JSON.parse(String(based.written.get('b.json'))), config: CONFIG, memh, npys };
}

/** Per channel and per tensor, zero points, int32 bias, weights in an npz, every optional array of a capture. */
function small(): Pair {
  const uint8 = (scale: number, zero_point: number) => ({ dtype: 'uint8', scale, zero_point });
  const layers = [
    { name: 'quant', op: 'quantize', input: 'x', output: uint8(0.5, 128) },
    {
      ...{ name: 'fc1', op: 'linear', input: 'quant', weight: { array: 'fc1.weight' }, weight_dtype: 'int8' },
      ...{ weight_scale: [0.1, 0.2, 0.3], weight_zero_point: [0, 1, -1], bias: [0.5, -0.5, 0], bias_dtype: 'float32' },
      ...{ activation: 'none', output: uint8(0.25, 100) },
    },
    { name: 'relu1', op: 'relu', input: 'fc1', output: uint8(0.25, 100) },
    { name: 'clip', op: 'clamp', input: 'relu1', min: 1, max: 30, output: uint8(0.25, 100) },
    {
      ...{
        name: 'fc2',
        op: 'linear',
        input: 'clip',
        weight: [
          [1, 2, 3],
          [4, 5, 6],
        ],
        weight_scale: 0.125,
      },
      ...{ bias: [1000, -1000], bias_dtype: 'int32', output: { ...uint8(1, 0), quant_min: 0, quant_max: 127 } },
    },
    { name: 'soft', op: 'softmax', input: 'fc2', output: uint8(1, 0) },
    { name: 'other', op: 'requantize', input: 'soft', output: { dtype: 'int8', scale: 0.7, zero_point: -3 } },
    { name: 'deq', op: 'dequantize', input: 'other', output: { dtype: 'float32' } },
    {
      ...{ name: 'dyn', op: 'linear_dynamic', input: 'deq', weight: [[1, -2]], weight_scale: 0.1, bias: null },
      ...{ reduce_range: true, activation: 'relu', output: { dtype: 'float32' } },
    },
  ];
  const inputs = [{ name: 'x', dtype: 'float32' }];
  const producer = { framework: 'pytorch', engine: 'x86' };
  const json = { format: 'qdiff-model', version: 1, producer, arrays: 'model.npz', inputs, layers };
  const codes = (columns: number, step: number) => npy('uint8', [5, columns], counting(5 * columns, step));
  const capture = npzOf(
    [
      [
        'x',
        npy(
          'float32',
          [5, 4],
          counting(20, 1).map((value) => value / 3 - 3),
        ),
      ],
      ...([
        ['quant', codes(4, 7)],
        ['fc1', codes(3, 11)],
        ['relu1', codes(3, 13)],
        ['clip', codes(3, 13)],
      ] as const),
      ...([
        ['fc2', codes(2, 5)],
        ['soft', codes(2, 3)],
        ['fc2.input', codes(3, 19)],
      ] as const),
      ['other', npy('int8', [5, 2], counting(10, 3))],
      ['deq', npy('float32', [5, 2], counting(10, 3))],
      ['dyn', npy('float32', [5, 1], counting(5, 3))],
      ['fc1.accumulator', npy('int32', [5, 3], counting(15, 17))],
      ['batch_sizes', npy('int64', [2], [2, 3])],
    ],
    () => 8,
  );
  const weight = npy('int8', [3, 4], [1, -2, 3, -4, 5, 6, 7, 8, -128, 127, 0, 1]);
  const model = Buffer.from(JSON.stringify(json));
  const files = new Map([
    ['model.json', model],
    ['capture.npz', capture],
    ['model.npz', npzOf([['fc1.weight', weight]])],
  ]);
  return { weight: 6, json, files };
}

async function floats(): Promise<Pair> {
  const model = Buffer.from(JSON.stringify(floatModel));
  const files = new Map([
    ['model.json', model],
    ['capture.npz', await floatCapture()],
  ]);
  return { weight: 2, json: floatModel, files };
}

function counting(count: number, step: number): number[] {
  return Array.from({ length: count }, (_, i) => (i * step) % 120);
}
