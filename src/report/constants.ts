/** The table of constants: for people, as CSV, as C. */

import type { TableChannel, TableDocument, TableLayer } from '../documents/table.js';
import { counted, nineDigits, printable } from '../text.js';
import { float32Literal } from './inC/constantsC.js';
import type { ReportOptions } from './reporter.js';
import { type Column, renderColumns } from './terminal/columns.js';
import type { Ink } from './terminal/ink.js';
import { prose } from './words/prose.js';
import { skippedNotes } from './words/skipped.js';

const DEFAULT_CHANNELS = 8;

export function constantsText(document: TableDocument, options: ReportOptions): string {
  const { ink } = options;
  const head = `constants of ${counted(document.layers.length, 'layer')} under kernel ${document.kernel}`;
  const blocks = [
    prose({ options }, head).map((line) => ink.bold(line)),
    ...document.layers.map((layer) => layerLines(layer, options, ink)),
    skippedNotes(document.skipped, options),
  ];
  return `${blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

function layerLines(layer: TableLayer, options: ReportOptions, ink: Ink): string[] {
  const { channels, clamp, input_zero_point: zx, output_zero_point: zy } = layer;
  const shown = options.verbosity === 'verbose' ? channels : channels.slice(0, DEFAULT_CHANNELS);
  const left = channels.length - shown.length;
  const output =
    zy === null || clamp === null ? 'float output' : `output zero point ${zy}, clamp ${clamp.join(' to ')}`;
  const layout = { width: options.width, ellipsis: options.unicode ? '…' : '...', headPaint: ink.dim };
  const { head, rows } = renderColumns(columnsOf(shown), layout);
  return [
    ...prose(
      { options },
      `${printable(layer.name)} (${layer.op}, kernel ${layer.kernel}): input zero point ${zx}, ${addendText(layer)}${output}`,
    ),
    ...prose({ options }, layer.equation),
    ...head,
    ...rows,
    ...(left > 0 ? [`and ${counted(left, 'more channel')}: -v, or --format csv`] : []),
  ];
}

function addendText({ addend_zero_point: zero, addend_multiplier_float32: multiplier }: TableLayer): string {
  if (multiplier === undefined) return '';
  return `second input (code - ${zero}) * ${nineDigits(Number(multiplier))}, `;
}

function columnsOf(channels: readonly TableChannel[]): Column[] {
  const column = (
    head: string,
    value: (channel: TableChannel) => number | undefined,
    text: (value: number) => string = String,
  ): Column[] => {
    const values = channels.map(value);
    if (values.every((number) => number === undefined)) return [];
    return [
      { head: [head], cells: values.map((number) => (number === undefined ? '-' : text(number))), align: 'right' },
    ];
  };
  return [
    ...column('channel', ({ channel }) => channel),
    ...column('multiplier_int32', (c) => c.multiplier_int32),
    ...column('shift', ({ shift }) => shift),
    ...column('multiplier_float32', (c) => c.multiplier_float32, nineDigits),
    ...column('bias_int32', (c) => c.bias_int32),
    ...column('bias_int64', (c) => c.bias_int64),
    ...column('bias_float32', (c) => c.bias_float32, nineDigits),
    ...column('weight zero point', (c) => c.weight_zero_point),
  ];
}

const CSV_FIELDS = [
  'layer',
  'kernel',
  'channel',
  'input_zero_point',
  'weight_zero_point',
  'multiplier_int32',
  'shift',
  'multiplier_float32',
  'bias_int32',
  'bias_float32',
  'output_zero_point',
  'clamp_min',
  'clamp_max',
  'addend_zero_point',
  'addend_multiplier_float32',
] as const;

/** RFC 4180, a row a channel; empty: the layer does not have it. */
export function constantsCsv({ layers }: TableDocument): string {
  const rows = layers.flatMap((layer) =>
    layer.channels.map((channel) => {
      const fields: Record<(typeof CSV_FIELDS)[number], string | number | null | undefined> = {
        layer: csvName(layer.name),
        kernel: layer.kernel,
        input_zero_point: layer.input_zero_point,
        addend_zero_point: layer.addend_zero_point,
        addend_multiplier_float32: float32Of(layer.addend_multiplier_float32),
        output_zero_point: layer.output_zero_point,
        clamp_min: layer.clamp?.[0],
        clamp_max: layer.clamp?.[1],
        multiplier_int32: undefined,
        shift: undefined,
        ...channel,
        bias_int32: channel.bias_int32 ?? channel.bias_int64,
        multiplier_float32: float32Of(channel.multiplier_float32),
        bias_float32: float32Of(channel.bias_float32),
      };
      return CSV_FIELDS.map((name) => fields[name] ?? '').join(',');
    }),
  );
  return `${[CSV_FIELDS.join(','), ...rows].join('\r\n')}\r\n`;
}

/** Nine digits give the same float32 back. */
function float32Of(value: number | undefined): string | undefined {
  return value === undefined ? undefined : float32Literal(value).replace(/f$/, '');
}

/** Quoted; a spreadsheet takes what begins with = + - @ for a formula. */
function csvName(name: string): string {
  const text = printable(name).replace(/^(?=[=+\-@])/, "'");
  return `"${text.replaceAll('"', '""')}"`;
}
