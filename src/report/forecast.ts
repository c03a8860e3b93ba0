/** The portability matrix for a terminal: a row a kernel, a column a layer. */

import { hasIntegerForm } from '../analyze/golden.js';
import { mayRun } from '../diagnose/finding/frameworks.js';
import type { ForecastDocument } from '../documents/forecast.js';
import { kernelByName } from '../kernels/registry.js';
import { counted, printable } from '../text.js';
import { grouped } from './grouped.js';
import type { ReportOptions } from './reporter.js';
import { type Column, renderColumns } from './terminal/columns.js';
import type { Ink } from './terminal/ink.js';
import { option, path, shellCommand } from './words/next.js';
import { size } from './words/numbers.js';
import { labelled, prose } from './words/prose.js';
import { unknownLines } from './words/unknownOps.js';

interface ForecastInputs {
  readonly model: string;
  readonly capture: string | null;
  /** Whose model it is; null: unknown, or kernels were asked for by name. */
  readonly framework: string | null;
  /** Whether a layer has golden vectors. */
  readonly hasVectors: boolean;
}

/** More columns fit no terminal; the last layers are nearest to the output. */
const MOST_LAYERS = 16;

export function forecastText(inputs: ForecastInputs): (document: ForecastDocument, options: ReportOptions) => string {
  return (document, options) => {
    const { ink } = options;
    const { layers, samples, output, kernels } = document;
    const agree = kernels.filter((kernel) => layers.every(({ changed }) => changed[kernel] === 0));
    const next = nextCommand(document, agree, inputs);
    const blocks = [
      [
        ...prose({ options }, `forecast for ${counted(samples, 'sample')}: what each kernel would change`).map((line) =>
          ink.bold(line),
        ),
        ...prose(
          { options },
          `end to end from the captured input, on its own outputs; counts are values that differ from ${sourceOf(document)}`,
        ),
      ],
      matrixLines(document, options, ink),
      unknownLines(document.not_replayed ?? [], options, '; what follows reads captured values'),
      [
        ...labelled(
          { options },
          document.expected === 'capture' ? 'as captured: ' : 'the same: ',
          agree.length > 0 ? agree.join(', ') : 'no kernel gives every captured value',
        ),
        ...(output === null
          ? []
          : labelled({ options }, 'top-1: ', `largest channel of ${printable(output)}, the first of equals`)),
        ...(next === null ? [] : [`next: ${ink.cyan(next)}`]),
      ],
    ];
    const filled = blocks.filter((lines) => lines.length > 0);
    return `${filled.map((lines) => lines.join('\n')).join('\n\n')}\n`;
  };
}

function sourceOf({ expected }: ForecastDocument): string {
  return expected === 'capture' ? 'the capture' : `the declared kernel's (${expected}), of which nothing is captured`;
}

/** Kernels that change the same values everywhere: one row. */
interface Group {
  readonly kernels: readonly string[];
  /** Stands for all of them. */
  readonly first: string;
}

/** Verbose: a row a kernel. */
function groupsOf({ kernels, layers, top1_flips: flips, accuracy }: ForecastDocument, verbose: boolean): Group[] {
  if (verbose) return kernels.map((first) => ({ first, kernels: [first] }));
  const changesOf = (kernel: string) => {
    const numbers = layers.map(({ changed, max_abs_diff: size }) => [changed[kernel], size[kernel]]);
    return JSON.stringify([numbers, flips?.[kernel], accuracy?.kernels[kernel]]);
  };
  return [...grouped(kernels, changesOf).values()].map((all) => ({ first: all[0], kernels: all }));
}

function matrixLines(document: ForecastDocument, options: ReportOptions, ink: Ink): string[] {
  const groups = groupsOf(document, options.verbosity === 'verbose');
  const { head, rows } = renderColumns(matrixColumns(document, groups, ink), {
    width: options.width,
    ellipsis: options.unicode ? '…' : '...',
    headPaint: ink.dim,
  });
  const { accuracy, expected } = document;
  const of = expected === 'capture' ? 'the capture' : expected;
  return [
    ...head,
    ...rows,
    ...(accuracy ? [`accuracy of ${of}: ${share(accuracy.capture)}`] : []),
    ...(groups.some(({ first }) => replayedBy(document.layers, first).length < document.layers.length)
      ? prose({ options }, withoutModel(expected)).map((line) => ink.dim(line))
      : []),
    ...groupLines(groups, options, ink),
  ];
}

function withoutModel(expected: ForecastDocument['expected']): string {
  return expected === 'capture'
    ? '-: the kernel has no model of that layer; captured values go on from there'
    : '-: the kernel has no model of that layer, or of one before it; of inputs alone no captured values go on from there';
}

