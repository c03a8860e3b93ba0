/** One value's arithmetic for a terminal: a column a kernel, the first differing step marked. */

import type { ExplainColumn, ExplainDocument } from '../documents/explain.js';
import { largestOf } from '../numeric/extremes.js';
import { counted, precise, printable } from '../text.js';
import { numpyLines, readsRepro } from './explainNumpy.js';
import { outcomeLines } from './explainOutcome.js';
import type { ReportOptions } from './reporter.js';
import { type Column, fits, renderColumns } from './terminal/columns.js';
import type { Ink } from './terminal/ink.js';
import { option, path, shellCommand } from './words/next.js';
import { labelled, prose } from './words/prose.js';

/** What is on the command line beside the document, for the next command. */
interface ExplainInputs {
  readonly model: string;
  readonly capture: string | null;
  readonly candidate?: string;
  /** Other options of the run. */
  readonly repeated?: readonly string[];
  /** By --repro. */
  readonly isWritten?: boolean;
}

const MOST_PAIRS = 4;

export function explainText({
  model,
  capture,
  candidate,
  repeated = [],
  isWritten = false,
}: ExplainInputs): (document: ExplainDocument, options: ReportOptions) => string {
  return (document, options) => {
    const { ink } = options;
    const files = [path(model), ...(capture === null ? [] : [path(capture)])];
    const inputs = [...files, ...(candidate === undefined ? [] : ['--candidate', path(candidate)]), ...repeated];
    const { layer, channel, sample, at } = document;
    const needsFile = readsRepro(document);
    const value = [
      ...option('--layer', layer),
      '--channel',
      `${channel}`,
      '--sample',
      `${sample}`,
      ...(at ? ['--at', at.join(',')] : []),
    ];
    const compare = ['qdiff', ...inputs, ...option('--layer', layer), '--channels', 'all'];
    const nothing = document.captured === null; // the comparison would have nothing to compare
    const reproduce = needsFile && !isWritten;
    const words = reproduce ? ['qdiff', 'explain', ...inputs, ...value, '--repro', 'repro'] : nothing ? null : compare;
    const next = words && shellCommand(words);
    const blocks = [
      headerLines(document, options).map((line, i) => (i === 0 ? ink.bold(line) : line)),
      codeLines(document, options),
      document.weight ? productLines(document, options, ink.dim) : [],
      otherCodeLines(document, options, ink.dim),
      patchLines(document, options),
      ...document.columns
        .filter(({ saturating_pairs }) => saturating_pairs.length > 0)
        .map((c) => pairLines(c, options)),
      stepLines(document, options, ink),
      numpyLines(document, options),
      [...outcomeLines(document, options), ...(next === null ? [] : [`next: ${ink.cyan(next)}`])],
    ];
    return `${blocks
      .filter((lines) => lines.length > 0)
      .map((lines) => lines.join('\n'))
      .join('\n\n')}\n`;
  };
}

function headerLines(document: ExplainDocument, options: ReportOptions): string[] {
  const { layer, op, sample, channel, at, captured, candidate, columns, candidate_column: own } = document;
  const values = [
    ...(captured === null ? [] : [`captured ${captured}`]),
    ...(candidate === null ? [] : [`candidate ${candidate}`]),
    ...columns.map(({ kernel, value }) => `${kernel} ${value}`),
    ...(own ? [`${own.kernel} on the candidate's input ${own.value}`] : []),
  ];
  return [
    ...prose({ options }, `${layer} (${op}), sample ${sample}, channel ${channel}${at ? `, at ${at.join(',')}` : ''}`),
    ...prose({ options }, values.join(' | ')),
  ];
}

function codeLines(document: ExplainDocument, options: ReportOptions): string[] {
  const { input, addend, weight, output, layer, channel, columns } = document;
  const { bias } = columns[0];
  const read = document.operands && document.operands.length > 0 ? document.operands : [input];
  const rows = [
    ...read.map((one) => ['x', `${printable(one.name)}: ${paramsText(one)}`]),
    ...columns
      .slice(1)
      .filter((column) => column.input && scaleText(column.input) !== scaleText(input))
      .map((column) => ['x', `under ${column.kernel}: ${scaleText(column.input!)}`]),
    ...(weight
      ? [['w', `${printable(layer)}, channel ${channel}: ${weight.dtype ?? 'int8'}, ${scaleText(weight)}`]]
      : []),
    ...(bias === null ? [] : [['b', `${bias}`]]),
    ...(addend ? [['a', `${printable(addend.name)}, ${addend.value}: ${paramsText(addend)}`] as const] : []),
    ['y', paramsText(output)],
  ];
  return rows.flatMap(([name, text]) => labelled({ options }, `${name}  `, text));
}

