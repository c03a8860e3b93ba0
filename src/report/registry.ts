import { jsonOfRuns } from './json.js';
import type { Reporter } from './reporter.js';
import { tableOfRuns } from './table.js';

/** Formats by the name that --reporter takes. */
export const reporters: ReadonlyMap<string, Reporter> = new Map([
  ['table', tableOfRuns],
  ['json', jsonOfRuns],
]);
