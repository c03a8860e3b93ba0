/** Two reports against each other, for a terminal. */

import type { Change, LayerChange, LayerState, ReportsDiff } from '../documents/reportsDiff.js';
import { counted, printable } from '../text.js';
import type { ReportOptions } from './reporter.js';
import { type Column, fits, type Paint, renderColumns } from './terminal/columns.js';
import type { Ink } from './terminal/ink.js';
import { size } from './words/numbers.js';
import { labelled, prose } from './words/prose.js';

const MOST_CHANNELS = 8;

/** Mark in Unicode and in ASCII, and colour. */
const LOOKS = {
  same: ['=', '=', 'dim'],
  better: ['▲', '^', 'green'],
  worse: ['▼', 'v', 'red'],
  changed: ['≠', '!', 'yellow'],
} as const satisfies Record<Change, readonly [string, string, string]>;

export function diffReportsText(diff: ReportsDiff, options: ReportOptions): string {
  const { ink } = options;
  const { before, after, settings, layers, verdict } = diff;
  const shown = options.verbosity === 'verbose' ? layers : layers.filter(({ change }) => change !== 'same');
  const paint = ink[LOOKS[verdict][2]];
  const blocks = [
    [
      ...prose(
        { options },
        `qdiff diff-reports: ${printable(before)} (before) against ${printable(after)} (after)`,
      ).map((line) => ink.bold(line)),
      ...settings.flatMap(({ model, setting, before: a, after: b }) =>
        labelled(
          { options },
          'note: ',
          `${prefix(model)}${setting} was ${printable(a)}, is ${printable(b)}: numbers of another run`,
        ),
      ),
    ],
    layerLines(shown, options, ink),
    shown.flatMap((layer) => channelLines(layer, options)),
    prose({ options }, `${verdict.toUpperCase()}: ${summary(layers)}`).map((line) => paint(ink.bold(line))),
  ];
  const text = blocks.filter((lines) => lines.length > 0).map((lines) => lines.join('\n'));
  return `${text.join('\n\n')}\n`;
}

function layerLines(layers: readonly LayerChange[], options: ReportOptions, ink: Ink): string[] {
  if (layers.length === 0) return [];
  const paint = (row: number): Paint => ink[LOOKS[layers[row].change][2]];
  const columns: Column[] = [
    { head: [''], cells: layers.map(({ change }) => LOOKS[change][options.unicode ? 0 : 1]), align: 'left', paint },
    {
      head: ['layer'],
      cells: layers.map((layer) => prefix(layer.model) + printable(layer.name)),
      align: 'left',
      shortenTo: 12,
    },
    { head: ['change'], cells: layers.map(({ change }) => change), align: 'left', paint },
    { head: ['before'], cells: layers.map(({ before }) => stateText(before)), align: 'left' },
    { head: ['after'], cells: layers.map(({ after }) => stateText(after)), align: 'left' },
  ];
  const why = layers.map((layer) => whyText(layer, options));
  const whyColumn: Column = { head: ['why'], cells: why, align: 'left' };
  const beside = fits([...columns, whyColumn], options.width);
  const layout = { width: options.width, ellipsis: options.unicode ? '…' : '...', headPaint: ink.dim };
  const { head, rows } = renderColumns(beside ? [...columns, whyColumn] : columns, layout);
  if (beside) return [...head, ...rows];
  return [
    ...head,
    ...rows.flatMap((row, i) => (why[i] === '' ? [row] : [row, ...labelled({ options }, '    ', why[i])])),
  ];
}

/** "963 by up to 74" */
function stateText(state: LayerState | null): string {
  if (state === null) return 'absent';
  if (state.status === 'match') return 'equal';
  if (state.status !== 'mismatch') return state.status.replace('-', ' ');
  return `${state.mismatched} by up to ${size(state.max_abs_diff!)}`;
}

/** Causes, before and after where they differ. */
function whyText({ before, after }: LayerChange, { unicode }: ReportOptions): string {
  const [a, b] = [before, after].map((state) => {
    if (state?.status !== 'mismatch') return null;
    return state.causes.map(printable).join(' + ') || 'not diagnosed';
  });
  return a && b && a !== b ? `${a} ${unicode ? '→' : '->'} ${b}` : (b ?? a ?? '');
}

function channelLines(
  { model, name, channels, channels_omitted, change }: LayerChange,
  options: ReportOptions,
): string[] {
  if (channels.length === 0 || change === 'better') return [];
  const shown = channels.slice(0, MOST_CHANNELS).map(({ channel, before, after }) => {
    const was =
      before.mismatched === 0 ? 'equal before' : `${before.mismatched} by up to ${size(before.max_abs_diff)} before`;
    return `channel ${channel} (${counted(after.mismatched, 'value')} by up to ${size(after.max_abs_diff)}, ${was})`;
  });
  const more = channels.length + channels_omitted - shown.length;
  const list = [...shown, ...(more > 0 ? [counted(more, 'more channel')] : [])].join(', ');
  return labelled({ options }, `${change}: `, `${prefix(model)}${printable(name)}: ${list}`);
}

function summary(layers: readonly LayerChange[]): string {
  const counts = (['worse', 'changed', 'better', 'same'] as const)
    .map((change) => ({ change, count: layers.filter((layer) => layer.change === change).length }))
    .filter(({ count }) => count > 0)
    .map(({ change, count }) => `${counted(count, 'layer')} ${change}`);
  return counts.join(', ') || 'no layers';
}

function prefix(model: string | undefined): string {
  return model === undefined ? '' : `${printable(model)}: `;
}
