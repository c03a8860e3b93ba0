import { blob } from './blob.js';
import { githubActions } from './githubActions.js';
import { html } from './html.js';
import { jsonOfRuns } from './json.js';
import { junit } from './junit.js';
import { markdown } from './markdown.js';
import type { Reporter } from './reporter.js';
import { tableOfRuns } from './table.js';

/** Formats by the name that --reporter takes. */
export const reporters: ReadonlyMap<string, Reporter> = new Map([
  ['table', tableOfRuns],
  ['json', jsonOfRuns],
  ['junit', junit],
  ['markdown', markdown],
  ['github-actions', githubActions],
  ['blob', blob],
  ['html', html],
]);
