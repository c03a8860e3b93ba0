/** From seed and index to a command line and its files. */

import { sealed } from '../../src/documents/blob.js';
import { GOLDEN_FORMATS } from '../../src/documents/golden.js';
import { kernels } from '../../src/kernels/registry.js';
import { type NpyDtype, npy } from '../support/npz.js';
import { mutateBytes } from './bytes.js';
import { anyCommand, compareOptions, jsonOrText, looks, mutateWords, reporter, withoutBlob } from './commandLines.js';
import type { Corpus, Pair } from './corpus.js';
import { NAMES, NUMBERS } from './hostile.js';
import { implementationCase, otherModelCase } from './implementations.js';
import { type Files, run, type Surroundings } from './io.js';
import { jsonText, mutateJson } from './mutateJson.js';
import { mutateNpy } from './mutateNpy.js';
import { mutateQuantization } from './mutateQuantization.js';
import { mutateArrayValues, mutateNpz } from './mutateZip.js';
import { Random } from './random.js';
import { randomModel } from './randomModel.js';
import { arraysOf, npzOf } from './zipFile.js';

export interface Case extends Surroundings {
  readonly env: Readonly<Record<string, string>>;
  readonly kind: string;
  readonly argv: readonly string[];
  readonly files: Files;
  /** To be read by numpy too. */
  readonly npz?: Buffer;
}

type Made = Pick<Case, 'argv' | 'files' | 'npz'>;
type Maker = (random: Random, corpus: Corpus) => Made | Promise<Made>;

/** Input `index` of `seed`; `kind` asks for one of a kind. */
export async function caseOf(seed: number, index: number, corpus: Corpus, kind?: string): Promise<Case> {
  const random = new Random(seed, index);
  const chosen = kind ?? random.weighted([...MAKERS].map(([name, { weight }]) => [weight, name] as const));
  const made = await MAKERS.get(chosen)!.make(random, corpus);
  const env = {
    ...(random.chance(0.04) ? { GITHUB_ACTIONS: 'true' } : {}),
    ...(random.chance(0.03) ? { FORCE_COLOR: '3' } : {}),
    ...(random.chance(0.05) ? { LANG: 'C' } : {}),
  };
  const terminal = random.chance(0.06) ? random.one([20, 40, 80, 200]) : undefined;
  return { kind: chosen, env, terminal, ...made };
}

const MAKERS = new Map<string, { weight: number; make: Maker }>([
  ['npz', { weight: 26, make: npzCase }],
  ['capture', { weight: 13, make: captureCase }],
  ['model', { weight: 17, make: modelCase }],
  ['generated', { weight: 15, make: generatedCase }],
  ['reports', { weight: 5, make: reportsCase }],
  ['blobs', { weight: 5, make: blobsCase }],
  ['baseline', { weight: 3, make: baselineCase }],
  ['config', { weight: 3, make: configCase }],
  ['folder', { weight: 5, make: folderCase }],
  ['arguments', { weight: 3, make: argumentsCase }],
  ['hook', { weight: 5, make: hookCase }],
  ['graph', { weight: 12, make: graphCase }],
  [
    'implementation',
    { weight: 9, make: (random, corpus) => implementationCase(random, random.one(corpus.implementations)) },
  ],
  ['other-model', { weight: 4, make: otherModel }],
  ['exporter', { weight: 0.5, make: exporterCase }],
]);

export const KINDS: readonly string[] = [...MAKERS.keys()];

function anyPair(random: Random, { pairs }: Corpus): Pair {
  return random.weighted(pairs.map((pair) => [pair.weight, pair] as const));
}

const layersOf = ({ json }: Pair) => json.layers.map(({ name }) => name);
const bytesOf = (json: unknown) => Buffer.from(JSON.stringify(json));

/** One npz by itself, which numpy reads as well. */
function npzCase(random: Random, corpus: Corpus): Made {
  const source = random.weighted<() => Buffer>([
    [6, () => random.one(corpus.npzs)],
    [3, () => anyPair(random, corpus).files.get('capture.npz')!],
    [3, () => randomNpz(random)],
  ])();
  const npz = random.chance(0.03) ? source : mutateNpz(source, random, random.one(corpus.npzs));
  return { argv: ['inspect', 'a.npz', ...jsonOrText(random)], files: new Map([['a.npz', npz]]), npz };
}

