/** Sentences on lines of a terminal. */
import { printable, withShortWords } from '../../text.js';
import type { ReportOptions } from '../reporter.js';
import type { Paint } from '../terminal/columns.js';
import { wrap } from '../terminal/layout.js';

/** Lines wider than this are hard to read, however wide the terminal is. */
const WIDEST_PROSE = 100;

interface Screen {
  readonly options: Pick<ReportOptions, 'width' | 'brief'>;
}

export function prose({ options }: Screen, text: string): string[] {
  return wrap(shown(options, text), Math.max(1, Math.min(options.width, WIDEST_PROSE)));
}

/** On a screen, in a line of its own or in a column. */
export function shown({ brief = plain }: Screen['options'], text: string): string {
  return withShortWords(brief(printable(text)));
}

/** A label, and text that keeps to the right of it; below it where there is no room beside. */
export function labelled(
  { options }: Screen,
  label: string,
  text: string,
  paint: Paint = plain,
  labelPaint: Paint = plain,
): string[] {
  const width = Math.min(options.width, WIDEST_PROSE) - label.length;
  if (width >= 24) {
    const indent = ' '.repeat(label.length);
    return wrap(shown(options, text), width).map((line, i) => (i === 0 ? labelPaint(label) : indent) + paint(line));
  }
  const lines = wrap(shown(options, text), Math.max(8, options.width - 4)).map((line) => `    ${paint(line)}`);
  return label.trim() === '' ? lines : [labelPaint(label.trimEnd()), ...lines];
}

function plain(line: string): string {
  return line;
}
