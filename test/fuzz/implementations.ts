/** Results of the user's own in every form that is taken: golden's folder written over, files without a manifest, model files. */
import { mutateBytes } from './bytes.js';
import { compareOptions, jsonOrText, kernelOption, looks, reporter } from './commandLines.js';
import type { Implementation } from './corpus.js';
import { NAMES } from './hostile.js';
import type { Files } from './io.js';
import { mutateJson } from './mutateJson.js';
import { mutateNpy, mutateValues } from './mutateNpy.js';
import { mutateArrayValues, mutateNpz } from './mutateZip.js';
import type { Random } from './random.js';
import { arraysOf } from './zipFile.js';

interface Form {
  readonly candidate: string;
  readonly files: Files;
}

type Make = (random: Random, one: Implementation) => Form;

/** A candidate of one form, damaged more often than not, and what can be asked of it. */
export function implementationCase(random: Random, one: Implementation): { argv: string[]; files: Files } {
  const { candidate, files: own } = random.weighted(FORMS)(random, one);
  const files = new Map([...one.pair.files, ...own]);
  const pair = ['model.json', 'capture.npz'];
  const against = random.chance(0.4) ? ['--against', random.one(['capture', 'replay'])] : [];
  const theirs = ['--candidate', candidate, ...against];
  const kernel = kernelOption(random, 0.3);
  // what noise in convolutions is searched for takes seconds, and other kinds of inputs search as well
  const quick = !one.searched && random.chance(0.9) ? ['--no-diagnose'] : [];
  const rest = () => [
    ...kernel,
    ...quick,
    ...compareOptions(random, one.layers),
    ...reporter(random),
    ...looks(random),
  ];
  const format = ['--format', random.one(['npz', 'memh', 'c', 'json'])];
  const argv = random.weighted<() => string[]>([
    [8, () => [...pair, ...theirs, ...rest()]],
    [2, () => ['explain', ...pair, '--candidate', candidate, ...kernel, ...jsonOrText(random)]],
    [1, () => ['model.json', candidate, ...rest()]],
    [1, () => ['inspect', candidate, ...jsonOrText(random)]],
    [1, () => ['golden', 'model.json', candidate, ...kernel, ...format, '-o', 'out', ...jsonOrText(random)]],
  ])();
  return { argv, files };
}

/** A folder of golden vectors in which some outputs were written over. */
const goldenFolder: Make = (random, { golden: formats }) => {
  const golden = random.one(formats);
  const files = new Map([...golden].map(([path, data]) => [`f/${path}`, data] as const));
  const names = [...files.keys()];
  for (let i = random.below(4); i > 0; i--) {
    const hit = random.one(names);
    files.set(hit, damaged(hit, files.get(hit)!, random));
  }
  const manifest = golden.get('manifest.json') ?? Buffer.from('{}');
  if (random.chance(0.15)) files.set('f/manifest.json', mutateJson(JSON.parse(manifest.toString()), random));
  if (random.chance(0.15)) files.delete(random.one(names));
  if (random.chance(0.1)) files.set(`f/${fileName(random)}`, random.bytes(random.below(100)));
  return { candidate: 'f', files };
};

function damaged(path: string, data: Buffer, random: Random): Buffer {
  if (path.endsWith('.npz')) return random.one([mutateNpz, mutateArrayValues])(data, random);
  if (path.endsWith('.memh') && random.chance(0.5)) return otherWord(data, random);
  return mutateBytes(data, random);
}

/** Another value of the same width: a result that differs, not a damaged file. */
function otherWord(data: Buffer, random: Random): Buffer {
  const words = data.toString('latin1').split('\n');
  const at = random.below(words.length);
  words[at] = words[at].replace(/[0-9a-f]/, random.below(16).toString(16));
  return Buffer.from(words.join('\n'), 'latin1');
}

/** Files by the names of layers. */
const plainFiles: Make = (random, one) => {
  const files: Files = new Map();
  const ending = random.one(['npy', 'bin', 'memh']);
  for (const [layer, npy] of outputsOf(one)) {
    if (random.chance(0.2)) continue;
    const path = `p/${layer}${random.one(['', '', '_output'])}.${ending}`;
    const { whole, odd } = PLAIN[ending];
    files.set(path, random.chance(0.3) ? odd(whole(npy), random) : whole(npy));
  }
  if (random.chance(0.1)) files.set(`p/${fileName(random)}`, random.bytes(random.below(100)));
  if (files.size === 0) files.set(`p/x.${ending}`, Buffer.alloc(3));
  return { candidate: random.chance(0.3) ? random.one([...files.keys()]) : 'p', files };
};

const dataOf = (npy: Buffer) => npy.subarray(10 + npy.readUInt16LE(8));

const PLAIN: Readonly<
  Record<string, { whole: (npy: Buffer) => Buffer; odd: (file: Buffer, random: Random) => Buffer }>
> = {
  npy: { whole: (npy) => npy, odd: (file, random) => random.one([mutateNpy, mutateValues])(file, random) },
  bin: { whole: dataOf, odd: mutateBytes },
  memh: {
    whole: (npy) => Buffer.from([...dataOf(npy)].map((byte) => byte.toString(16).padStart(2, '0')).join('\n')),
    odd: (file, random) => random.one([otherWord, mutateBytes])(file, random),
  },
};

function outputsOf({ pair, layers }: Implementation): [string, Buffer][] {
  return [...arraysOf(pair.files.get('capture.npz')!)].filter(([key]) => layers.includes(key));
}

const fileName = (random: Random) =>
  random.one(NAMES.filter((name) => !/[/\\\0]/.test(name) && !['.', '..'].includes(name) && name.length < 99)) +
  random.one(['', '.memh', '.bin', '.npy', '.json']);

/** The model file that a candidate comes from, with its values or replayed. */
const candidateModel: Make = (random, { pair }) => {
  const files: Files = new Map([['other.json', mutateJson(pair.json, random)]]);
  if (random.chance(0.5)) files.set('other.json', Buffer.from(JSON.stringify(pair.json)));
  files.set('candidate.npz', mutateArrayValues(pair.files.get('capture.npz')!, random));
  return { candidate: 'candidate.npz', files };
};

const FORMS: readonly (readonly [number, Make])[] = [
  [5, goldenFolder],
  [5, plainFiles],
  [1, candidateModel],
];

/** --candidate-model with a file of any format. */
export function otherModelCase(
  random: Random,
  first: { readonly model: string; readonly files: Files },
  second: { readonly model: string; readonly files: Files },
): { argv: string[]; files: Files } {
  const ending = second.model.replace(/^model/, '');
  const files: Files = new Map(first.files);
  const own = second.files.get(second.model)!;
  const other = random.chance(0.6) ? own : random.chance(0.5) ? mutateBytes(own, random) : random.bytes(50);
  files.set(`other${ending}`, other);
  const values = random.chance(0.6) ? ['--candidate', 'values.npz'] : [];
  const capture = second.files.get('capture.npz')!;
  if (values.length > 0) files.set('values.npz', random.chance(0.5) ? capture : mutateArrayValues(capture, random));
  const quick = random.chance(0.5) ? ['--no-diagnose'] : [];
  const argv = [first.model, 'capture.npz', '--candidate-model', `other${ending}`, ...values, ...quick];
  return { argv: [...argv, ...compareOptions(random, []), ...reporter(random), ...looks(random)], files };
}
