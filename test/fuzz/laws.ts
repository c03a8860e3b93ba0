/** What several runs on the same files owe each other. */
import type { Case } from './cases.js';
import { type Files, type Result, run } from './io.js';
import type { Fault } from './oracle.js';
import type { Random } from './random.js';
import { arraysOf, npzOf } from './zipFile.js';

interface Scene {
  readonly files: Files;
  /** Model and capture, the candidate and the kernel as the case has them. */
  readonly argv: readonly string[];
  readonly random: Random;
}

type Law = (scene: Scene) => Promise<Fault | null>;

/** The same run again, and one law that does not have to hold for other options. */
export async function brokenLaws(one: Case, result: Result, random: Random): Promise<Fault[]> {
  if (result.code > 1 || one.kind === 'arguments') return [];
  const faults: (Fault | null)[] = [];
  if (random.chance(0.3)) faults.push(await repeats(one, result));
  const argv = ['model.json', 'capture.npz', ...option(one, '--candidate'), ...option(one, '--kernel')];
  if (one.argv[0] === 'model.json' && one.argv[1] === 'capture.npz') {
    faults.push(await random.one(LAWS)({ files: one.files, argv, random }));
  }
  return faults.filter((fault) => fault !== null);
}

function option({ argv }: Case, flag: string): string[] {
  const at = argv.indexOf(flag);
  return at < 0 ? [] : argv.slice(at, at + 2);
}

const fault = (kind: string, detail: string): Fault => ({ kind, detail: detail.slice(0, 600) });

function difference(a: string, b: string): string {
  let at = 0;
  while (at < a.length && a[at] === b[at]) at++;
  const part = (text: string) => JSON.stringify(text.slice(Math.max(0, at - 60), at + 60));
  return `at ${at}: ${part(a)} and ${part(b)}`;
}

async function repeats(one: Case, before: Result): Promise<Fault | null> {
  const again = await run(one.argv, one.files, one);
  const same = again.code === before.code && again.stdout === before.stdout && again.stderr === before.stderr;
  return same ? null : fault('not-repeatable', difference(before.stdout, again.stdout));
}

const FORMATS = ['json', 'table', 'html', 'junit', 'markdown', 'github-actions'];

const shardsMerged: Law = async ({ files, argv, random }) => {
  const [count, format] = [random.between(1, 4), ['--reporter', random.one(FORMATS)]];
  const whole = await run([...argv, ...format], files);
  if (whole.code > 1) return null;
  const blobs: Files = new Map();
  for (let i = 1; i <= count; i++) {
    const { stdout } = await run([...argv, '--shard', `${i}/${count}`, '--reporter', 'blob'], files);
    blobs.set(`s/${i}.blob`, Buffer.from(stdout));
  }
  const merged = await run(['merge', 's', ...format], blobs);
  if (merged.code === whole.code && merged.stdout === whole.stdout) return null;
  const what = `${count} shards, ${format[1]}: exit ${whole.code} and ${merged.code}`;
  return fault('merge-differs', `${what} ${merged.stderr}${difference(whole.stdout, merged.stdout)}`);
};

const baselineAccepts: Law = async ({ files, argv, random }) => {
  const mode = random.chance(0.5) ? ['--mode', 'propagated'] : [];
  const update = [...argv, ...mode, '--baseline', 'b.json', '--update-baseline'];
  const recorded = await run(update, files);
  if (recorded.code > 1) return null;
  if (recorded.code !== 0) return fault('baseline-recorded', `exit ${recorded.code}`);
  const text = String(recorded.written.get('b.json'));
  const based = new Map([...files, ['b.json', Buffer.from(text)]]);
  const judged = await run([...argv, ...mode, '--baseline', 'b.json'], based);
  if (judged.code !== 0) return fault('baseline-not-accepted', `exit ${judged.code}: ${judged.stderr}${judged.stdout}`);
  const again = String((await run(update, based)).written.get('b.json'));
  return again === text ? null : fault('baseline-not-stable', difference(text, again));
};

const reportIsSame: Law = async ({ files, argv }) => {
  const { code, stdout } = await run([...argv, '--reporter', 'json'], files);
  if (code > 1) return null;
  const reports = new Map(['a.json', 'b.json'].map((name) => [name, Buffer.from(stdout)]));
  const compared = await run(['diff-reports', 'a.json', 'b.json', '--reporter', 'json'], reports);
  const verdict = compared.code === 0 ? JSON.parse(compared.stdout).verdict : compared.stderr;
  return verdict === 'same' ? null : fault('report-differs-from-itself', `exit ${compared.code}: ${verdict}`);
};

/** What golden writes is what a comparison computes. */
const goldenIsReplayed: Law = async ({ files, argv: [model, capture, ...options] }) => {
  if (options.includes('--candidate')) return null;
  const golden = await run(['golden', model, capture, ...options, '-o', 'g'], files);
  if (golden.code !== 0) return null;
  const arrays = arraysOf(files.get(capture)!);
  const outputs = new Map<string, Buffer>();
  for (const [key, data] of arraysOf(Buffer.from(golden.written.get('g/golden.npz') as Uint8Array))) {
    const layer = key.replace(/\.output$/s, '');
    if (layer !== key && arrays.has(layer)) outputs.set(layer, data);
  }
  const replaced = new Map([
    ...files,
    [
      capture,
      npzOf([...arrays, ...outputs].reduce((all, [key, data]) => all.set(key, data), new Map<string, Buffer>())),
    ],
  ]);
  const judged = await run([model, capture, ...options, '--mode', 'propagated', '--reporter', 'json'], replaced);
  if (judged.code > 1) return null;
  const layers = JSON.parse(judged.stdout).layers as { name: string; values: number | null; mismatched: number }[];
  const wrong = layers.find(({ name, values, mismatched }) => outputs.has(name) && values !== null && mismatched > 0);
  return wrong ? fault('golden-differs', `${wrong.name}: ${wrong.mismatched} of ${wrong.values}`) : null;
};

const captureIsItself: Law = async ({ files }) => {
  const { code, stdout } = await run(
    ['model.json', 'capture.npz', '--candidate', 'capture.npz', '--reporter', 'json'],
    files,
  );
  return code === 1 ? fault('capture-differs-from-itself', stdout.slice(0, 200)) : null;
};

const LAWS = [shardsMerged, baselineAccepts, reportIsSame, goldenIsReplayed, captureIsItself];