function captureCase(random: Random, corpus: Corpus): Made {
  const pair = anyPair(random, corpus);
  const files = new Map(pair.files);
  if (random.chance(0.3)) files.set('candidate.npz', pair.files.get('capture.npz')!);
  const npzs = [...files.keys()].filter((name) => name.endsWith('.npz'));
  const hit = random.one(['capture.npz', ...npzs]);
  const mutate = random.chance(0.5) ? mutateArrayValues : mutateNpz;
  files.set(hit, mutate(files.get(hit)!, random));
  return { argv: anyCommand(random, layersOf(pair), files), files };
}

function modelCase(random: Random, corpus: Corpus): Made {
  const pair = anyPair(random, corpus);
  const files = new Map(pair.files);
  const near = random.chance(0.35);
  files.set(
    'model.json',
    near ? Buffer.from(jsonText(mutateQuantization(pair.json, random))) : mutateJson(pair.json, random),
  );
  if (random.chance(0.2)) files.set('candidate.npz', mutateArrayValues(pair.files.get('capture.npz')!, random));
  return { argv: anyCommand(random, layersOf(pair), files), files };
}

/** A model of another format, its capture, or both; and words of all commands on them. */
function graphCase(random: Random, { graphs }: Corpus): Made {
  const { model, layers, files: whole } = random.one(graphs);
  const files = new Map(whole);
  const damage = (name: string, mutate: (file: Buffer) => Buffer) => files.set(name, mutate(files.get(name)!));
  if (random.chance(0.2)) files.set('candidate.npz', mutateArrayValues(files.get('capture.npz')!, random));
  const models = [...files.keys()].filter((name) => name.startsWith('model.'));
  if (random.chance(0.7)) damage(random.one([model, ...models]), (file) => mutateGraph(file, random));
  else damage('capture.npz', (file) => random.one([mutateArrayValues, mutateNpz])(file, random));
  return { argv: anyCommand(random, layers, files, model), files };
}

/** Two models of any formats beside each other. */
function otherModel(random: Random, corpus: Corpus): Made {
  const pair = random.one([corpus.short, corpus.implementations[1].pair]);
  const any = () => (random.chance(0.5) ? random.one(corpus.graphs) : { model: 'model.json', files: pair.files });
  const first = any();
  return otherModelCase(random, first, random.chance(0.5) ? first : any());
}

function exporterCase(random: Random): Made {
  const argv = ['exporter', random.one(['pytorch', 'onnx', 'tflite', 'x'])];
  return { argv: random.chance(0.5) ? argv : mutateWords(argv, random), files: new Map() };
}

const GRAPH_NUMBERS = [0, 1, 2, 3, 4, 7, 8, 16, 24, 127, 128, 255];

/** Few bytes: a graph that is still read goes further. */
function mutateGraph(file: Buffer, random: Random): Buffer {
  if (random.chance(0.3)) return mutateBytes(file, random);
  const out = Buffer.from(file);
  for (let i = random.between(1, 3); i > 0; i--) {
    const at = random.below(out.length);
    const text = /[A-Za-z_]{3,}/.exec(out.toString('latin1', at, at + 400));
    if (text && random.chance(0.3)) out.write(random.one(['\u001b', '\n', '<qx', 'Z', '__', '']), at + text.index);
    else out[at] = random.chance(0.5) ? random.one(GRAPH_NUMBERS) : out[at] ^ (1 << random.below(8));
  }
  return out;
}

async function generatedCase(random: Random): Promise<Made> {
  const { json, values, arrays } = randomModel(random);
  const files: Files = new Map([['model.json', Buffer.from(jsonText(json))]]);
  if (arrays) files.set('model.npz', arrays);
  const deflated = random.chance(0.3) ? 8 : 0;
  const write = () =>
    files.set(
      'capture.npz',
      npzOf(values, () => deflated),
    );
  write();
  if (random.chance(0.5)) {
    // outputs as one kernel computes them, often with one mistake
    const argv = ['golden', 'model.json', 'capture.npz', '--kernel', random.one(kernels).name, '-o', 'g'];
    const { written } = await run(argv, files).catch(() => ({ written: new Map() })); // the case itself will show it
    const golden = written.get('g/golden.npz');
    for (const [key, data] of golden ? arraysOf(Buffer.from(golden)) : []) {
      const layer = key.replace(/\.output$/, '');
      if (layer !== key && values.has(layer)) values.set(layer, data);
    }
    write();
    if (random.chance(0.5)) files.set('capture.npz', mutateArrayValues(files.get('capture.npz')!, random));
  }
  if (random.chance(0.3)) files.set('candidate.npz', mutateArrayValues(files.get('capture.npz')!, random));
  return { argv: anyCommand(random, [...values.keys()], files), files };
}