/** Who is in a group, and where that runs. */
function groupLines(groups: readonly Group[], options: ReportOptions, ink: Ink): string[] {
  if (groups.every(({ kernels }) => kernels.length === 1)) return [];
  const described = groups.flatMap(({ first, kernels }) => {
    const where = [...new Set(kernels.map((kernel) => kernelByName(kernel).origin))];
    if (kernels.length === 1) return labelled({ options }, `${first}: `, where[0], ink.dim, ink.bold);
    return [
      ...labelled({ options }, `${groupName(first, kernels)}: `, kernels.join(', '), undefined, ink.bold),
      ...labelled({ options }, '  ', where.join('; '), ink.dim),
    ];
  });
  return ['', ...described, ...prose({ options }, 'a row a kernel: -v').map((line) => ink.dim(line))];
}

function groupName(first: string, { length }: readonly string[]): string {
  return length === 1 ? first : `${first} +${length - 1}`;
}

function matrixColumns(
  { layers, top1_flips: flips, accuracy }: ForecastDocument,
  groups: readonly Group[],
  ink: Ink,
): Column[] {
  const shown = layers.slice(-MOST_LAYERS);
  const cells = (text: (kernel: string) => string) => groups.map(({ first }) => text(first));
  // steps of codes: of floats near 0 a code's difference is a million float steps
  const ofCodes = layers.filter(({ unit }) => unit === 'lsb');
  const worst = (kernel: string) =>
    (ofCodes.length > 0 ? ofCodes : layers).reduce(
      (most, { max_abs_diff }) => Math.max(most, max_abs_diff[kernel] ?? 0),
      0,
    );
  const changed = (kernel: string) => layers.filter((layer) => layer.changed[kernel]).length;
  const number = (head: readonly string[], text: (kernel: string) => string): Column => ({
    head: [...head],
    cells: cells(text),
    align: 'right',
  });
  return [
    {
      head: ['', 'kernel'],
      cells: groups.map(({ first, kernels }) => groupName(first, kernels)),
      align: 'left',
      paint: (row) => {
        const { first } = groups[row];
        if (replayedBy(layers, first).length === 0) return ink.dim;
        return changed(first) > 0 ? ink.red : ink.green;
      },
    },
    number(['layers', 'changed'], (kernel) => `${changed(kernel)}/${replayedBy(layers, kernel).length}`),
    ...shown.map((layer, i) => ({
      ...number([printable(layer.name), `of ${layer.values}`], (kernel) => `${layer.changed[kernel] ?? '-'}`),
      // on a narrow terminal the earlier layers go first; the output stays
      ...(i === shown.length - 1 ? {} : { dropOrder: shown.length - i }),
    })),
    number(['max', ofCodes.length > 0 || layers.length === 0 ? '|diff|' : 'ulp'], (kernel) =>
      replayedBy(layers, kernel).length > 0 ? size(worst(kernel)) : '-',
    ),
    ...(flips ? [number(['top-1', 'flips'], (kernel) => `${flips[kernel] ?? '-'}`)] : []),
    ...(accuracy ? [number(['accu-', 'racy'], (kernel) => share(accuracy.kernels[kernel]))] : []),
  ];
}

/** Layers of which the kernel has a model. */
function replayedBy(layers: ForecastDocument['layers'], kernel: string): ForecastDocument['layers'] {
  return layers.filter(({ changed }) => typeof changed[kernel] === 'number');
}

function share(value: number | null): string {
  return value === null ? '-' : `${(100 * value).toFixed(1)}%`;
}

/** The kernel that changes most, looked at closely: of the model's own framework, which can run it. */
function nextCommand(
  { kernels, layers, expected }: ForecastDocument,
  agree: readonly string[],
  { model, capture, framework, hasVectors }: ForecastInputs,
) {
  const inputs = [path(model), ...(capture === null ? [] : [path(capture)])];
  const changes = (kernel: string) => layers.reduce((sum, { changed }) => sum + (changed[kernel] ?? 0), 0);
  const own = kernels.filter((kernel) => mayRun(framework, kernel) && changes(kernel) > 0);
  const worst = own.sort((a, b) => changes(b) - changes(a)).at(0);
  const integer = agree.find((kernel) => hasVectors && hasIntegerForm(kernelByName(kernel)));
  const vectors = integer === undefined ? null : ['qdiff', 'golden', ...inputs, '--kernel', integer, '-o', 'golden'];
  // against a capture of inputs alone there is nothing to compare
  const words =
    worst === undefined || expected !== 'capture'
      ? vectors
      : ['qdiff', ...inputs, ...option('--kernel', worst), '--mode', 'propagated'];
  return words && shellCommand(words);
}
