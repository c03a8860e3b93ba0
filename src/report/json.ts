import stringify from 'json-stringify-pretty-compact';
import { arranged } from './arrange.js';
import type { Reporter } from './reporter.js';

/** Channels a layer lists unless --channels says otherwise: a wide layer must not make a document of megabytes. */
const DEFAULT_CHANNELS = 256;

/** The report itself, one channel a line. Numbers that JSON lacks are the strings "inf", "-inf", "nan". */
export const json: Reporter = (report, options) => {
  const document = arranged(report, { sort: options.sort, channels: options.channels ?? DEFAULT_CHANNELS });
  return `${stringify(document, { maxLength: 240, replacer: (_, value) => spelled(value) })}\n`;
};

function spelled(value: unknown): unknown {
  if (typeof value !== 'number' || Number.isFinite(value)) return value;
  return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
}
