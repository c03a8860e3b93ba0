import { largestOf } from '../../numeric/extremes.js';
import { displayWidth, padEnd, padStart, shortenNames } from './layout.js';

export type Paint = (text: string) => string;

/** A column of a table: plain cells, painted only after they are padded, so that colour never moves anything. */
export interface Column {
  readonly head: readonly string[];
  readonly cells: readonly string[];
  readonly align: 'left' | 'right';
  /** May be shortened, down to this many columns. */
  readonly shortenTo?: number;
  /** On a narrow terminal the highest goes first; absent: stays. */
  readonly dropOrder?: number;
  readonly paint?: (row: number) => Paint;
}

interface ColumnLayout {
  readonly width: number;
  readonly ellipsis: string;
  readonly headPaint: Paint;
}

/** Whether the columns stand side by side, as they are, in this width. */
export function fits(columns: readonly Column[], width: number): boolean {
  return totalWidth(columns) <= width;
}

/** Head lines, then a line a row; never wider than the layout, as far as columns that may shrink or go allow it. */
export function renderColumns(all: readonly Column[], layout: ColumnLayout): { head: string[]; rows: string[] } {
  let columns = shortened(all, layout);
  while (!fits(columns, layout.width)) {
    const dropped = Math.max(...columns.map((column) => column.dropOrder ?? -1));
    if (dropped < 0) break;
    const left = all.filter((column) => (column.dropOrder ?? -1) < dropped);
    columns = shortened(left, layout);
    all = left;
  }
  const spare = layout.width - totalWidth(columns);
  const gapAfter = (i: number) => (columns.length - 1 - i <= spare ? '  ' : ' '); // what room there is goes to the last gaps
  const widths = columns.map(columnWidth);
  const line = (textOf: (column: Column) => string, paintOf?: (column: Column) => Paint | undefined) =>
    columns
      .map((column, i) => {
        const last = i === columns.length - 1;
        const width = last && column.align === 'left' ? 0 : widths[i]; // nothing to trim inside the paint
        const text = padded(textOf(column), column.align, width);
        const painted = text.trim() === '' ? text : (paintOf?.(column)?.(text) ?? text); // blanks at the end are trimmed
        return painted + (last ? '' : gapAfter(i));
      })
      .join('')
      .trimEnd();
  const heads = Math.max(...columns.map((column) => column.head.length));
  const rows = largestOf(columns.map((column) => column.cells.length));
  return {
    head: Array.from({ length: heads }, (_, i) =>
      layout.headPaint(line((c) => c.head[c.head.length - heads + i] ?? '')),
    ),
    rows: Array.from({ length: rows }, (_, row) =>
      line(
        (c) => c.cells[row],
        (c) => c.paint?.(row),
      ),
    ),
  };
}

function padded(text: string, align: Column['align'], width: number): string {
  return align === 'right' ? padStart(text, width) : padEnd(text, width);
}

function columnWidth({ head, cells }: Column): number {
  return [...head, ...cells].reduce((widest, text) => Math.max(widest, displayWidth(text)), 0);
}

/** With a space between each two. */
function totalWidth(columns: readonly Column[]): number {
  return columns.reduce((sum, column) => sum + columnWidth(column), columns.length - 1);
}

/** Takes what is too much from the columns that may be shortened, the widest first. */
function shortened(columns: readonly Column[], { width, ellipsis }: ColumnLayout): readonly Column[] {
  let excess = totalWidth(columns) - width;
  if (excess <= 0) return columns;
  const limits = new Map<Column, number>();
  const shrinkable = columns.filter((column) => column.shortenTo !== undefined);
  for (const column of shrinkable.sort((a, b) => columnWidth(b) - columnWidth(a))) {
    const limit = Math.max(column.shortenTo!, columnWidth(column) - Math.max(0, excess));
    excess -= Math.max(0, columnWidth(column) - limit);
    limits.set(column, limit);
  }
  return columns.map((column) => {
    const limit = limits.get(column);
    if (limit === undefined) return column;
    return { ...column, cells: shortenNames(column.cells, limit, ellipsis) };
  });
}
