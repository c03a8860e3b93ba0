/** The table's rows, one a layer. */
import { stripVTControlCharacters } from 'node:util';
import type { LayerReport, Report } from '../nouns/report.js';
import { printable } from '../text.js';
import type { ReportOptions } from './reporter.js';
import { type Column, fits, type Paint, renderColumns } from './terminal/columns.js';
import { displayWidth, shortenName } from './terminal/layout.js';
import { largest, mean } from './words/differences.js';
import { decibels, percent } from './words/numbers.js';
import { labelled, shown } from './words/prose.js';
import { differingChannels, whyOf } from './words/verdict.js';

interface Viewed {
  readonly report: Report;
  readonly options: ReportOptions;
  readonly ellipsis: string;
}

/** Unicode mark, ASCII mark, colour. */
const MARKS = {
  differs: ['✗', 'x', 'red'],
  accepted: ['≈', '~', 'yellow'],
  equal: ['✓', '=', 'green'],
  uncompared: ['·', '-', 'dim'],
} as const;

/** In a table that is too wide, of longer ones: one letter less of sequence_lstm is no gain. */
const [WIDEST_OP, LONG_OP] = [12, 14];

function markOf(layer: LayerReport): keyof typeof MARKS {
  if (layer.status === 'match') return 'equal';
  if (layer.status !== 'mismatch') return 'uncompared';
  return layer.accepted ? 'accepted' : 'differs';
}

/** Where the causes do not fit beside a row, they follow on a line of their own. */
export function layerLines(view: Viewed, layers: readonly LayerReport[]): string[] {
  const { report, options, ellipsis } = view;
  const paint = (row: number): Paint => options.ink[MARKS[markOf(layers[row])][2]];
  const why = layers.map((layer) => whyOf(layer, report));
  const layout = { width: options.width, ellipsis, headPaint: options.ink.dim };
  const whole = columnsOf(layers, options, paint, '-');
  whole.push({ head: ['why'], cells: why, align: 'left', paint });
  if (fits(whole, options.width)) {
    const { head, rows } = renderColumns(whole, layout);
    return [...head, ...rows];
  }
  const columns = columnsOf(layers, options, paint, '').map((column) => {
    // names tell more of a layer than the whole of adaptive_avg_pool2d
    if (column.head[0] !== 'op' || fits(whole.slice(0, -1), options.width)) return column;
    return {
      ...column,
      cells: column.cells.map((op) => (op.length > LONG_OP ? shortenName(op, WIDEST_OP, ellipsis) : op)),
    };
  });
  const { head, rows } = renderColumns(columns, layout);
  const widths = rows.map((row) => displayWidth(stripVTControlCharacters(row)));
  const named = widths.reduce((most, width, i) => (layers[i].values === null ? Math.max(most, width) : most), 0);
  /** Of a layer without numbers the reason stands in their place, where it has the room; else on a line of its own. */
  const withReason = (row: string, i: number): string[] => {
    if (why[i] === '') return [row];
    const beside = layers[i].values === null && named + 2 + displayWidth(why[i]) <= options.width;
    if (beside) return [`${row}${' '.repeat(named + 2 - widths[i])}${paint(i)(why[i])}`];
    return [row, ...labelled(view, '    ', why[i], paint(i))];
  };
  return [...head, ...rows.flatMap(withReason)];
}

/** none: in place of numbers, where there are none. */
function columnsOf(
  layers: readonly LayerReport[],
  options: ReportOptions,
  paint: (row: number) => Paint,
  none: string,
): Column[] {
  const cells = (text: (layer: LayerReport) => string) => layers.map((layer) => text(layer));
  const compared = (text: (layer: LayerReport) => string) => cells((l) => (l.values === null ? none : text(l)));
  const shares = cells((l) => percent(l.mismatched ?? 0, l.values ?? 0));
  const shareWidth = shares.reduce((most, share) => Math.max(most, share.length), 0);
  return [
    { head: [''], cells: cells((l) => MARKS[markOf(l)][options.unicode ? 0 : 1]), align: 'left', paint },
    { head: ['layer'], cells: cells((l) => shown(options, l.name)), align: 'left', shortenTo: 12, paint },
    { head: ['op'], cells: cells((l) => printable(l.op)), align: 'left', shortenTo: 6, dropOrder: 5 },
    { head: ['values'], cells: compared((l) => String(l.values)), align: 'right', dropOrder: 4 },
    {
      head: ['mismatched'],
      cells: compared((l) => `${l.mismatched} ${percent(l.mismatched!, l.values!).padStart(shareWidth)}`),
      align: 'right',
      paint,
    },
    {
      head: ['chan-', 'nels'],
      cells: compared((l) => `${differingChannels(l)}/${l.out_features}`),
      align: 'right',
      dropOrder: 3,
    },
    { head: ['max', '|diff|'], cells: compared(largest), align: 'right', dropOrder: 0 },
    { head: ['mean', 'diff'], cells: compared(mean), align: 'right', dropOrder: 2 },
    { head: ['SQNR', 'dB'], cells: compared((l) => decibels(l.sqnr_db)), align: 'right', dropOrder: 1 },
  ];
}
