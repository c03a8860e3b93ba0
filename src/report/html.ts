/** A page for the browser: one file, no network. This file fills the page that the build made (report/page). */

import type { PageLayerDetails } from '../documents/blob.js';
import type { ChannelReport, LayerReport, Report } from '../nouns/report.js';
import { counted, printable } from '../text.js';
import { worstFirst } from './arrange.js';
import { baselineSentences } from './baseline.js';
import { type Finding, findingLayers, findings } from './findings.js';
import { layerNumbers } from './layerNumbers.js';
import { nextCommand } from './next.js';
import type { PageChannel, PageData, PageLayer, PageRun } from './page/data.js';
import { finite } from './pageDetails.js';
import type { Reporter, ReportOptions, Run } from './reporter.js';
import {
  addedCauses,
  differs,
  extentOf,
  firstDivergence,
  firstDivergenceLabel,
  firstMismatch,
  judged,
  uncomparedInRuns,
  verdict,
  whyOf,
} from './verdict.js';

/** Channels with a histogram of their own, for each layer. */
const DEFAULT_CHANNELS = 64;
const MOST_LAYERS_IN_TEXT = 500;
const MOST_WARNINGS = 100;

export const html: Reporter = (runs, options) => {
  const [start, afterTitle, afterContent, end] = partsOf(options.page);
  const several = runs.length > 1;
  const failed = runs.filter(({ report }) => report.verdict === 'mismatch').length;
  const word = several
    ? `${failed === 0 ? 'MATCH' : 'MISMATCH'} (${[counted(runs.length, 'model'), ...uncomparedInRuns(runs.map(({ report }) => report))].join('; ')})`
    : verdict(runs[0].report).word;
  const page: PageData = { runs: runs.map((run) => pageRun(run, options)) };
  const sections = runs.map((run, i) => section(run, i, options, several));
  return [
    start,
    text(
      `qdiff: ${word}: ${
        several
          ? runs
              .map(({ name }) => name)
              .join(', ')
              .slice(0, 200)
          : runs[0].report.model
      }`,
    ),
    afterTitle,
    sections.join('\n'),
    afterContent,
    scriptData(page),
    end,
  ].join('');
};

/** Around title, content and data. */
function partsOf(page: string | undefined): string[] {
  const parts = page?.split(/<!--qdiff:(?:title|content|data)-->/);
  if (parts?.length !== 4) throw new Error('the page of the html report is missing or damaged');
  return parts;
}

