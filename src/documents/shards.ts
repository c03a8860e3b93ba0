import { InputError, type Problem } from '../nouns/problem.js';
import { printable } from '../text.js';
import type { Blob, BlobRun } from './blob.js';

/** The blobs of one run in the order of their shards. Throws InputError: missing, doubled, foreign, differently configured. */
export function validateShards(
  blobs: readonly { readonly path: string; readonly blob: Blob }[],
): readonly [Blob, ...Blob[]] {
  const [first] = blobs;
  const { count } = first.blob.shard;
  const problems: Problem[] = [];
  const problem = (path: string, message: string) => problems.push({ kind: 'shard', where: printable(path), message });
  const byIndex = new Map<number, { path: string; blob: Blob }>();
  for (const one of blobs) {
    const { path, blob } = one;
    const difference = differenceOf(first.blob, blob);
    if (difference) problem(path, `expected a shard of the same run as ${printable(first.path)}, got ${difference}`);
    const { index } = blob.shard;
    const before = byIndex.get(index);
    if (before)
      problem(path, `expected each shard once, got ${index}/${count} again (${printable(before.path)}); keep one`);
    else if (index > count) problem(path, `expected a shard from 1 to ${count}, got ${index}`);
    else byIndex.set(index, one);
  }
  const missing = Array.from({ length: Math.min(count, 1e6) }, (_, i) => i + 1).filter((index) => !byIndex.has(index));
  if (missing.length > 0 && problems.length === 0) {
    const shown = missing.slice(0, 8).join(', ') + (missing.length > 8 ? ', ...' : '');
    problem(
      'shards',
      `expected all of ${count}, missing ${shown}; run them (--shard ${missing[0]}/${count}) and merge again`,
    );
  }
  const ordered = [...byIndex].sort(([a], [b]) => a - b).map(([, { blob }]) => blob) as [Blob, ...Blob[]];
  if (problems.length === 0) checkComplete(ordered, problems);
  if (problems.length > 0) throw new InputError(problems);
  return ordered;
}

/** Why two blobs are not of one run, or null. */
function differenceOf(a: Blob, b: Blob): string | null {
  if (a.tool.version !== b.tool.version)
    return `one of qdiff ${printable(b.tool.version)} (not ${printable(a.tool.version)})`;
  if (a.shard.count !== b.shard.count) return `one of ${b.shard.count} shards (not ${a.shard.count})`;
  if (a.runs.length !== b.runs.length) return `one of ${b.runs.length} models (not ${a.runs.length})`;
  for (const [i, run] of a.runs.entries()) {
    const other = b.runs[i];
    const changed = changedSettings(run, other);
    if (changed.length > 0) return `one run with other settings: ${changed.join(', ')}`;
    if (run.name !== other.name || run.inputs !== other.inputs) return 'one of another model, capture or candidate';
    if (JSON.stringify(run.part.run) !== JSON.stringify(other.part.run)) return 'one of other layers or samples';
  }
  return null;
}

function changedSettings(a: BlobRun, b: BlobRun): string[] {
  const names = [...new Set([...Object.keys(a.settings), ...Object.keys(b.settings)])];
  const value = ({ settings }: BlobRun, name: string) => (Object.hasOwn(settings, name) ? settings[name] : 'absent');
  return names
    .filter((name) => value(a, name) !== value(b, name))
    .map((name) => `${printable(name)} ${printable(value(b, name))} (not ${printable(value(a, name))})`);
}

/** Whole layers, disjoint and together complete; where a run stops at the first difference, later ones may be missing. */
function checkComplete(blobs: readonly [Blob, ...Blob[]], problems: Problem[]): void {
  blobs[0].runs.forEach(({ part: { run } }, i) => {
    const parts = blobs.map((blob) => blob.runs[i].part);
    for (const layers of [
      parts.map((p) => p.layers),
      ...(run.candidate === null ? [] : [parts.map((p) => p.candidateLayers ?? [])]),
    ]) {
      const names = layers.flat().map(({ name }) => name);
      const complete = run.failFast || names.length === run.selected.length;
      if (complete && new Set(names).size === names.length) continue;
      const message = `expected each of ${run.selected.length} layers once, got ${names.length}; the blobs were changed: run the shards again`;
      problems.push({ kind: 'shard', where: printable(run.model), message });
    }
  });
}