function reportsCase(random: Random, { reports }: Corpus): Made {
  const a = random.one(reports);
  const files = new Map([
    ['a.json', random.chance(0.5) ? mutateJson(a, random) : bytesOf(a)],
    ['b.json', mutateJson(random.one(reports), random)],
  ]);
  return { argv: ['diff-reports', ...random.shuffled([...files.keys()]), ...jsonOrText(random)], files };
}

function blobsCase(random: Random, { blobs }: Corpus): Made {
  const set = random.one(blobs);
  const hit = random.below(set.length);
  // the same change in all, so that they still belong together; or one of them damaged
  const [from, to] = [random.one(['fc1', 'relu1', 'model.json', 'capture.npz', 'int16-saturation']), random.one(NAMES)];
  const named = (value: unknown) => JSON.parse(JSON.stringify(value, (_, item) => (item === from ? to : item)));
  const renamed = (blob: unknown) => JSON.stringify(sealed(named(blob)));
  const isRenamed = random.chance(0.4);
  const files: Files = new Map(
    set.map((blob, i) => [`b/${i}.blob`, isRenamed ? Buffer.from(renamed(blob)) : bytesOf(blob)]),
  );
  if (!isRenamed || random.chance(0.3)) files.set(`b/${hit}.blob`, mutateJson(set[hit], random));
  const paths = random.chance(0.7) ? ['b'] : [...files.keys()];
  return { argv: ['merge', ...paths, ...reporter(random, withoutBlob), ...looks(random)], files };
}

function baselineCase(random: Random, { short, baseline }: Corpus): Made {
  const files = new Map([...short.files, ['base.json', mutateJson(baseline, random)]]);
  const update = random.chance(0.3) ? ['--update-baseline'] : [];
  const argv = [
    'model.json',
    'capture.npz',
    '--baseline',
    'base.json',
    ...update,
    ...reporter(random),
    ...looks(random),
  ];
  return { argv, files };
}

function configCase(random: Random, { short, config }: Corpus): Made {
  const files = new Map([...short.files, ['qdiff.config.json', mutateJson(config, random)]]);
  return { argv: random.chance(0.8) ? [] : ['diff', ...reporter(random)], files };
}

function folderCase(random: Random, { short, memh, npys }: Corpus): Made {
  const files = new Map([...short.files, ...(random.chance(0.6) ? memh : npys)]);
  const names = [...files.keys()].filter((path) => path.startsWith('f/'));
  const hit = random.one(random.chance(0.4) && files.has('f/manifest.json') ? ['f/manifest.json'] : names);
  const data = files.get(hit)!;
  if (hit.endsWith('.json')) files.set(hit, mutateJson(JSON.parse(data.toString()), random));
  else if (hit.endsWith('.memh')) files.set(hit, mutateMemh(data, random));
  else files.set(hit, mutateNpy(data, random));
  if (random.chance(0.1)) files.delete(random.one(names));
  if (random.chance(0.1))
    files.set(
      `f/${random.one(['x.npy', '.npy', '\u001b[31mx.npy', 'x.txt', 'manifest.json'])}`,
      random.bytes(random.below(200)),
    );
  const pair = ['model.json', 'capture.npz'];
  const format = random.one(GOLDEN_FORMATS);
  const argv = random.weighted<() => string[]>([
    [5, () => [...pair, '--candidate', 'f', ...reporter(random), ...looks(random)]],
    [2, () => ['model.json', 'f', ...reporter(random), ...looks(random)]],
    [2, () => ['inspect', 'f', ...jsonOrText(random)]],
    [1, () => ['explain', ...pair, '--candidate', 'f', ...jsonOrText(random)]],
    [1, () => ['golden', ...pair, '-o', 'f', '--force', '--format', format]],
    [1, () => ['forecast', ...pair, '--labels', random.one(names), ...jsonOrText(random)]],
  ])();
  return { argv, files };
}

const MEMH_WORDS = [
  ...[
    'xx',
    'zz',
    '??',
    'fff',
    '',
    '1_0',
    '_',
    '0x10',
    'g',
    '-1',
    '@0',
    '@1',
    '@ffffffffffff',
    '@x',
    '@',
    '/*',
    '//',
    '*/',
  ],
  ...['1'.repeat(100), '\0', '0\r'],
];

