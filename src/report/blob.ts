/** One process's share of a run, for `qdiff merge`: everything of the report, and what tells shards that belong together. */
import type { Part } from '../compare/assemble.js';
import type { Warning } from '../nouns/problem.js';
import type { BaselineReport } from '../nouns/report.js';
import { version } from '../version.js';
import { jsonText } from './json.js';
import type { PageLayerDetails } from './page/data.js';
import type { Reporter } from './reporter.js';

/** What a shard holds of one model's comparison. */
export interface BlobRun {
  readonly name: string;
  /** Of model, capture and candidate: the same numbers for the same layers, shapes and parameters. */
  readonly inputs: string;
  /** What was asked for, option by option. */
  readonly settings: Readonly<Record<string, string>>;
  readonly part: Part;
  readonly baseline: { readonly report: BaselineReport; readonly warnings: readonly Warning[] } | null;
  /** For the html report: of this shard's first layers that differ. */
  readonly details: readonly PageLayerDetails[];
}

export interface Blob {
  readonly format: 'qdiff-blob';
  readonly version: 1;
  readonly tool: { readonly name: 'qdiff'; readonly version: string };
  readonly shard: { readonly index: number; readonly count: number };
  readonly runs: readonly BlobRun[];
}

export const blob: Reporter = (runs) => {
  const document: Blob = {
    format: 'qdiff-blob',
    version: 1,
    tool: { name: 'qdiff', version },
    shard: runs[0].shard!.of,
    runs: runs.map(({ name, shard }) => ({ name, ...shard!.found })),
  };
  return jsonText(withMarks(document));
};

/** JSON lacks these numbers, and -0 too; a merged report has to have them back. */
const MARK = '$number';
const MARKED = new Map([
  ['inf', Number.POSITIVE_INFINITY],
  ['-inf', Number.NEGATIVE_INFINITY],
  ['nan', Number.NaN],
  ['-0', -0],
]);

function withMarks(value: unknown): unknown {
  if (typeof value === 'number') {
    const mark = [...MARKED].find(([, number]) => Object.is(number, value))?.[0];
    return mark === undefined ? value : { [MARK]: mark };
  }
  return mapped(value, withMarks);
}

/** The numbers themselves; or, where `spelled`, as the report's schema reads them. */
export function withoutMarks(value: unknown, spelled: boolean): unknown {
  const mark = typeof value === 'object' && value !== null && MARK in value ? value[MARK] : undefined;
  const number = typeof mark === 'string' ? MARKED.get(mark) : undefined;
  if (number !== undefined) return spelled ? (number === 0 ? 0 : mark) : number;
  return mapped(value, (item) => withoutMarks(item, spelled));
}

function mapped(value: unknown, map: (item: unknown) => unknown): unknown {
  if (Array.isArray(value)) return value.map(map);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, map(item)]));
}
