import type {
  InspectDocument,
  InspectedChannel,
  InspectedLayer,
  InspectedParams,
  MinMax,
} from '../documents/inspect.js';
import { shapeText } from '../load/npy.js';
import { largestOf } from '../numeric/extremes.js';
import { sizeOf } from '../tensor/shape.js';
import { counted, listed, printable } from '../text.js';
import type { ReportOptions } from './reporter.js';
import { type Column, renderColumns } from './terminal/columns.js';
import type { Ink } from './terminal/ink.js';
import { path, shellCommand } from './words/next.js';
import { labelled, prose } from './words/prose.js';
import { unknownLines } from './words/unknownOps.js';

const DEFAULT_CHANNELS = 8;
const MOST_LAYERS_WITH_CHANNELS = 12;

/** What is in a file, a row a layer or an array. */
export function inspectText(document: InspectDocument, options: ReportOptions): string {
  const { ink } = options;
  const linear = (document.layers ?? []).filter(({ channels }) => channels !== null);
  const most = options.verbosity === 'verbose' ? linear.length : MOST_LAYERS_WITH_CHANNELS;
  const blocks = [
    headerLines(document, options).map((line, i) => (i === 0 ? ink.bold(line) : line)),
    ...(document.arrays ? [arrayLines(document.arrays, options, ink.dim)] : []),
    ...(document.layers ? [layerLines(document, options, ink.dim), originLines(document.layers, options)] : []),
    unknownLines(unknownIn(document.layers ?? []), options),
    ...linear.slice(0, most).map((layer) => channelLines(layer, options, ink)),
    linear.length > most ? [`channels of ${counted(linear.length - most, 'more layer')} not shown: -v`] : [],
    document.warnings.flatMap(({ where, message }) =>
      labelled({ options }, 'note: ', `${printable(where)}: ${printable(message)}`),
    ),
    nextLines(document, ink),
  ];
  return `${blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

/** A hook dictionary is compared alone; of other arrays the model is not known here, and what is missing has its name in capitals. */
function nextLines({ kind, path: file, arrays }: InspectDocument, ink: Ink): string[] {
  const names = new Set(arrays?.map(({ key }) => key));
  const isWhole = ['x_int8', 'w_int8', 'y_int8'].every((name) => names.has(name));
  const [label, words] =
    kind === 'model'
      ? ['next', ['qdiff', 'lint', path(file)]]
      : isWhole
        ? ['next', ['qdiff', path(file)]]
        : ['with its model', ['qdiff', ...(file.endsWith('.npy') ? ['run'] : []), 'MODEL', path(file)]];
  const command = shellCommand(words);
  return command === null ? [] : [`${label}: ${ink.cyan(command)}`];
}

function headerLines(
  { kind, path: file, arrays, layers, producer, kernel }: InspectDocument,
  options: ReportOptions,
): string[] {
  const count = kind === 'model' ? counted(layers!.length, 'layer') : counted(arrays!.length, 'array');
  const words = Object.entries(producer ?? {}).map(([name, value]) => `${name} ${value}`);
  return [
    ...prose({ options }, `${printable(file)}: ${count}`),
    ...(words.length > 0 ? prose({ options }, words.join(' | ')) : []),
    ...(kernel === null ? [] : prose({ options }, `replayed with kernel ${kernel}, unless --kernel says another`)),
  ];
}

function arrayLines(
  arrays: NonNullable<InspectDocument['arrays']>,
  options: ReportOptions,
  headPaint: (text: string) => string,
) {
  const cells = (text: (array: (typeof arrays)[number]) => string) => arrays.map(text);
  const size = (array: (typeof arrays)[number]) => sizeOf(array.shape);
  const partial = arrays.some((array) => array.range_values < size(array));
  const columns: Column[] = [
    { head: ['array'], cells: cells(({ key }) => printable(key)), align: 'left', shortenTo: 12 },
    { head: ['dtype'], cells: cells(({ dtype }) => dtype), align: 'left' },
    { head: ['shape'], cells: cells(({ shape }) => shapeText(shape)), align: 'left' },
    { head: ['order'], cells: cells(({ order }) => order), align: 'left', dropOrder: 1 },
    { head: ['bytes'], cells: cells(({ bytes }) => String(bytes)), align: 'right', dropOrder: 0 },
    {
      head: ['range'],
      cells: cells(
        (array) => (array.range ? rangeText(array.range) : '-') + (array.range_values < size(array) ? ' *' : ''),
      ),
      align: 'left',
    },
  ];
  const layout = { width: options.width, ellipsis: options.unicode ? '…' : '...', headPaint };
  const { head, rows } = renderColumns(columns, layout);
  const most = largestOf(arrays.map(({ range_values }) => range_values));
  return [...head, ...rows, ...(partial ? [`* of the first values only, at most ${most}`] : [])];
}

function fusedInto({ activation }: { readonly activation: InspectedLayer['activation'] }): string[] {
  if (activation === null || activation === 'none') return [];
  return [typeof activation === 'string' ? activation : `clamp ${activation.clamp.join('..')}`];
}

/** Of a graph, what its table has no room for. */
const MOST_JOINS = 24;

function joinLines(layers: readonly InspectedLayer[], options: ReportOptions): string[] {
  const joins = layers.flatMap(({ name, input, other_inputs: others = [] }) =>
    others.length === 0 ? [] : [`${printable(name)} reads ${listed([input, ...others])}`],
  );
  const most = options.verbosity === 'verbose' ? joins.length : MOST_JOINS;
  const more = joins.length > most ? [`${joins.length - most} more read several values: -v`] : [];
  return [...joins.slice(0, most), ...more].flatMap((line) => prose({ options }, line));
}

function layerLines(
  { inputs, layers }: InspectDocument,
  options: ReportOptions,
  headPaint: (text: string) => string,
): string[] {
  const values = [
    ...inputs!.map(({ name, ...params }) => ({
      name,
      op: 'input',
      from: '',
      features: '',
      output: params as InspectedParams,
    })),
    ...layers!.map((layer) => ({
      name: layer.name,
      op: [layer.op, ...fusedInto(layer)].join(' + '),
      from: layer.input,
      features: layer.in_features === null ? '' : `${layer.in_features} -> ${layer.out_features}`,
      output: layer.output,
    })),
  ];
  const columns: Column[] = [
    { head: ['value'], cells: values.map(({ name }) => printable(name)), align: 'left', shortenTo: 12 },
    { head: ['op'], cells: values.map(({ op }) => printable(op)), align: 'left', shortenTo: 8 },
    { head: ['reads'], cells: values.map(({ from }) => printable(from)), align: 'left', shortenTo: 8, dropOrder: 1 },
    { head: ['features'], cells: values.map(({ features }) => features), align: 'right' },
    { head: ['dtype'], cells: values.map(({ output }) => output?.dtype ?? '-'), align: 'left' },
    {
      head: ['scale'],
      cells: values.map(({ output }) => (output?.scale == null ? '-' : number(output.scale))),
      align: 'right',
    },
    { head: ['zp'], cells: values.map(({ output }) => `${output?.zero_point ?? '-'}`), align: 'right' },
    {
      head: ['real range'],
      cells: values.map(({ output }) => (output?.real_range ? rangeText(output.real_range) : '-')),
      align: 'left',
      dropOrder: 0,
    },
  ];
  const { head, rows } = renderColumns(columns, {
    width: options.width,
    ellipsis: options.unicode ? '…' : '...',
    headPaint,
  });
  const joins = joinLines(layers!, options);
  return [...head, ...rows, ...(joins.length > 0 ? ['', ...joins] : [])];
}

/** Those of a graph have lines of their own. */
function unknownIn(layers: readonly InspectedLayer[]) {
  return layers.flatMap(({ name, nodes, not_replayed: why }) => (why && !nodes ? [{ name, why }] : []));
}

/** Which nodes of the graph became which layer, and what the runtime computes it with. */
function originLines(layers: NonNullable<InspectDocument['layers']>, options: ReportOptions): string[] {
  return layers.flatMap(({ name, nodes, arithmetic, because, not_replayed }) => {
    if (!nodes) return [];
    const said = not_replayed ? not_replayed.includes(because ?? '') : false; // why it runs in float is why it is not replayed
    const ran = arithmetic === null ? because : `in ${arithmetic}${because ? `: ${because}` : ''}`;
    const lines = [...(ran && !said ? [ran] : []), ...(not_replayed ? [`not replayed: ${not_replayed}`] : [])];
    return [
      ...prose({ options }, `${name} = ${nodes.join(' + ')}`),
      ...lines.flatMap((line) => labelled({ options }, '    ', line)),
    ];
  });
}

/** The effective bias and multiplier of each channel: what a kernel computes with. */
function channelLines(layer: InspectedLayer, options: ReportOptions, ink: Ink): string[] {
  const all = layer.channels!;
  const most = options.verbosity === 'verbose' ? all.length : DEFAULT_CHANNELS;
  const channels = all.slice(0, most);
  const left = all.length - channels.length + (layer.channels_omitted ?? 0);
  const cells = (text: (channel: InspectedChannel) => string) => channels.map(text);
  const optional = (value: number | null) => (value === null ? '-' : number(value));
  const columns: Column[] = [
    { head: ['', '  channel'], cells: cells(({ channel }) => String(channel)), align: 'right' },
    { head: ['weight', 'scale'], cells: cells(({ weight_scale }) => number(weight_scale)), align: 'right' },
    {
      head: ['', 'zp'],
      cells: cells(({ weight_zero_point }) => String(weight_zero_point)),
      align: 'right',
      dropOrder: 1,
    },
    {
      head: ['', 'range'],
      cells: cells(({ weight_range }) => (weight_range ? rangeText(weight_range) : '-')),
      align: 'right',
      dropOrder: 0,
    },
    { head: ['bias', 'real'], cells: cells(({ bias }) => optional(bias)), align: 'right' },
    { head: ['', 'int32'], cells: cells(({ bias_int32 }) => optional(bias_int32)), align: 'right' },
    {
      head: ['', 'steps'],
      cells: cells(({ bias_steps }) => (bias_steps === null ? '-' : bias_steps.toFixed(1))),
      align: 'right',
      dropOrder: 2,
    },
    { head: ['', 'multiplier'], cells: cells(({ multiplier }) => optional(multiplier)), align: 'right' },
    {
      head: ['', 'fixed point'],
      cells: cells(({ multiplier_int32: m, shift }) => (m === null ? '-' : `${m} * 2^${shift! - 31}`)),
      align: 'right',
      dropOrder: 3,
    },
  ];
  const { head, rows } = renderColumns(columns, { width: options.width, ellipsis: '', headPaint: ink.dim });
  const granularity = layer.per_channel ? 'a weight scale per channel' : 'one weight scale';
  return [
    ...prose({ options }, `${printable(layer.name)}: ${granularity}`).map((line) => ink.bold(line)),
    ...head,
    ...rows,
    ...(left > 0 ? [`  and ${counted(left, 'more channel')}${options.verbosity === 'verbose' ? '' : ': -v'}`] : []),
  ];
}

function rangeText([min, max]: Readonly<MinMax>): string {
  return `${number(min)}..${number(max)}`;
}

function number(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(5)));
}
