import { jsonOfRuns } from './json.js';
import type { Format, Formats, Run } from './reporter.js';
import { tableOfRuns } from './table.js';

/** Formats by the name that --reporter takes; but for the usual ones, loaded where they are asked for. */
export const reporters: Formats<readonly Run[]> = new Map<string, Format<readonly Run[]>>([
  ['table', { load: async () => tableOfRuns }],
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
