import { join } from 'node:path';
import { channelsKept } from '../analyze/explain/details.js';
import { assemble } from '../compare/assemble.js';
import { refuseNothing } from '../compare/coverage.js';
import type { SampleSpan } from '../compare/options.js';
import { type Blob, validateBlob } from '../documents/blob.js';
import { validateShards } from '../documents/shards.js';
import { readJson } from '../load/json.js';
import { collecting, refuse, unreadable } from '../load/refuse.js';
import type { Io } from '../nouns/io.js';
import type { Part } from '../nouns/part.js';
import { InputError, type Problem } from '../nouns/problem.js';
import type { Run } from '../report/reporter.js';
import { printable } from '../text.js';
import type { CliCommand, CommandIo } from './command.js';
import { usage } from './open.js';
import { repeatedWords } from './options.js';
import { checkTargets, declareReports, type OutputOptions, writeReports } from './output.js';

/** One report from the blobs of all shards, byte for byte that of one process. */
export const mergeCommand: CliCommand = {
  register(program, run) {
    const command = program
      .command('merge <blobs...>')
      .usage('DIR|BLOB... [options]')
      .description('one report from shards (--shard I/N --reporter blob=FILE); a folder stands for its *.blob files');
    declareReports(command).action((paths: string[], options: OutputOptions) =>
      run((io) => mergeAction(io, paths, options)),
    );
  },
};

async function mergeAction(io: CommandIo, paths: readonly string[], options: OutputOptions): Promise<number> {
  checkTargets(options.reporter, [], io.stdout.isTTY);
  if (options.reporter?.some(({ name }) => name === 'blob')) {
    throw usage(
      'expected another format, got blob: blobs are what is merged; name all of them in one merge',
      '--reporter',
    );
  }
  const problems: Problem[] = [];
  const blobs: { path: string; blob: Blob }[] = [];
  for (const path of await filesOf(io, paths)) {
    const blob = await collecting(problems, async () => validateBlob(await readJson(io.fs, path), path));
    if (blob) blobs.push({ path, blob });
  }
  if (problems.length > 0) throw new InputError(problems);
  const runs = merged(validateShards(blobs));
  await writeReports(io, runs, options, undefined);
  return runs.every(({ report }) => report.verdict === 'match') ? 0 : 1;
}

async function filesOf(io: Io, paths: readonly string[]): Promise<string[]> {
  const files: string[] = [];
  for (const path of paths) {
    const isFolder = await io.fs.isDirectory(path).catch((error) => {
      throw unreadable(path, error);
    });
    const inside = isFolder ? (await io.fs.list(path)).filter((name) => name.endsWith('.blob')) : [];
    if (isFolder && inside.length === 0) {
      throw refuse(
        'shard',
        printable(path),
        'expected a folder with *.blob files, got none; name the files themselves',
      );
    }
    files.push(...(isFolder ? inside.map((name) => join(path, name)) : [path]));
  }
  return files;
}

function merged(blobs: readonly [Blob, ...Blob[]]): Run[] {
  return blobs[0].runs.map(({ name, baseline, settings }, i) => {
    const repeated = repeatedIn(settings);
    const parts = blobs.map((blob) => blob.runs[i].part) as [Part, ...Part[]];
    const report = assemble(parts);
    refuseNothing(report);
    const order = new Map(parts[0].run.selected.map((layer, index) => [layer, index]));
    const differing = (report.candidate_layers ?? report.layers).filter(({ status }) => status === 'mismatch');
    const kept = new Map(differing.map((layer, position) => [layer.name, channelsKept(position, layer)]));
    const details = blobs
      .flatMap((blob) => blob.runs[i].details)
      .sort((a, b) => order.get(a.name)! - order.get(b.name)!)
      .map((one) => ({ ...one, channels: one.channels.slice(0, kept.get(one.name) ?? 0) }))
      .filter(({ channels }) => channels.length > 0);
    if (!baseline) return { name, report, details, repeated };
    const changes = blobs
      .flatMap((blob) => blob.runs[i].baseline?.report.changes ?? [])
      .sort((a, b) => order.get(a.layer)! - order.get(b.layer)!);
    const warnings = [...report.warnings, ...baseline.warnings];
    return { name, details, repeated, report: { ...report, baseline: { ...baseline.report, changes }, warnings } };
  });
}

/** As the shards were run; what is no JSON of ours is left out. */
function repeatedIn({ kernel, map, samples }: Readonly<Record<string, string>>): string[] {
  const parsed = (text: string | undefined): unknown => {
    try {
      return text === undefined ? undefined : JSON.parse(text);
    } catch {
      return undefined;
    }
  };
  const [name, pairs, span] = [kernel, map, samples].map(parsed);
  const isPair = (pair: unknown): pair is [string, string] =>
    Array.isArray(pair) && pair.length === 2 && pair.every((word) => typeof word === 'string');
  const isSpan = (one: unknown): one is SampleSpan =>
    typeof one === 'object' &&
    one !== null &&
    Number.isInteger((one as SampleSpan).from) &&
    Number.isInteger((one as SampleSpan).to);
  return repeatedWords({
    kernel: typeof name === 'string' ? name : undefined,
    map: Array.isArray(pairs) ? pairs.filter(isPair) : undefined,
    samples: isSpan(span) ? span : undefined,
  });
}
