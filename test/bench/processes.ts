/** Processes that are measured, and what is printed of them. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LayerShape } from './case.js';

export const root = process.env.QDIFF_BENCH_ROOT!;
export const folder = process.env.QDIFF_BENCH_FOLDER!;
export const python = process.env.PYTHON ?? 'python3';
export const bench = (name: string) => join(root, 'test/bench', name);
export const qdiff = join(root, 'bin/qdiff.js');

export const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1];
export const ms = (value: number) => (value < 100 ? value.toFixed(1) : value.toFixed(0));
export const times = (value: number) => `${value.toFixed(value < 10 ? 2 : 1)}x`;
export const mib = (bytes: number) => String(Math.round(bytes / 2 ** 20));
export const percent = (part: number) => `${Math.round(100 * part)}%`;

export function print(title: string, head: readonly string[], rows: readonly (readonly string[])[]): void {
  console.log(`\n${title}\n`);
  for (const row of [head, head.map(() => '---'), ...rows]) console.log(`| ${row.join(' | ')} |`);
}

/** What the README shows, in the order of the sections. */
export const forReadme: string[] = [];

export interface Contender {
  readonly name: string;
  /** One run; milliseconds of the CPU, which other jobs of the machine change less than the time that passes. */
  run(): number;
}

export interface Spawned {
  readonly wallMs: number;
  readonly stdout: string;
  readonly cpuMs: number;
  readonly maxRss: number;
}

export function spawned(command: string, args: readonly string[]): Spawned {
  const usage = join(folder, 'usage.json');
  const measured = [bench('usage.py'), usage, command, ...args];
  const { status, stdout, stderr, error } = spawnSync(python, measured, { encoding: 'utf8', maxBuffer: 1 << 28 });
  if (error || status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error ?? stderr + stdout}`);
  const { wall, cpu, rss } = JSON.parse(readFileSync(usage, 'utf8')) as Record<'wall' | 'cpu' | 'rss', number>;
  return { wallMs: 1000 * wall, stdout, cpuMs: 1000 * cpu, maxRss: rss };
}

export const process_ = (name: string, command: string, ...args: readonly string[]): Contender => ({
  name,
  run: () => spawned(command, args).cpuMs,
});

/** By the time that passes. */
export const awaited = (name: string, command: string, ...args: readonly string[]): Contender => ({
  name,
  run: () => spawned(command, args).wallMs,
});

/** Runs that take turns; medians by name. */
export function inTurns(contenders: readonly Contender[], rounds: number): Map<string, number> {
  const taken = new Map(contenders.map(({ name }) => [name, [] as number[]]));
  for (let round = 0; round < rounds; round++) {
    for (const { name, run } of contenders) taken.get(name)!.push(run());
  }
  return new Map([...taken].map(([name, all]) => [name, median(all)]));
}

export const hasTorch = spawnSync(python, ['-c', 'import torch']).status === 0;
export const files = (at: string) => [join(at, 'model.json'), join(at, 'capture.npz')];
export const one = (inFeatures: number, outFeatures: number): LayerShape[] => [
  { name: 'fc', input: 'x', inFeatures, outFeatures },
];
export const shapeName = (...sizes: readonly number[]) => sizes.join('x');
