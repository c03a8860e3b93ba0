/** Command lines: mostly right, of every command and option. */
import { GOLDEN_FORMATS } from '../../src/documents/golden.js';
import { kernels } from '../../src/kernels/registry.js';
import { NAMES } from './hostile.js';
import type { Files } from './io.js';
import type { Random } from './random.js';

const REPORTERS = [
  [8, 'json'],
  [6, 'table'],
  [3, 'junit'],
  [4, 'markdown'],
  [3, 'github-actions'],
  [3, 'html'],
  [2, 'blob'],
] as const;

export function jsonOrText(random: Random): string[] {
  return random.weighted([
    [5, ['--reporter', 'json']],
    [4, []],
    [1, ['-v']],
  ]);
}

export function reporter(random: Random, among: readonly (readonly [number, string])[] = REPORTERS): string[] {
  const name = random.weighted(among);
  return random.weighted([
    [1, []],
    [1, ['--reporter', `${name}=out.txt`]],
    [10, ['--reporter', name]],
  ]);
}

export const withoutBlob = REPORTERS.filter(([, name]) => name !== 'blob');

/** Each group with its probability. */
function some(random: Random, groups: readonly (readonly [chance: number, words: () => string[]])[]): string[] {
  return groups.flatMap(([chance, words]) => (random.chance(chance) ? words() : []));
}

export function looks(random: Random): string[] {
  return some(random, [
    [0.1, () => ['--channels', random.one(['0', '1', 'all', '99999999999'])]],
    [0.1, () => ['--sort', random.one(['graph', 'worst'])]],
    [0.08, () => ['-q']],
    [0.1, () => ['-v']],
  ]);
}

export function kernelOption(random: Random, chance = 0.25): string[] {
  return random.chance(chance) ? ['--kernel', random.one(kernels).name] : [];
}

export function compareOptions(random: Random, layers: readonly string[]): string[] {
  const layer = () => (layers.length > 0 ? random.one(layers) : 'linear');
  const number = () => random.one(['0', '1', '3', '1000', '999999999999999999999', '007']);
  return [
    ...kernelOption(random),
    ...some(random, [
      [0.2, () => ['--mode', 'propagated']],
      [0.1, () => [`--layer=${random.one(['*', layer(), 'fc*', `${layer().slice(0, 3)}*`])}`]],
      [0.15, () => ['--samples', random.one(['1', '0:1', '2:3', '1:99999999999999999999', '0:2'])]],
      [0.1, () => ['--tol-lsb', random.one([number(), `${layer()}=${number()}`])]],
      [0.06, () => ['--tol-ulp', number()]],
      [0.06, () => ['--max-mismatched', random.one(['0', '50', '100%', '0.0000001'])]],
      [0.08, () => ['--require-replayed']],
      [0.08, () => ['--no-diagnose']],
      [0.06, () => ['--fail-fast']],
      [0.06, () => ['--threads', random.one(['1', '2', '1024'])]],
      [0.05, () => ['--shard', random.one(['1/2', '2/2', '3/7', '999999/999999'])]],
      [0.05, () => ['--baseline', 'new.json', '--update-baseline']],
    ]),
  ];
}

