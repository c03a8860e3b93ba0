/** The portability matrix for a terminal: a row a kernel, a column a layer. */
import { Chalk } from 'chalk';
import { hasIntegerForm } from '../analyze/golden.js';
import type { ForecastDocument } from '../documents/forecast.js';
import { kernelByName } from '../kernels/registry.js';
import { counted, printable } from '../text.js';
import { type Column, renderColumns } from './columns.js';
import { option, path, shellCommand } from './next.js';
import { size } from './numbers.js';
import { labelled, prose } from './prose.js';
import type { ReportOptions } from './reporter.js';

interface ForecastInputs {
  readonly model: string;
  readonly capture: string | null;
}

/** More columns fit no terminal; the last layers are nearest to the output. */
const MOST_LAYERS = 16;

export function forecastText(inputs: ForecastInputs): (document: ForecastDocument, options: ReportOptions) => string {
  return (document, options) => {
    const chalk = new Chalk({ level: options.color });
    const { layers, samples, output, kernels } = document;
    const agree = kernels.filter((kernel) => layers.every(({ changed }) => changed[kernel] === 0));
    const next = nextCommand(document, agree, inputs);
    const blocks = [
      [
        ...prose({ options }, `forecast for ${counted(samples, 'sample')}: what each kernel would change`).map((line) =>
          chalk.bold(line),
        ),
        ...prose(
          { options },
          `end to end from the captured input, on its own outputs; counts are values that differ from ${sourceOf(document)}`,
        ),
      ],
      matrixLines(document, options, chalk),
      [
        ...labelled(
          { options },
          document.expected === 'capture' ? 'as captured: ' : 'the same: ',
          agree.length > 0 ? agree.join(', ') : 'no kernel gives every captured value',
        ),
        ...(output === null
          ? []
          : labelled({ options }, 'top-1: ', `largest channel of ${printable(output)}, the first of equals`)),
        ...(next === null ? [] : [`next: ${chalk.cyan(next)}`]),
      ],
    ];
    return `${blocks.map((lines) => lines.join('\n')).join('\n\n')}\n`;
  };
}

function sourceOf({ expected }: ForecastDocument): string {
  return expected === 'capture' ? 'the capture' : `the declared kernel's (${expected}), of which nothing is captured`;
}

function matrixLines(document: ForecastDocument, options: ReportOptions, chalk: InstanceType<typeof Chalk>): string[] {
  const { kernels, layers, top1_flips: flips, accuracy } = document;
  const shown = layers.slice(-MOST_LAYERS);
  const cells = (text: (kernel: string) => string) => kernels.map(text);
  const worst = (kernel: string) =>
    layers.reduce((most, { max_abs_diff }) => Math.max(most, max_abs_diff[kernel] ?? 0), 0);
  const changed = (kernel: string) => layers.filter((layer) => layer.changed[kernel]).length;
  const columns: Column[] = [
    {
      head: ['', 'kernel'],
      cells: cells((kernel) => kernel),
      align: 'left',
      paint: (row) => (changed(kernels[row]) > 0 ? chalk.red : chalk.green),
    },
    { head: ['layers', 'changed'], cells: cells((kernel) => `${changed(kernel)}/${layers.length}`), align: 'right' },
    ...shown.map(
      (layer, i): Column => ({
        head: [printable(layer.name), `of ${layer.values}`],
        cells: cells((kernel) => `${layer.changed[kernel] ?? '-'}`),
        align: 'right',
        // on a narrow terminal the earlier layers go first; the output stays
        ...(i === shown.length - 1 ? {} : { dropOrder: shown.length - i }),
      }),
    ),
    { head: ['max', '|diff|'], cells: cells((kernel) => size(worst(kernel))), align: 'right' },
    ...(flips
      ? [{ head: ['top-1', 'flips'], cells: cells((kernel) => `${flips[kernel] ?? '-'}`), align: 'right' as const }]
      : []),
    ...(accuracy
      ? [
          {
            head: ['accu-', 'racy'],
            cells: cells((kernel) => share(accuracy.kernels[kernel])),
            align: 'right' as const,
          },
        ]
      : []),
  ];
  const { head, rows } = renderColumns(columns, {
    width: options.width,
    ellipsis: options.unicode ? '…' : '...',
    headPaint: chalk.dim,
  });
  return [
    ...head,
    ...rows,
    ...(accuracy
      ? [
          `accuracy of ${document.expected === 'capture' ? 'the capture' : document.expected}: ${share(accuracy.capture)}`,
        ]
      : []),
  ];
}

function share(value: number | null): string {
  return value === null ? '-' : `${(100 * value).toFixed(1)}%`;
}

/** The kernel that changes most, looked at closely. */
function nextCommand(
  { kernels, layers, expected }: ForecastDocument,
  agree: readonly string[],
  { model, capture }: ForecastInputs,
) {
  const inputs = [path(model), ...(capture === null ? [] : [path(capture)])];
  const changes = (kernel: string) => layers.reduce((sum, { changed }) => sum + (changed[kernel] ?? 0), 0);
  const worst = [...kernels].sort((a, b) => changes(b) - changes(a)).find((kernel) => changes(kernel) > 0);
  const integer = agree.find((kernel) => hasIntegerForm(kernelByName(kernel)));
  const vectors = integer === undefined ? null : ['qdiff', 'golden', ...inputs, '--kernel', integer, '-o', 'golden'];
  // against a capture of inputs alone there is nothing to compare
  const words =
    worst === undefined || expected !== 'capture'
      ? vectors
      : ['qdiff', ...inputs, ...option('--kernel', worst), '--mode', 'propagated'];
  return words && shellCommand(words);
}
