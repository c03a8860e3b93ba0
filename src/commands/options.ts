import { InvalidArgumentError, Option } from 'commander';
import { EXACT } from '../compare/layerReport.js';
import type { SampleSpan, Tolerance } from '../compare/options.js';
import type { Layer, Model } from '../nouns/model.js';
import type { Shard } from '../nouns/part.js';
import { InputError, type Problem } from '../nouns/problem.js';
import { option } from '../report/words/next.js';
import { given, nearest, printable } from '../text.js';

/** `N` for every layer or `LAYER=N` for one. */
export interface PerLayerNumber {
  readonly layer: string | null;
  readonly value: number;
}

export type SampleRange = (captured: number) => SampleSpan;

export function collect<T>(parse: (text: string) => T): (text: string, before: T[] | undefined) => T[] {
  return (text, before = []) => {
    before.push(parse(text)); // a copy each time takes half a minute of 200,000 in a configuration
    return before;
  };
}

/** `8`: the first 8 samples; `10:20`: samples 10 to 19. */
export function parseSamples(text: string): SampleRange {
  const match = /^(?:(\d+):)?(\d+)$/.exec(text);
  const from = Number(match?.[1] ?? 0);
  const to = Number(match?.[2]);
  if (!match || from >= to) {
    throw new InvalidArgumentError('Expected a count such as 8, or a range such as 0:8 (0-based, half open).');
  }
  return (captured) => {
    if (from < captured) return { from, to: Math.min(to, captured) };
    const message = `expected a range that begins before sample ${captured} (the capture has ${captured}), got ${text}`;
    throw new InputError([{ kind: 'usage', where: '--samples', message }]);
  };
}

/** A 0-based index. */
export function parseIndex(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Expected a whole number from 0 on.');
}

/** A 0-based index an axis: 3,4. */
export function parsePosition(text: string): number[] {
  return text.split(',').map((index) => parseIndex(index.trim()));
}

export function parsePerLayer(what: 'integer' | 'percent'): (text: string) => PerLayerNumber {
  const pattern = what === 'integer' ? /^\d+$/ : /^\d+(\.\d+)?%?$/;
  return (text) => {
    const split = text.lastIndexOf('=');
    const number = text.slice(split + 1);
    const value = Number.parseFloat(number);
    if (!pattern.test(number) || (what === 'percent' && value > 100)) {
      const expected = what === 'integer' ? 'a whole number such as 1' : 'a percentage from 0 to 100 such as 0.5';
      throw new InvalidArgumentError(`Expected ${expected}, or LAYER=${what === 'integer' ? '1' : '0.5'}.`);
    }
    return { layer: split < 0 ? null : text.slice(0, split), value };
  };
}

/** `MINE=LAYER`; a name of the model has no `=` as a rule, so the last one splits. */
export function parseName(text: string): readonly [mine: string, layer: string] {
  const split = text.lastIndexOf('=');
  if (split <= 0 || split === text.length - 1) throw new InvalidArgumentError('Expected MINE=LAYER, e.g. dense_1=fc1.');
  return [text.slice(0, split), text.slice(split + 1)];
}