interface Scale {
  readonly scale: number | null;
  readonly zero_point: number | null;
}

function paramsText(params: Scale & { readonly dtype: string }): string {
  return params.scale === null ? params.dtype : `${params.dtype}, ${scaleText(params)}`;
}

function scaleText({ scale, zero_point }: Scale): string {
  return `scale ${scale}, zero_point ${zero_point}`;
}

function productLines(
  { products, input, weight }: ExplainDocument,
  options: ReportOptions,
  headPaint: (text: string) => string,
): string[] {
  const cells = (text: (product: ExplainDocument['products'][number]) => number) =>
    products.map((p) => String(text(p)));
  const columns: Column[] = [
    { head: ['   k'], cells: cells(({ k }) => k), align: 'right' },
    { head: ['x'], cells: cells(({ x }) => x), align: 'right' },
    { head: ['x - zx'], cells: cells(({ x }) => x - input.zero_point!), align: 'right' },
    { head: ['w'], cells: cells(({ w }) => w), align: 'right' },
    { head: ['w - zw'], cells: cells(({ w }) => w - weight!.zero_point), align: 'right' },
    { head: ['product'], cells: cells(({ product }) => product), align: 'right' },
  ];
  const { head, rows } = renderColumns(columns, { width: options.width, ellipsis: '', headPaint });
  const which =
    products.length < input.features ? `the ${products.length} largest of ${input.features} products` : 'the products';
  return [`${which}, (x - zx) * (w - zw):`, ...head, ...rows];
}

/** Input codes of the candidate beside the captured ones. */
function otherCodeLines(
  { candidate_products: products = [], candidate_input_codes_differ: count, input, captured }: ExplainDocument,
  options: ReportOptions,
  headPaint: (text: string) => string,
): string[] {
  if (products.length === 0) return [];
  const cells = (text: (product: (typeof products)[number]) => number) => products.map((p) => signedCode(text(p)));
  const plain = (text: (product: (typeof products)[number]) => number) => products.map((p) => String(text(p)));
  const columns: Column[] = [
    { head: ['   k'], cells: plain(({ k }) => k), align: 'right' },
    { head: [captured === null ? "replay's x" : 'captured x'], cells: plain(({ x }) => x), align: 'right' },
    { head: ["candidate's x"], cells: plain(({ candidate_x }) => candidate_x), align: 'right' },
    { head: ['w'], cells: plain(({ w }) => w), align: 'right' },
    { head: ['moves the sum'], cells: cells(({ moves }) => moves), align: 'right' },
  ];
  const { head, rows } = renderColumns(columns, { width: options.width, ellipsis: '', headPaint });
  const which = products.length < count! ? `; the ${products.length} that matter most` : '';
  const what = `the candidate read another input: ${count} of ${input.features} codes differ${which}:`;
  return [...prose({ options }, what), ...head, ...rows];
}

const signedCode = (value: number) => (value > 0 ? `+${value}` : String(value));

/** x and w of one channel side by side, as they lie in the kernel; padding in brackets. */
/** Row by row what a patch reads, and what it is multiplied with; null: no convolution. */
export function patchGrid({ patch, at }: ExplainDocument): { head: string; x: string[][]; w: string[][] } | null {
  if (!patch) return null;
  const { kernel_size: kernel, channels, channel, cells } = patch;
  const width = kernel.at(-1)!;
  const rows = (texts: readonly string[]) =>
    Array.from({ length: texts.length / width }, (_, row) => texts.slice(row * width, (row + 1) * width));
  const which = channels === 1 ? '' : `, channel ${channel} of its ${channels}`;
  const padding = cells.some(({ pixel }) => pixel === null) ? ', padding in brackets' : '';
  return {
    head: `the patch${at ? ` of ${at.join(',')}` : ''}, ${kernel.join(' x ')}${which}${padding}: x, and w`,
    x: rows(cells.map(({ x, pixel }) => (pixel ? `${x}` : `(${x})`))),
    w: rows(cells.map(({ w }) => `${w}`)),
  };
}

function patchLines(document: ExplainDocument, options: ReportOptions): string[] {
  const grid = patchGrid(document);
  if (!grid) return [];
  const { head, x, w } = grid;
  const most = largestOf([...x, ...w].flat().map((text) => text.length));
  const line = (own: readonly string[]) => own.map((text) => text.padStart(most)).join(' ');
  return [...prose({ options }, `${head}:`), ...x.map((own, row) => `  ${line(own)}    ${line(w[row])}`)];
}

