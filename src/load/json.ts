import { isUtf8 } from 'node:buffer';
import type { FileSystem } from '../nouns/file.js';
import { printable } from '../text.js';
import { openFile, readFully } from './bytes.js';
import { refuse } from './refuse.js';

/** V8 holds no longer string; numbers of a larger model belong into an npz. */
const MAX_JSON_BYTES = 2 ** 29 - 24;

/**
 * The value of a JSON file (UTF-8, with or without a byte order mark). Throws InputError with line and column.
 * NaN and Infinity, which Python writes and JSON lacks, are read as numbers, so that validation can name their place.
 */
export async function readJson(fs: FileSystem, path: string): Promise<unknown> {
  const where = printable(path);
  const file = await openFile(fs, path);
  let bytes: Buffer;
  try {
    if (file.size > MAX_JSON_BYTES) {
      const fix = 'keep the weights in an npz beside it and write {"array": KEY}';
      throw refuse('json', where, `expected at most ${MAX_JSON_BYTES} bytes of JSON, got ${file.size}; ${fix}`);
    }
    bytes = Buffer.allocUnsafeSlow(file.size);
    await readFully(file, bytes, 0, where);
  } finally {
    await file.close();
  }
  return jsonIn(bytes, where);
}

/** The same of bytes that are read already. */
export function jsonIn(bytes: Buffer, where: string): unknown {
  const text = decodeText(bytes, where);
  checkLevels(bytes, where);
  return parseJson(text, where);
}

const VALUE_FILES: readonly (readonly [magic: string, what: string])[] = [
  ['PK', 'a zip file'],
  ['\x93NUMPY', 'a single array'],
];

function decodeText(bytes: Buffer, where: string): string {
  if (bytes.length === 0) throw refuse('json', where, 'expected JSON, got an empty file');
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)) {
    throw refuse('json', where, 'expected JSON in UTF-8, got UTF-16; save it as UTF-8');
  }
  const values = VALUE_FILES.find(([magic]) => bytes.toString('latin1', 0, magic.length) === magic);
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) {
    throw refuse('json', where, 'expected JSON, got a gzip file; unpack it first (gunzip)');
  }
  if (values) throw refuse('json', where, `expected JSON, got ${values[1]}; the model comes first, then the capture`);
  if (!isUtf8(bytes)) throw refuse('json', where, 'expected JSON in UTF-8, got bytes that are not UTF-8');
  const bom = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  return bytes.toString('utf8', bom);
}

/** No document of ours, and no model, is nested deeper; what walks through a value calls itself for each level. */
const MOST_LEVELS = 100;

/** Throws where lists and objects are nested too deeply. Brackets in texts do not count. */
function checkLevels(bytes: Buffer, where: string): void {
  let level = 0;
  for (let at = 0, isText = false; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === 0x22) isText = !isText;
    else if (isText) at += byte === 0x5c ? 1 : 0;
    else if (byte === 0x5b || byte === 0x7b) level++;
    else if (byte === 0x5d || byte === 0x7d) level--;
    if (level > MOST_LEVELS) {
      const { line, column } = lineAndColumn(bytes.toString('utf8', 0, at), at);
      const message = `expected at most ${MOST_LEVELS} lists and objects in one another, got more`;
      throw refuse('json', `${where} line ${line} column ${column}`, message);
    }
  }
}

function parseJson(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Only now slowly: JSON.parse tells no position for most errors, and stops at Python's NaN.
    const found = scanJson(text);
    if ('expected' in found) {
      const { line, column } = lineAndColumn(text, found.at);
      const isBeforeAll = text.slice(0, found.at).trim() === '';
      const message = `expected ${isBeforeAll ? 'JSON' : found.expected}, got ${gotAt(text, found.at)}${hintAt(text, found.at)}`;
      throw refuse('json', `${where} line ${line} column ${column}`, message);
    }
    return JSON.parse(found.text, (_, value) => (value === NAN_MARK ? Number.NaN : value));
  }
}

const NAN_MARK = '\0NaN';

/** What Python writes for numbers that JSON lacks, and JSON that reads as the same number. */
const NOT_FINITE = new Map([
  ['NaN', JSON.stringify(NAN_MARK)],
  ['Infinity', '1e999'],
  ['-Infinity', '-1e999'],
]);

const TOKEN =
  /[ \t\n\r]*(?:([[\]{},:])|("[^"\\\x00-\x1f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*)*")|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null|(NaN|-?Infinity))/y;

/** Walks JSON text token by token: where it stops being JSON, or the text with NaN and Infinity replaced. */
function scanJson(text: string): { at: number; expected: string } | { text: string } {
  const open: string[] = [];
  const pieces: string[] = [];
  let copiedTo = 0;
  let expected = 'a value';
  for (let at = 0; ; at = TOKEN.lastIndex) {
    TOKEN.lastIndex = at;
    const token = TOKEN.exec(text);
    const [all, mark = '', string = '', notFinite] = token ?? [''];
    const isValue = token !== null && mark === '';
    const closes = mark === (open.at(-1) === '{' ? '}' : ']') && open.length > 0;
    const start = at + all.length - all.trimStart().length;
    if (expected === 'the end of the file' && /^[ \t\n\r]*$/.test(text.slice(at))) break;
    if (expected.startsWith('a value') && (isValue || mark === '[' || mark === '{')) {
      if (!isValue) open.push(mark);
      expected = isValue ? next(open) : mark === '[' ? 'a value or "]"' : 'a name in double quotes or "}"';
    } else if (expected.startsWith('a name') && string) expected = '":"';
    else if (expected === '":"' && mark === ':') expected = 'a value';
    else if (expected.startsWith('","') && mark === ',') {
      expected = open.at(-1) === '{' ? 'a name in double quotes' : 'a value';
    } else if (closes && / or "[\]}]"$/.test(expected)) {
      open.pop();
      expected = next(open);
    } else return { at: token ? start : at + /^[ \t\n\r]*/.exec(text.slice(at))![0].length, expected };
    if (notFinite) {
      pieces.push(text.slice(copiedTo, start), NOT_FINITE.get(notFinite)!);
      copiedTo = TOKEN.lastIndex;
    }
  }
  return { text: pieces.join('') + text.slice(copiedTo) };
}

/** What may follow a value inside the innermost open list or object. */
function next(open: readonly string[]): string {
  if (open.length === 0) return 'the end of the file';
  return open.at(-1) === '{' ? '"," or "}"' : '"," or "]"';
}

function hintAt(text: string, at: number): string {
  if (text.startsWith('/', at)) return '; JSON has no comments';
  return at === text.length ? '; the file is cut off: copy or write it again' : '';
}

function gotAt(text: string, at: number): string {
  const word = /^(?:[\w.+-]+|.)/su.exec(text.slice(at, at + 40));
  return word ? printable(word[0]) : 'the end of the file';
}

function lineAndColumn(text: string, at: number): { line: number; column: number } {
  let line = 1;
  let lineStart = 0;
  for (let end = text.indexOf('\n'); end >= 0 && end < at; end = text.indexOf('\n', lineStart)) {
    line++;
    lineStart = end + 1;
  }
  return { line, column: at - lineStart + 1 };
}

/** A field of an object of a file; undefined: there is none, or it is no object. */
export function field(raw: unknown, name: string): unknown {
  return typeof raw === 'object' && raw !== null && Object.hasOwn(raw, name)
    ? (raw as Record<string, unknown>)[name]
    : undefined;
}
