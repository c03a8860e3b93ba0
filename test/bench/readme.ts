import { readFileSync, writeFileSync } from 'node:fs';

const [BEGIN, END] = ['<!-- npm run bench -- --write-readme -->', '<!-- end of bench -->'];

/** A table in columns of one width. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((name, i) => Math.max(...[name, ...rows.map((row) => row[i])].map((cell) => cell.length)));
  const line = (cells: readonly string[]) => `| ${cells.map((cell, i) => cell.padEnd(widths[i])).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}

/** Puts the text in place of what stands between the two marks. */
export function writeReadme(path: string, text: string): void {
  const before = readFileSync(path, 'utf8');
  const [from, to] = [before.indexOf(BEGIN), before.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`${path}: expected the marks ${BEGIN} and ${END}`);
  writeFileSync(path, `${before.slice(0, from) + BEGIN}\n\n${text}\n\n${before.slice(to)}`);
}