/** JSON inside a script element: nothing in it ends the element or starts a comment. */
function scriptData(page: PageData): string {
  return JSON.stringify(page).replace(
    /[<>&\u2028\u2029]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

// ---------------------------------------------------------------- what the charts are drawn from

function pageRun({ name, report, details = [] }: Run, options: ReportOptions): PageRun {
  const layers = judged(report);
  const causeSets: string[] = [];
  const setOf = (causes: readonly string[]) => {
    const set = causes.map(printable).join(' + ') || 'not diagnosed';
    if (!causeSets.includes(set)) causeSets.push(set);
    return causeSets.indexOf(set);
  };
  const byName = new Map(details.map((one) => [one.name, one]));
  return {
    name: printable(name),
    layers: layers.map((layer) => pageLayer(layer, report, options, setOf, byName.get(layer.name))),
    causeSets,
  };
}

function pageLayer(
  layer: LayerReport,
  report: Report,
  options: ReportOptions,
  setOf: (causes: readonly string[]) => number,
  details: PageLayerDetails | undefined,
): PageLayer {
  const channels = layer.channels ?? [];
  const added = addedCauses(layer, report);
  const causesOf = (c: ChannelReport) => [...new Set([...c.causes, ...added(c.channel)])];
  return {
    name: printable(layer.name),
    op: printable(layer.op),
    status: layer.status,
    accepted: layer.accepted,
    unit: layer.unit ?? 'lsb',
    why: whyOf(layer, report),
    samples: layer.values && layer.out_features ? layer.values / layer.out_features : 0,
    outFeatures: layer.out_features ?? 0,
    mismatched: layer.mismatched ?? 0,
    maxAbsDiff: finite(layer.max_abs_diff ?? 0),
    histogram: summed(layer),
    channels: {
      index: base64(Uint32Array.from(channels, (c) => c.channel)),
      mismatched: base64(Uint32Array.from(channels, (c) => c.mismatched)),
      maxAbsDiff: base64(Float32Array.from(channels, (c) => c.max_abs_diff)),
      meanDiff: base64(Float32Array.from(channels, (c) => c.mean_diff)),
      causeSet: base64(Uint8Array.from(channels, (c) => Math.min(255, setOf(causesOf(c))))),
    },
    worst: worstFirst(channels)
      .slice(0, options.channels ?? DEFAULT_CHANNELS)
      .map(({ channel, histogram }): PageChannel => ({ channel, histogram })),
    details: details?.channels ?? [],
  };
}

/** The layer's differences by size; equal values too. */
function summed({ channels, values }: LayerReport): number[] {
  const bins = new Array<number>(9).fill(0);
  for (const { histogram } of channels ?? []) for (const [i, count] of histogram.entries()) bins[i] += count;
  bins[4] += (values ?? 0) - bins.reduce((sum, count) => sum + count, 0);
  return bins;
}

function base64(values: Uint32Array | Float32Array | Uint8Array): string {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('base64');
}

// ---------------------------------------------------------------- what is read without a script

function section({ name, report }: Run, index: number, options: ReportOptions, several: boolean): string {
  const { word, text: sentence } = verdict(report);
  const first = firstDivergence(report);
  const mismatch = first && firstMismatch(first);
  const facts = [
    ['model', report.model],
    [report.against === 'replay' ? 'expected: the replay from' : 'expected: the capture', report.capture],
    ['actual', report.candidate ?? 'the replay'],
    ['kernel', report.kernel],
    ['mode', report.mode],
    ['samples', String(report.samples)],
    ['replayed', `${report.replayed} of ${report.total} layers`],
    ...(first ? [[firstDivergenceLabel(report), first.name + (mismatch ? ` (${mismatch})` : '')]] : []),
  ];
  const next = nextCommand(report, options);
  return `<section class="run" data-run="${index}">
<h1>qdiff: ${several ? `<bdi>${text(name)}</bdi>: ` : ''}<span class="verdict ${report.verdict}">${word}</span></h1>
<p class="sentence">${text(sentence)}</p>
<dl class="facts">${facts.map(([key, value]) => `<div><dt>${text(key)}</dt><dd><bdi>${text(value)}</bdi></dd></div>`).join('')}</dl>
${list('baseline', baselineSentences(report))}
${findings(report, differs).map(findingHtml).join('\n')}
<div class="charts" data-charts="${index}"></div>
${layerTable(report)}
${list(
  'notes',
  report.warnings.slice(0, MOST_WARNINGS).map(({ where, message }) => `${where}: ${message}`),
)}
${next ? `<p class="next">next: <code>${text(next)}</code></p>` : ''}
</section>`;
}

function layerTable(report: Report): string {
  const layers = judged(report);
  const shown = layers.length <= MOST_LAYERS_IN_TEXT ? layers : layers.filter(({ status }) => status !== 'match');
  const rows = shown.slice(0, MOST_LAYERS_IN_TEXT).map((layer) => row(layer, layers.indexOf(layer), report));
  const left = layers.length - rows.length;
  const head = ['layer', 'op', 'values', 'mismatched', 'channels', 'max |diff|', 'mean diff', 'SQNR dB', 'why'];
  return `<table class="layers"><caption>Layers: differences are actual - expected, in steps (lsb) or units in the last place (ulp)</caption>
<thead><tr>${head.map((name) => `<th scope="col">${name}</th>`).join('')}</tr></thead>
<tbody>
${rows.join('\n')}
</tbody></table>
${left > 0 ? `<p>${left} more layers not listed</p>` : ''}`;
}

function row(layer: LayerReport, index: number, report: Report): string {
  const state = differs(layer) ? 'differs' : layer.accepted ? 'accepted' : layer.status;
  return `<tr class="${state}" data-layer="${index}"><th scope="row"><bdi>${text(layer.name)}</bdi></th><td>${text(layer.op)}</td>${layerNumbers(
    layer,
  )
    .map((number) => `<td class="number">${text(number)}</td>`)
    .join('')}<td>${text(whyOf(layer, report))}</td></tr>`;
}

/** The first stands open. */
function findingHtml(finding: Finding, index: number): string {
  const details = finding.details.map(
    ({ label, sentences }) =>
      `<div><dt>${text(label)}</dt>${sentences.map((one) => `<dd>${text(one)}</dd>`).join('')}</div>`,
  );
  const extent = finding.layers
    .slice(0, 8)
    .map((layer) => `<li><bdi>${text(layer.name)}</bdi>: ${text(extentOf(layer))}</li>`);
  return `<details class="finding"${index === 0 ? ' open' : ''}><summary><bdi>${text(findingLayers(finding))}</bdi>: ${finding.headlines.map(text).join('<br>')}</summary>
<ul>${extent.join('')}</ul>
<dl>${details.join('')}</dl></details>`;
}

function list(name: string, sentences: readonly string[]): string {
  if (sentences.length === 0) return '';
  return `<ul class="${name}">${sentences.map((one) => `<li>${text(one)}</li>`).join('')}</ul>`;
}

const ENTITIES = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&quot;'],
  ["'", '&#39;'],
]);

/** Text or an attribute's value, whatever it holds. */
function text(value: string): string {
  return printable(value).replace(/[&<>"']/g, (character) => ENTITIES.get(character)!);
}
