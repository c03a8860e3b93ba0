/** Beside the first divergent layer: where else it begins, and whether it heals. */
import type { DivergenceReport, Report } from '../../nouns/report.js';
import { printable } from '../../text.js';

/** Names of a sentence. */
const MOST = 8;

type Quoted = (name: string) => string;

/** "it begins apart at b1 (equal again at cat) and b2 (reaches fc)"; none where the first divergent layer says all. */
export function divergenceSentences(report: Report, quoted: Quoted = printable): string[] {
  const { divergences = [], layers = [], candidate_layers: candidates } = report;
  const differing = new Set(
    (candidates ?? layers).flatMap(({ name, status }) => (status === 'mismatch' ? [name] : [])),
  );
  if (divergences.length > 1) {
    const each = divergences.map((one) =>
      [quoted(one.layer), ...endOf(one, differing, quoted).map((end) => `(${end})`)].join(' '),
    );
    return [`each branch's first: ${listed(each)}`];
  }
  return divergences.flatMap((one) =>
    endOf(one, differing, quoted).map((end) => (isHealed(one) ? `it heals: ${end}` : end)),
  );
}

function isHealed({ equal_again: equal, reaches }: DivergenceReport): boolean {
  return (equal?.length ?? 0) > 0 && reaches?.length === 0;
}

/** "equal again at pool1, not at fc"; nothing where it goes on to all outputs, or where that is not known. */
function endOf(
  { equal_again: equal, reaches }: DivergenceReport,
  differing: ReadonlySet<string>,
  quoted: Quoted,
): string[] {
  if (!equal || !reaches || equal.length === 0) return [];
  const names = (all: readonly string[]) => listed(all.map((name) => quoted(name)));
  const [not, unknown] = [
    reaches.filter((name) => differing.has(name)),
    reaches.filter((name) => !differing.has(name)),
  ];
  const others = [
    ...(not.length > 0 ? [`, not at ${names(not)}`] : []),
    ...(unknown.length > 0
      ? [`; ${names(unknown)} ${unknown.length === 1 ? 'was' : 'were'} compared with nothing`]
      : []),
  ];
  return [`equal again at ${names(equal)}${others.join('')}`];
}

function listed(names: readonly string[]): string {
  const more = names.length - MOST;
  return names.slice(0, MOST).join(', ') + (more > 0 ? ` and ${more} more` : '');
}
