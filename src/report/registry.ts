import { jsonOfRuns } from './json.js';
import type { Format, Formats, Run } from './reporter.js';
import { tableOfRuns } from './table.js';
import { hasFindings, type Tell } from './words/finding.js';

/** Formats by the name that --reporter takes; but for the usual ones, loaded where they are asked for. */
export const reporters: Formats<readonly Run[]> = new Map<string, Format<readonly Run[]>>([
  ['table', { load: async (runs) => tableOfRuns(await tellOf(runs)) }],
  ['json', { load: async () => jsonOfRuns, forMachines: true }],
  ['junit', { load: async () => (await import('./junit.js')).junit }],
  ['markdown', { load: async () => (await import('./markdown.js')).markdown }],
  ['github-actions', { load: async () => (await import('./githubActions.js')).githubActions, forMachines: true }],
  ['blob', { load: async () => (await import('./blob.js')).blob, forMachines: true, needs: ['details', 'digest'] }],
  [
    'html',
    {
      load: async () => (await import('./html.js')).html,
      forMachines: true,
      needs: ['details'],
      page: 'dist/report.html',
    },
  ],
]);

/** The words for findings come with the search: a report without any starts without. */
async function tellOf(runs: readonly Run[]): Promise<Tell> {
  return runs.some(({ report }) => hasFindings(report)) ? (await import('./words/findings.js')).findings : () => [];
}
