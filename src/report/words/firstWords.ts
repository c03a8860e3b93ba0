/** What makes the rest of little use, said before any count. */
import type { Report } from '../../nouns/report.js';
import { printable } from '../../text.js';
import { notFiniteSentences } from './notFinite.js';
import { TWO_TRAININGS } from './verdict.js';

export function firstWords(report: Report): string[] {
  const stale = report.warnings.filter(({ code }) => code === TWO_TRAININGS);
  return [...stale.map(({ message }) => printable(message)), ...notFiniteSentences(report)];
}

/** The other warnings. */
export function notes({ warnings }: Report): Report['warnings'] {
  return warnings.filter(({ code }) => code !== TWO_TRAININGS);
}
