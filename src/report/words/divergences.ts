/** Beside the first divergent layer: where else it begins, and whether it heals. */
import type { DivergenceReport, Report } from '../../nouns/report.js';
import { printable } from '../../text.js';

/** Names of a sentence. */
const MOST = 8;

type Quoted = (name: string) => string;

/** "it begins apart at b1 (equal again at cat) and b2 (reaches fc)"; none where the first divergent layer says all. */
export function divergenceSentences({ divergences = [] }: Report, quoted: Quoted = printable): string[] {
  if (divergences.length > 1) {
    const each = divergences.map((one) =>
      [quoted(one.layer), ...endOf(one, quoted).map((end) => `(${end})`)].join(' '),
    );
    return [`each branch's first: ${listed(each)}`];
  }
  return divergences.flatMap((one) => endOf(one, quoted).map((end) => (isHealed(one) ? `it heals: ${end}` : end)));
}

function isHealed({ equal_again: equal, reaches }: DivergenceReport): boolean {
  return (equal?.length ?? 0) > 0 && reaches?.length === 0;
}

/** "equal again at pool1, still different at fc"; nothing where it goes on to all outputs, or where that is not known. */
function endOf({ equal_again: equal, reaches }: DivergenceReport, quoted: Quoted): string[] {
  if (!equal || !reaches || equal.length === 0) return [];
  const again = `equal again at ${listed(equal.map((name) => quoted(name)))}`;
  return [reaches.length === 0 ? again : `${again}, not at ${listed(reaches.map((name) => quoted(name)))}`];
}

function listed(names: readonly string[]): string {
  const more = names.length - MOST;
  return names.slice(0, MOST).join(', ') + (more > 0 ? ` and ${more} more` : '');
}