/** In raw codes, as the instruction sees them. */
function pairLines({ kernel, saturating_pairs: pairs }: ExplainColumn, options: ReportOptions): string[] {
  const lines = pairs.slice(0, MOST_PAIRS).flatMap(({ k, x, w, sum, saturated }) => {
    const second = k[1] < 0 ? '' : ` + x[${k[1]}]=${x[1]} * w[${k[1]}]=${w[1]}`;
    return labelled({ options }, '  ', `x[${k[0]}]=${x[0]} * w[${k[0]}]=${w[0]}${second} = ${sum} -> ${saturated}`);
  });
  const left = pairs.length - MOST_PAIRS;
  const lost = pairs.reduce((sum, pair) => sum + pair.sum - pair.saturated, 0);
  return [
    ...prose(
      { options },
      `${kernel}: ${counted(pairs.length, 'pair')} of raw products ${pairs.length === 1 ? 'leaves' : 'leave'} int16:`,
    ),
    ...lines,
    ...(left > 0 ? [`  and ${left} more`] : []),
    `  in all the accumulator loses ${lost}`,
  ];
}

// ---------------------------------------------------------------- the steps, side by side

type Row = readonly [label: string, text: (column: ExplainColumn) => string, key?: string];

/** The steps as text, a cell a kernel; `departs` where the kernels first differ. */
export function explainRows(document: ExplainDocument): { label: string; cells: string[]; departs: boolean }[] {
  const { columns, first_difference: first, candidate_column: own } = document;
  return rowsOf(document).map(([label, text, key]) => {
    const cells = [...columns, ...(own ? [own] : [])].map(text);
    return { label, cells, departs: first !== null && key === first };
  });
}

/** Above the cells. */
export function explainHeads({ columns, candidate_column: own }: ExplainDocument): string[] {
  return [...columns.map(({ kernel }) => kernel), ...(own ? ["on the candidate's input"] : [])];
}

function rowsOf(document: ExplainDocument): Row[] {
  const { captured, candidate, weight, candidate_column: own } = document;
  const observed = (label: string, value: number | null): Row[] =>
    value === null ? [] : [[label, () => String(value)]];
  const off = (label: string, value: number | null, explains: (column: ExplainColumn) => boolean | null): Row[] =>
    value === null
      ? []
      : [
          [
            label,
            (column) =>
              explains(column) && !(Math.abs(column.value - value) > 0) ? '0' : signed(column.value - value),
          ],
        ];
  return [
    ...(weight ? linearRows(document) : pointwiseRows(document)),
    ...observed('captured', captured),
    ...observed('candidate', candidate),
    ...off(
      candidate === null ? 'difference' : 'value - captured',
      captured,
      (column) => column !== own && column.explains,
    ),
    ...off('value - candidate', candidate, (column) => column === own && column.explains),
  ];
}

function pointwiseRows({ op, columns, operands }: ExplainDocument): Row[] {
  if (operands) return [...operands.flatMap(operandRows), [op, (c) => String(c.value), op]];
  const isNamed = columns.some(({ steps }) => steps.length > 1 && steps[1].name !== op);
  return [
    ['x', (c) => precise(c.steps[0].value)],
    ...(isNamed ? ([['step', (c) => c.steps[1]?.name ?? op]] satisfies Row[]) : []),
    [op, (c) => String(c.value), op],
  ];
}

/** With its real value: those of two are what adding them adds. */
function operandRows({ name, value, scale, zero_point: zero }: Operand): Row[] {
  const code = [printable(name), () => precise(value)] satisfies Row;
  return scale === null ? [code] : [code, ['  real value', () => precise((value - zero!) * scale)]];
}

type Operand = NonNullable<ExplainDocument['operands']>[number];

/** What is done to the real value before it is a code. */
function fusedRows({ addend, curve, columns: [first] }: ExplainDocument): Row[] {
  const isTraced = first.steps.some(({ name }) => name === 'second input');
  const traced = (own: string) => (c: ExplainColumn) => {
    const step = c.steps.find(({ name }) => name === own);
    return step ? precise(step.value) : '';
  };
  return [
    ...(addend && isTraced ? ([['+ second input', traced('second input')]] satisfies Row[]) : []),
    ...(curve ? ([[`${curve}(real value)`, traced(curve)]] satisfies Row[]) : []),
  ];
}

