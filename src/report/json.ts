import type { Report } from '../nouns/report.js';
import { arranged } from './arrange.js';
import { inPieces } from './pieces.js';
import type { Reporter, ReportOptions, ReportText } from './reporter.js';
import { Rows } from './rows.js';

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
  const pieces: string[] = [];
  writeJson(document, (piece) => pieces.push(piece), longestLine);
  return pieces.join('');
}

/** The same, piece by piece: of a million channels' findings the whole of it, and its lines, took 700 MB beside them. */
export function writeJson(document: unknown, write: (piece: string) => void, longestLine = LONGEST_LINE): void {
  const { put, end } = inPieces(write);
  putValue(document, '', longestLine, put);
  put('\n');
  end();
}

/** JSON with what is short on one line, and the rest indented by two. */
function putValue(value: unknown, indent: string, longestLine: number, put: (text: string) => void): void {
  const line = onOneLine(value, longestLine - indent.length);
  if (line !== null) {
    put(line);
    return;
  }
  const inner = `${indent}  `;
  const [open, close] = bracketsOf(value);
  let before = `${open}\n${inner}`;
  everyItem(value as object, (name, item) => {
    put(before + name);
    putValue(item, inner, longestLine, put);
    before = `,\n${inner}`;
    return true;
  });
  put(`\n${indent}${close}`);
}

/** Null where a list or an object takes more room. */
function onOneLine(value: unknown, room: number): string | null {
  if (typeof value !== 'object' || value === null) return scalar(value);
  const [open, close] = bracketsOf(value);
  let items = '';
  const fits = everyItem(value, (name, item) => {
    const own = onOneLine(item, room);
    items += `${items === '' ? '' : ', '}${name}${own}`;
    return own !== null && items.length + 2 <= room;
  });
  return fits ? open + items + close : null;
}

function bracketsOf(value: unknown): readonly [string, string] {
  return isList(value) ? ['[', ']'] : ['{', '}'];
}

function isList(value: unknown): value is unknown[] | Rows {
  return Array.isArray(value) || value instanceof Rows;
}

/** name: what stands before it. Ends where one is not taken. */
function everyItem(value: object, takes: (name: string, item: unknown) => boolean): boolean {
  if (isList(value)) return value.every((item: unknown) => takes('', item));
  for (const key of Object.keys(value)) {
    const item = (value as Record<string, unknown>)[key];
    if (item !== undefined && !takes(`${scalar(key)}: `, item)) return false;
  }
  return true;
}

function scalar(value: unknown): string {
  if (typeof value === 'number') {
    if (Number.isFinite(value)) return String(value); // as JSON has it, in a third of the time
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