/** A command on a model and capture.npz, with candidate.npz where there is one. */
export function anyCommand(
  random: Random,
  layers: readonly string[],
  files: Files,
  model: string = 'model.json',
): string[] {
  const pair = [model, 'capture.npz'];
  const named = [...layers, 'x'];
  const against = () => some(random, [[0.25, () => ['--against', random.one(['capture', 'replay'])]]]);
  const candidate = files.has('candidate.npz') ? ['--candidate', 'candidate.npz', ...against()] : [];
  const map = candidate.length > 0 && random.chance(0.1) ? [`--map=${random.one(named)}=${random.one(named)}`] : [];
  const format = ['--format', random.one(GOLDEN_FORMATS)];
  const explained = some(random, [
    [layers.length > 0 ? 0.4 : 0, () => [`--layer=${random.one(layers)}`]],
    [0.3, () => ['--channel', String(random.below(4))]],
    [0.3, () => ['--sample', String(random.below(4))]],
    [0.1, () => ['--at', random.one(['0', '0,0', '1,2', '9,9', '0,0,0', '-1,0', '1e9,1', ','])]],
    [0.2, () => ['--repro', 'repro']],
  ]);
  const kernel = kernelOption(random);
  const severity = some(random, [[0.3, () => ['--max-severity', random.one(['error', 'warning', 'info'])]]]);
  return random.weighted<() => string[]>([
    [
      10,
      () => [...pair, ...candidate, ...map, ...compareOptions(random, layers), ...reporter(random), ...looks(random)],
    ],
    [2, () => ['explain', ...pair, ...candidate, ...kernel, ...explained, ...jsonOrText(random)]],
    [2, () => ['lint', ...pair.slice(0, random.between(1, 2)), ...severity, ...jsonOrText(random)]],
    [1.5, () => ['forecast', ...pair, ...jsonOrText(random)]],
    [2, () => ['golden', ...pair, ...kernel, ...format, '-o', 'out', ...jsonOrText(random)]],
    [2, () => ['inspect', random.one(pair), ...jsonOrText(random)]],
    [1, () => ['table', pair[0], ...kernel, '--format', random.one(['c', 'csv', 'json', 'table'])]],
    [0.3, () => ['run', ...pair, ...jsonOrText(random)]],
  ])();
}

const FLAGS = [
  ...[
    '--candidate',
    '--map',
    '--kernel',
    '--mode',
    '--layer',
    '--samples',
    '--tol-lsb',
    '--tol-ulp',
    '--max-mismatched',
  ],
  ...['--require-replayed', '--baseline', '--update-baseline', '--reporter', '--channels', '--shard', '--threads'],
  ...['--no-diagnose', '--fail-fast', '--sort', '--no-color', '-q', '-v', '--channel', '--sample', '--repro'],
  ...[
    '--against',
    '--at',
    '--runtime',
    '--max-severity',
    '--labels',
    '--format',
    '-o',
    '--force',
    '--version',
    '--help',
    '--',
    '-',
    '--x',
    '-x',
  ],
];
const WORDS = [
  ...['', ' ', '-1', '0', '1', '1.5', '1e9', 'NaN', '0x10', '99999999999999999999', '1/2', '0/0', '5:1', '1:2:3'],
  ...['a=1', '=1', 'a=', '=', 'json', 'json=', 'json=json', 'table=x', 'list', 'auto', 'all', '*', '**', '[', '('],
  ...[
    'diff',
    'explain',
    'lint',
    'forecast',
    'golden',
    'inspect',
    'kernels',
    'table',
    'run',
    'merge',
    'diff-reports',
    'exporter',
    'help',
  ],
  ...[
    'pytorch',
    'model.json',
    'capture.npz',
    'candidate.npz',
    './model.json',
    '/',
    '.',
    '..',
    'a/b/c',
    'x'.repeat(5000),
  ],
  ...NAMES,
];

/** Words replaced, added, left out, doubled. */
export function mutateWords(argv: readonly string[], random: Random): string[] {
  const words = [...argv];
  for (let i = random.between(1, 3); i > 0; i--) {
    const at = random.below(words.length + 1);
    random.one<() => unknown>([
      () => (words[Math.min(at, words.length - 1)] = random.one(WORDS)),
      () => words.splice(at, 0, random.one(WORDS)),
      () => words.splice(at, 0, `${random.one(FLAGS)}${random.one(['', '='])}${random.one(WORDS)}`),
      () => words.splice(at, 0, random.one(FLAGS), random.one(WORDS)),
      () => words.splice(at, 1),
      () => words.splice(at, 0, words[random.below(words.length)] ?? 'x'),
    ])();
  }
  return words;
}
