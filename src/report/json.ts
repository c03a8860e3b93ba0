import stringify from 'json-stringify-pretty-compact';
import { arranged } from './arrange.js';
import type { Reporter } from './reporter.js';

/** Channels a layer lists unless --channels says otherwise: a wide layer must not make a document of megabytes. */
const DEFAULT_CHANNELS = 256;

/** The report itself, one channel a line. Numbers that JSON lacks are the strings "inf", "-inf", "nan". */
export const json: Reporter = (report, options) => {
  const document = arranged(report, { sort: options.sort, channels: options.channels ?? DEFAULT_CHANNELS });
  return `${escaped(stringify(document, { maxLength: 240, replacer: (_, value) => spelled(value) }))}\n`;
};

function spelled(value: unknown): unknown {
  if (typeof value !== 'number' || Number.isFinite(value)) return value;
  return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
}

/** What JSON leaves as it is and a terminal would obey: DEL, C1, bidi and zero-width characters; all inside strings. */
function escaped(text: string): string {
  return text.replace(/[\x7f-\x9f\p{Cf}\p{Co}\p{Zl}\p{Zp}]/gu, (character) => {
    const units = Array.from({ length: character.length }, (_, i) => character.charCodeAt(i));
    return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('');
  });
}