function mutateMemh(file: Buffer, random: Random): Buffer {
  const text = file.toString('latin1');
  const changed = random.one([
    () => mutateBytes(file, random).toString('latin1'),
    () => text.replace(/\b[0-9a-f]{2}\b/, random.one(MEMH_WORDS)),
    () => `${text}\n00`,
    () => text.replaceAll('\n', random.one(['\r\n', ' ', '\t', '_', ''])),
    () => text.split('\n').slice(0, -2).join('\n'),
    () => `${'/*'.repeat(random.one([1, 2, 100_000]))}${text}`,
    () => `${'/'.repeat(random.one([1, 2, 100_000]))}${text}`,
    () => `@${random.one(['0', '1', '7fffffff', 'ffffffff', '100000000'])}\n${text}`,
  ])();
  return Buffer.from(changed, 'latin1');
}

function argumentsCase(random: Random, corpus: Corpus): Made {
  const pair = random.chance(0.7) ? corpus.short : anyPair(random, corpus);
  const files = new Map(pair.files);
  return { argv: mutateWords(anyCommand(random, layersOf(pair), files), random), files };
}

function hookCase(random: Random, { hook }: Corpus): Made {
  const npz = random.one([mutateNpz, mutateArrayValues, oddHook])(hook, random);
  const command = random.weighted<readonly string[]>([
    [5, []],
    ...['explain', 'lint', 'forecast', 'inspect', 'golden'].map((name) => [1, [name]] as const),
  ]);
  const format = ['--format', random.one(GOLDEN_FORMATS), '-o', 'out'];
  const rest = {
    compare: () => [...compareOptions(random, []), ...reporter(random), ...looks(random)],
    golden: () => [...format, ...jsonOrText(random)],
    other: () => jsonOrText(random),
  };
  const options = command.length === 0 ? rest.compare() : command[0] === 'golden' ? rest.golden() : rest.other();
  return { argv: [...command, 'capture.npz', ...options], files: new Map([['capture.npz', npz]]) };
}

/** Arrays missing, of another dtype or shape, or with numbers that no quantization has. */
function oddHook(hook: Buffer, random: Random): Buffer {
  const arrays = arraysOf(hook);
  for (let i = random.between(1, 3); i > 0 && arrays.size > 0; i--) {
    const key = random.one([...arrays.keys(), 's_x', 's_w', 's_y', 'zp_x', 'zp_y']);
    const count = random.below(4);
    const dtype = random.one(DTYPES);
    const number = () => integral(dtype, random.one(NUMBERS));
    random.one<() => unknown>([
      () => arrays.delete(key),
      () => arrays.set(key, npy(dtype, [], [number()])),
      () => arrays.set(key, npy(dtype, [count], Array.from({ length: count }, number))),
      () => arrays.set(key, npy('int32', [1, 1], [random.one([-129, -128, 127, 128, 255, 256])])),
      () => arrays.set(key, mutateNpy(arrays.get(key) ?? npy('uint8', [2], [1, 2]), random)),
    ])();
  }
  return npzOf(arrays);
}

const DTYPES = [
  ...(['bool', 'int8', 'uint8', 'int16', 'uint16', 'int32', 'uint32', 'int64', 'uint64'] as const),
  ...(['float16', 'float32', 'float64'] as const),
];

/** A number that the dtype's writer takes; 64 bits are wrapped. */
function integral(dtype: NpyDtype, number: number): number {
  if (dtype === 'int64') return Number(BigInt.asIntN(64, BigInt(Math.trunc(Number.isFinite(number) ? number : 0))));
  if (dtype === 'uint64') return Math.abs(integral('int64', number)) % 2 ** 63;
  return number;
}

function randomNpz(random: Random): Buffer {
  const names = random
    .shuffled(['x_int8', 's_x', 'a', 'fc1', 'quant', ...NAMES.slice(0, 40)])
    .slice(0, random.between(1, 5));
  const deflated = random.chance(0.5) ? 8 : 0;
  return npzOf(
    names.map((name) => [name, randomArray(random)] as const),
    () => deflated,
  );
}

function randomArray(random: Random): Buffer {
  const axes = random.weighted([
    [1, 0],
    [4, 1],
    [5, 2],
    [2, 3],
    [1, 5],
  ] as const);
  const shape = Array.from({ length: axes }, () =>
    random.weighted([
      [1, 0],
      [3, 1],
      [6, random.between(2, 7)],
    ]),
  );
  const dtype = random.one(DTYPES);
  const edge = () => integral(dtype, random.one([...NUMBERS, 2 ** 63, -(2 ** 53)]));
  const number = () => (random.chance(0.2) ? edge() : dtype === 'float16' ? random.below(65536) : random.below(256));
  const values = Array.from({ length: shape.reduce((a, b) => a * b, 1) }, number);
  const options = {
    fortranOrder: random.chance(0.3),
    bigEndian: random.chance(0.3),
    version: random.one([1, 1, 2, 3] as const),
  };
  return npy(dtype, shape, values, options);
}