function linearRows(document: ExplainDocument): Row[] {
  const {
    columns: [first],
    activation,
  } = document;
  const [lo, hi] = first.clamp ?? [0, 0];
  // a runtime's own form of a dynamic layer gives the reals of which another's makes codes first
  const quantized = first.before_rounding !== null;
  return [
    ['accumulator', (c) => String(c.accumulator), 'accumulator'],
    ...(first.bias === null ? [] : ([['+ b / (sx * sw)', biasText, 'bias']] satisfies Row[])),
    [quantized ? '* sx * sw / sy' : '* sx * sw', multiplierText],
    ['  float32 bits', (c) => c.multiplier_bits!],
    ['  fixed point', fixedPointText],
    ...fusedRows(document),
    ...(quantized
      ? ([
          ['= before rounding', (c) => numberOrNone(c.before_rounding), 'multiplier'],
          ['  distance to the tie', (c) => numberOrNone(c.distance_to_tie)],
          ['rounded', roundedText, 'rounding'],
          [
            `+ zero_point ${first.zero_point}`,
            (c) => (c.rounded === null ? '-' : String(c.rounded + c.zero_point!)),
            'zero_point',
          ],
          [
            `clamped to ${lo}..${hi}${activationText(activation)}`,
            (c) => (c.clamped ? `${c.value} clamped` : String(c.value)),
          ],
        ] satisfies Row[])
      : ([[`= value${activationText(activation)}`, (c) => String(c.value)]] satisfies Row[])),
  ];
}

function activationText(activation: ExplainDocument['activation']): string {
  if (typeof activation === 'object') return ' (clamp)';
  return { none: '', relu: ' (ReLU)', relu6: ' (ReLU6)', relu_n1_to_1: ' (ReLU -1 to 1)' }[activation];
}

/** An int32 bias is what the kernel adds; a float one the float. */
function biasText(column: ExplainColumn): string {
  const units = column.bias_accumulator_units!;
  return column.bias_is_int32 ? `${units} int32` : `${precise(units)} float`;
}

/** A scale that is inf has none: a candidate's input may hold inf where the capture's does not. */
function fixedPointText({ multiplier_fixed: fixed }: ExplainColumn): string {
  return fixed === null ? '-' : `${fixed.multiplier} * 2^${fixed.shift - 31}`;
}

function multiplierText(column: ExplainColumn): string {
  return column.fixed_point ? 'fixed point' : precise(column.multiplier!);
}

function stepLines(document: ExplainDocument, options: ReportOptions, ink: Ink): string[] {
  const { columns, first_difference: first, candidate_column: own } = document;
  const rows = rowsOf(document);
  const arrow = options.unicode ? '←' : '<-';
  const steps: Column = { head: ['step'], cells: rows.map(([label]) => label), align: 'left', shortenTo: 20 };
  const of = (head: string) => (column: ExplainColumn) => {
    return { head: [head], cells: rows.map(([, text]) => text(column)), align: 'right' } as const;
  };
  const marked = (mark: string): Column => ({
    head: [''],
    cells: rows.map(([, , key]) => (first !== null && key === first ? mark : '')),
    align: 'left',
    paint: () => ink.red,
  });
  const kernels = columns.map((column) => of(column.kernel)(column));
  const yours = own ? [of('on yours')(own)] : [];
  const all = [steps, ...kernels, ...yours, marked(`${arrow} first`)];
  const short = [
    steps,
    ...kernels,
    marked(fits([steps, ...kernels, marked(`${arrow} first`)], options.width) ? `${arrow} first` : arrow),
  ];
  const tables = fits(all, options.width) ? [all] : [short, ...(own ? [[steps, ...yours]] : [])];
  const layout = { width: options.width, ellipsis: options.unicode ? '…' : '...', headPaint: ink.dim };
  return tables.flatMap((table) => {
    const { head, rows: lines } = renderColumns(table, layout);
    return [...head, ...lines];
  });
}

// ---------------------------------------------------------------- numbers

function numberOrNone(value: number | null): string {
  return value === null ? '-' : precise(value);
}

/** Of two roundings the first may reach the tie: 13.498 is 14 then. */
function roundedText({ fixed_point: isFixed, before_rounding: before, rounded }: ExplainColumn): string {
  const isTwice = isFixed && rounded !== null && Math.abs(rounded - before!) > 0.5;
  return `${isTwice ? 'twice: ' : ''}${numberOrNone(rounded)}`;
}

function signed(value: number): string {
  return value > 0 ? `+${precise(value)}` : precise(value);
}
