import { jsonOfRuns } from './json.js';
import type { Formats, Run } from './reporter.js';
import { tableOfRuns } from './table.js';

/** Formats by the name that --reporter takes; but for the usual ones, loaded where they are asked for. */
export const reporters: Formats<readonly Run[]> = new Map([
  ['table', async () => tableOfRuns],
  ['json', async () => jsonOfRuns],
  ['junit', async () => (await import('./junit.js')).junit],
  ['markdown', async () => (await import('./markdown.js')).markdown],
  ['github-actions', async () => (await import('./githubActions.js')).githubActions],
  ['blob', async () => (await import('./blob.js')).blob],
  ['html', async () => (await import('./html.js')).html],
]);