export function parseChannels(text: string): number {
  if (text === 'all') return Number.POSITIVE_INFINITY;
  if (/^\d+$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Expected a count such as 8, or all.');
}

export function parseThreads(text: string): number {
  const threads = Number(text);
  if (/^\d+$/.test(text) && threads >= 1 && threads <= 1024) return threads;
  throw new InvalidArgumentError('Expected a number of threads from 1 to 1024.');
}

export function acceleratorOption(): Option {
  const what = 'portable: only instructions that WebAssembly defines in full; the report is the same';
  return new Option('--accelerator <name>', what).choices(['auto', 'portable']).default('auto');
}

/** `2/5`, or `auto`: what the environment says of this process. */
export function parseShard(text: string): Shard | 'auto' {
  if (text === 'auto') return 'auto';
  const match = /^(\d{1,6})\/(\d{1,6})$/.exec(text);
  const [index, count] = [Number(match?.[1]), Number(match?.[2])];
  if (match && index >= 1 && index <= count) return { index, count };
  throw new InvalidArgumentError('Expected I/N, from 1/N to N/N, e.g. 2/5; or auto.');
}

/** What schedulers and CI call the number of a process and of all of them; first: the number of the first process. */
const SHARD_VARIABLES = [
  {
    index: 'SLURM_ARRAY_TASK_ID',
    count: 'SLURM_ARRAY_TASK_COUNT',
    first: 'SLURM_ARRAY_TASK_MIN',
    step: 'SLURM_ARRAY_TASK_STEP',
  },
  { index: 'JOB_COMPLETION_INDEX', count: 'JOB_COMPLETIONS', first: 0 },
  { index: 'CI_NODE_INDEX', count: 'CI_NODE_TOTAL', first: 1 },
  { index: 'CIRCLE_NODE_INDEX', count: 'CIRCLE_NODE_TOTAL', first: 0 },
  { index: 'BUILDKITE_PARALLEL_JOB', count: 'BUILDKITE_PARALLEL_JOB_COUNT', first: 0 },
  { index: 'SYSTEM_JOBPOSITIONINPHASE', count: 'SYSTEM_TOTALJOBSINPHASE', first: 1 },
  { index: 'SEMAPHORE_JOB_INDEX', count: 'SEMAPHORE_JOB_COUNT', first: 1 },
] as const;

/** The shard that `auto` stands for here. Throws InputError where the environment does not say. */
export function shardOf(shard: Shard | 'auto', env: Readonly<Record<string, string | undefined>>): Shard {
  if (shard !== 'auto') return shard;
  const number = (name: string) => (/^\d{1,6}$/.test(env[name] ?? '') ? Number(env[name]) : Number.NaN);
  const names = SHARD_VARIABLES.find(({ index }) => env[index] !== undefined);
  const expected = (what: string) => new InputError([{ kind: 'usage', where: '--shard auto', message: what }]);
  if (!names) {
    const known = SHARD_VARIABLES.map(({ index, count }) => `${index} and ${count}`).join(', ');
    throw expected(`expected ${known}, got none of them; write --shard I/N`);
  }
  const first = typeof names.first === 'number' ? names.first : number(names.first);
  const step = 'step' in names && env[names.step] !== undefined ? number(names.step) : 1;
  const [index, count] = [(number(names.index) - (Number.isNaN(first) ? 1 : first)) / step + 1, number(names.count)];
  if (Number.isInteger(index) && index >= 1 && index <= count) return { index, count };
  const got = `${names.index}=${printable(env[names.index] ?? '')}, ${names.count}=${printable(env[names.count] ?? '')}`;
  throw expected(`expected the number of this process and of all, got ${got}; write --shard I/N`);
}

/** Layers whose name matches one of the globs; `*` matches any text, dots too. A glob without a match is a problem. */
export function selectLayers(model: Model, globs: readonly string[]): (layer: Layer) => boolean {
  const matchers = globs.map(matcherOf);
  const problems = globs
    .filter((_, i) => !model.layers.some((layer) => matchers[i](layer.name)))
    .map((glob) => noSuchLayer('--layer', glob, model));
  if (problems.length > 0) throw new InputError(problems);
  return (layer) => matchers.length === 0 || matchers.some((matches) => matches(layer.name));
}

/** Joins the three tolerance options into one lookup by layer name. A layer that the model lacks is a problem. */
export function tolerances(
  model: Model,
  options: { tolLsb?: PerLayerNumber[]; tolUlp?: PerLayerNumber[]; maxMismatched?: PerLayerNumber[] },
): (layerName: string) => Tolerance {
  const given = [
    { flag: '--tol-lsb', field: 'lsb', rows: options.tolLsb ?? [] },
    { flag: '--tol-ulp', field: 'ulp', rows: options.tolUlp ?? [] },
    { flag: '--max-mismatched', field: 'percent', rows: options.maxMismatched ?? [] },
  ] as const;
  const names = new Set(model.layers.map((layer) => layer.name));
  const problems = given.flatMap(({ flag, rows }) =>
    rows.flatMap(({ layer }) => (layer === null || names.has(layer) ? [] : [noSuchLayer(flag, layer, model)])),
  );
  if (problems.length > 0) throw new InputError(problems);
  return (layerName) => {
    const tolerance = { ...EXACT };
    for (const { field, rows } of given) {
      const own = rows.findLast((row) => row.layer === layerName) ?? rows.findLast((row) => row.layer === null);
      if (own) tolerance[field] = own.value;
    }
    return tolerance;
  };
}

/** Names are mapped for a candidate only: without one a forgotten option would go unnoticed. */
export function checkMap(map: readonly unknown[] = [], hasCandidate: boolean): void {
  if (map.length === 0 || hasCandidate) return;
  const message = 'expected --candidate NPZ with it, whose names it translates, got none';
  throw new InputError([{ kind: 'usage', where: '--map', message }]);
}

/** Options that a command about the same run needs too. */
export function repeatedWords({ kernel, map = [], samples }: Repeated): string[] {
  return [
    ...(kernel === undefined ? [] : ['--kernel', kernel]),
    ...map.flatMap(([mine, layer]) => option('--map', `${mine}=${layer}`)),
    ...(samples === undefined ? [] : ['--samples', `${samples.from}:${samples.to}`]),
  ];
}

interface Repeated {
  readonly kernel?: string | undefined;
  readonly map?: readonly (readonly [mine: string, layer: string])[] | undefined;
  readonly samples?: SampleSpan | undefined;
}

function noSuchLayer(flag: string, name: string, model: Model): Problem {
  const shown = model.layers.slice(0, 8).map((layer) => printable(layer.name));
  const names = shown.join(', ') + (model.layers.length > 8 ? ', ...' : '');
  const near = nearest(
    name,
    model.layers.map((layer) => layer.name),
  );
  const hint = near === null ? '' : `; did you mean ${printable(near)}?`;
  return {
    kind: 'usage',
    where: flag,
    message: `expected a layer of the model (${names}), got ${given(name)}${hint}`,
  };
}

/** Piece by piece: as a regular expression a long one is refused, and one of many stars takes for ever. */
function matcherOf(glob: string): (name: string) => boolean {
  const [head, ...pieces] = glob.split('*');
  const tail = pieces.pop();
  return (name) => {
    if (tail === undefined) return name === head;
    let at = head.length;
    for (const piece of name.startsWith(head) ? pieces : [null]) {
      const found = piece === null ? -1 : name.indexOf(piece, at);
      if (found < 0) return false;
      at = found + piece!.length;
    }
    return name.endsWith(tail) && at + tail.length <= name.length;
  };
}
