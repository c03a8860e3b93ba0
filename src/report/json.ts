import type { Report } from '../nouns/report.js';
import { arranged } from './arrange.js';
import type { Reporter, ReportOptions, ReportText } from './reporter.js';

/** Channels a layer lists unless --channels says otherwise: a wide layer must not make a document of megabytes. */
const DEFAULT_CHANNELS = 256;

/** A channel with its histogram stays on one line. */
const LONGEST_LINE = 240;

/** The report itself, one channel a line. Numbers that JSON lacks are the strings "inf", "-inf", "nan". */
export const json: ReportText = (report, options) => jsonText(documentOf(report, options));

/** One report, or for several models one document with all of them by name. */
export const jsonOfRuns: Reporter = (runs, options) => {
  if (runs.length === 1) return json(runs[0].report, options);
  const verdict = runs.every(({ report }) => report.verdict === 'match') ? 'match' : 'mismatch';
  const reports = runs.map(({ name, report }) => ({ name, report: documentOf(report, options) }));
  return jsonText({ format: 'qdiff-reports', version: 1, verdict, reports });
};

function documentOf(report: Report, options: ReportOptions): Report {
  return arranged(report, { sort: options.sort, channels: options.channels ?? DEFAULT_CHANNELS });
}

/** Any document in qdiff's layout: what fits on a line stays there. */
export function jsonText(document: unknown, longestLine = LONGEST_LINE): string {
  return `${formatted(document, '', longestLine)}\n`;
}

/** JSON with what is short on one line, and the rest indented by two. */
function formatted(value: unknown, indent: string, longestLine: number): string {
  if (typeof value !== 'object' || value === null) return scalar(value);
  const inner = `${indent}  `;
  const items = Array.isArray(value)
    ? value.map((item) => formatted(item, inner, longestLine))
    : Object.entries(value).flatMap(([key, item]) =>
        item === undefined ? [] : `${scalar(key)}: ${formatted(item, inner, longestLine)}`,
      );
  const [open, close] = Array.isArray(value) ? '[]' : '{}';
  const length = items.reduce((sum, item) => sum + item.length + 2, indent.length);
  const isShort = length <= longestLine && items.every((item) => !item.includes('\n'));
  return isShort ? open + items.join(', ') + close : `${open}\n${inner}${items.join(`,\n${inner}`)}\n${indent}${close}`;
}

function scalar(value: unknown): string {
  if (typeof value === 'number' && !Number.isFinite(value)) {
    return Number.isNaN(value) ? '"nan"' : value > 0 ? '"inf"' : '"-inf"';
  }
  const text = JSON.stringify(value);
  return typeof value === 'string' ? escaped(text).replaceAll('##[', '##\\u005b') : text; // a command in the log of GitHub Actions
}

/** Nearly all texts, and ten times as fast to tell as what is to be escaped. */
const PLAIN = /^[\x20-\x7e]*$/;

/** What JSON leaves as it is and a terminal would obey: DEL, C1, bidi and zero-width characters. */
function escaped(text: string): string {
  if (PLAIN.test(text)) return text;
  return text.replace(/[\x7f-\x9f\p{Cf}\p{Co}\p{Zl}\p{Zp}]/gu, (character) => {
    const units = Array.from({ length: character.length }, (_, i) => character.charCodeAt(i));
    return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('');
  });
}
