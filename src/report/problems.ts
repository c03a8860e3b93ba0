import type { Problem } from '../nouns/problem.js';

const MOST_OF_A_KIND = 20;

/** A line for each problem; of one kind at most 20, then a count of the rest. */
export function problemLines(problems: readonly Problem[]): string[] {
  const seen = new Map<string, number>();
  const lines: string[] = [];
  for (const { kind, where, message } of problems) {
    const count = (seen.get(kind) ?? 0) + 1;
    seen.set(kind, count);
    if (count <= MOST_OF_A_KIND) lines.push(`${where}: ${message}`);
  }
  for (const [kind, count] of seen) {
    if (count > MOST_OF_A_KIND) lines.push(`${count - MOST_OF_A_KIND} more problems of this kind (${kind})`);
  }
  return lines;
}
