/** The numpy of one value, for a terminal. */

import type { ExplainDocument } from '../documents/explain.js';
import type { ReportOptions } from './reporter.js';
import { wrap } from './terminal/layout.js';
import { prose } from './words/prose.js';

/** Its codes are too many to print. */
export function readsRepro({ numpy }: ExplainDocument): boolean {
  return numpy.some((line) => line.includes('repro.npz'));
}

export function numpyLines(document: ExplainDocument, options: ReportOptions): string[] {
  const { numpy } = document;
  // where a layer has no numpy form, the one line says so
  if (numpy.length === 1 && numpy[0].startsWith('# ')) return prose({ options }, numpy[0].slice('# '.length));
  const how = readsRepro(document) ? 'beside the repro.npz that --repro writes' : 'ready to paste';
  return [`numpy, ${how}:`, ...numpy.flatMap((line) => codeLine(line, options.width))];
}

/** Python breaks lines inside brackets; only lists of codes are as long. */
function codeLine(line: string, width: number): string[] {
  const list = /^(\w+ = np\.array\(\[)(.*)(\]\).*)$/.exec(line);
  if (line.length <= width - 2 || !list) return [`  ${line}`];
  const [, before, codes, after] = list;
  const [close, comment] = after.split('  # ');
  const lines = wrap(`${before}${codes}${close}`, width - 6);
  if (lines.at(-1)!.length + comment.length + 4 <= width - 6) lines.push(`${lines.pop()}  # ${comment}`);
  else lines.unshift(`# ${comment}`);
  return lines.map((part, i) => (i === 0 || (i === 1 && lines[0].startsWith('#')) ? `  ${part}` : `      ${part}`));
}
