import { readFileSync } from 'node:fs';
import type { Report } from '../../src/nouns/report.js';
import type { ReportOptions } from '../../src/report/reporter.js';
import { table as tableWith } from '../../src/report/table.js';
import { NO_INK } from '../../src/report/terminal/ink.js';
import { findings } from '../../src/report/words/findings.js';

/**
 * Reports to show. iris-*: the numbers of the iris captures (PyTorch 2.13, engine x86), computed with a numpy model of
 * FBGEMM: on AVX2, on AVX2 with the thread's numpy script as candidate, with VNNI. tour: invented, one layer for each
 * thing a format must cope with: long, CJK and hostile names, every status, floats, a found weight, `unexplained`.
 */
export const reportNames = ['iris-avx2', 'iris-avx2-candidate', 'iris-vnni', 'tour'] as const;

export function fileOf(name: string): URL {
  return new URL(name, import.meta.url);
}

export function readReport(name: (typeof reportNames)[number]): Report {
  return JSON.parse(readFileSync(fileOf(`${name}.json`), 'utf8'));
}

export const plain: ReportOptions = {
  sort: 'graph',
  verbosity: 'normal',
  ink: NO_INK,
  width: 80,
  unicode: true,
  commands: ['explain', 'forecast'],
};

/** The table with the words that go with findings. */
export function table(report: Report, options: ReportOptions): string {
  return tableWith(report, options, findings);
}
