/** Findings of lint for a terminal: what says the same of many channels is said once. */

import type { LintDocument, LintFinding, Severity } from '../documents/lint.js';
import { counted, listed, printable } from '../text.js';
import type { ReportOptions } from './reporter.js';
import { renderColumns } from './terminal/columns.js';
import type { Ink } from './terminal/ink.js';
import { path, shellCommand } from './words/next.js';
import { labelled, prose } from './words/prose.js';

interface LintInputs {
  readonly model: string;
  readonly capture: string | null;
}

const MARKS = { error: ['✗', 'x', 'red'], warning: ['!', '!', 'yellow'], info: ['·', '-', 'dim'] } as const;
const MOST_GROUPS = 40;
const MOST_NOT_CHECKED = 8;

export function lintText({ model, capture }: LintInputs): (document: LintDocument, options: ReportOptions) => string {
  return (document, options) => {
    const { ink } = options;
    const findings = saidOnce(document.findings);
    const groups = grouped(findings);
    const most = options.verbosity === 'verbose' ? groups.length : MOST_GROUPS;
    const next = shellCommand(
      capture === null ? ['qdiff', 'lint', path(model), 'CAPTURE'] : ['qdiff', path(model), path(capture)],
    );
    const blocks = [
      [
        ...prose({ options }, `qdiff lint: ${counted(document.layers.length, 'layer')} with weights of ${model}`).map(
          (line) => ink.bold(line),
        ),
        ...prose(
          { options },
          capture === null
            ? 'without a capture: over every code the input can have'
            : `with what happened in ${printable(capture)}`,
        ),
      ],
      layerLines(document, options, ink.dim),
      neverLines(document, options),
      notCheckedLines(document, options),
      ...groups.slice(0, most).map((group, i) => {
        const above = groups.slice(0, i).filter(([{ code, fix }]) => code === group[0].code && fix === group[0].fix);
        return groupLines(group, above, options, ink);
      }),
      groups.length > most ? [`${groups.length - most} more kinds of findings: -v, or --reporter json`] : [],
      [
        ink.bold(summary(findings)),
        ...(next === null ? [] : [`${capture === null ? 'with a capture' : 'next'}: ${ink.cyan(next)}`]),
      ],
    ];
    return `${blocks
      .filter((lines) => lines.length > 0)
      .map((lines) => lines.join('\n'))
      .join('\n\n')}\n`;
  };
}

function layerLines({ layers }: LintDocument, options: ReportOptions, headPaint: (text: string) => string): string[] {
  const observed = layers.some(({ accumulator_bits }) => accumulator_bits.observed !== null);
  const range = (codes: readonly [number, number] | null) => (codes ? `${codes[0]}..${codes[1]}` : '-');
  const columns = [
    { head: ['', 'layer'], cells: layers.map(({ name }) => printable(name)), align: 'left' as const, shortenTo: 12 },
    { head: ['', 'op'], cells: layers.map(({ op }) => op), align: 'left' as const, dropOrder: 1 },
    {
      head: ['input codes', 'possible'],
      cells: layers.map(({ input_range }) => range(input_range.worst)),
      align: 'right' as const,
    },
    ...(observed
      ? [
          {
            head: ['', 'captured'],
            cells: layers.map(({ input_range }) => range(input_range.observed)),
            align: 'right' as const,
          },
        ]
      : []),
    {
      head: ['accumulator bits', 'worst case'],
      cells: layers.map(({ accumulator_bits }) => `${accumulator_bits.worst}`),
      align: 'right' as const,
    },
    ...(observed
      ? [
          {
            head: ['', 'captured'],
            cells: layers.map(({ accumulator_bits }) => `${accumulator_bits.observed ?? '-'}`),
            align: 'right' as const,
          },
        ]
      : []),
  ];
  if (layers.length === 0) return [];
  const { head, rows } = renderColumns(columns, {
    width: options.width,
    ellipsis: options.unicode ? '…' : '...',
    headPaint,
  });
  return [...head, ...rows];
}

/** `never saturate at int16: conv1 (it runs in float), fc (its weights are uint8)`. */
function neverLines({ layers }: LintDocument, options: ReportOptions): string[] {
  const never = layers.flatMap(({ name, int16_saturation: it }) =>
    it && !it.possible ? [`${printable(name)} (${it.because})`] : [],
  );
  const most = options.verbosity === 'verbose' ? never.length : MOST_NOT_CHECKED;
  return never.length === 0 ? [] : prose({ options }, `never saturate at int16: ${listed(never, most)}`);
}

/** `2 layers not checked: conv1 (conv2d), add (add): not replayed`, a line a reason. */
function notCheckedLines({ not_checked: all }: LintDocument, options: ReportOptions): string[] {
  const most = options.verbosity === 'verbose' ? all.length : MOST_NOT_CHECKED;
  return [...new Set(all.map(({ why }) => why))].flatMap((reason) => {
    const names = all.filter(({ why }) => why === reason).map(({ name, op }) => `${name} (${op})`);
    const head = `${counted(names.length, 'layer')} not checked`;
    return prose({ options }, `${head}: ${listed(names, most)}: ${reason}`);
  });
}

/** Findings of one layer, code and severity; the first stands for all. */
function grouped(findings: readonly LintFinding[]): LintFinding[][] {
  const groups = new Map<string, LintFinding[]>();
  for (const finding of findings) {
    const key = JSON.stringify([finding.layer, finding.code, finding.severity, finding.kernels]);
    const group = groups.get(key);
    if (group) group.push(finding);
    else groups.set(key, [finding]);
  }
  return [...groups.values()].sort((a, b) => RANK[b[0].severity] - RANK[a[0].severity]);
}

/** Kernels that pair products otherwise may lose the same pair: one finding, on all of them. */
function saidOnce(findings: readonly LintFinding[]): LintFinding[] {
  const found = new Map<string, LintFinding>();
  for (const finding of findings) {
    const key = JSON.stringify([finding.layer, finding.code, finding.severity, finding.channel, finding.message]);
    const first = found.get(key);
    found.set(key, first ? { ...finding, kernels: [...new Set([...first.kernels, ...finding.kernels])] } : finding);
  }
  return [...found.values()];
}

const RANK: Readonly<Record<Severity, number>> = { error: 2, warning: 1, info: 0 };

function groupLines(
  group: readonly LintFinding[],
  above: readonly (readonly LintFinding[])[],
  options: ReportOptions,
  ink: Ink,
): string[] {
  const [first] = group;
  const [unicode, ascii, color] = MARKS[first.severity];
  const channels = group.flatMap(({ channel }) => (channel === null ? [] : [channel]));
  const which = channels.length === 0 ? '' : `: ${counted(channels.length, 'channel')} (${ranges(channels)})`;
  const heading = `${options.unicode ? unicode : ascii} ${printable(first.layer)} ${first.severity} ${first.code}${which}`;
  const kernels = first.kernels.join(', ');
  const saidAbove = above.some(([it]) => it.kernels.join(', ') === kernels);
  const example = channels.length > 1 ? `channel ${first.channel}, ${first.message}` : first.message;
  return [
    ...prose({ options }, heading).map((line) => ink[color](line)),
    ...labelled({ options }, '    because  ', example),
    ...(kernels !== '' && !saidAbove ? labelled({ options }, '    on       ', kernels) : []),
    ...labelled({ options }, '    fix      ', above.length > 0 ? 'as above' : first.fix),
  ];
}

/** `0-5, 7, 9-12`; of very many only the first. */
function ranges(channels: readonly number[]): string {
  const parts: string[] = [];
  for (let i = 0; i < channels.length; ) {
    let end = i;
    while (end + 1 < channels.length && channels[end + 1] === channels[end] + 1) end++;
    parts.push(end === i ? `${channels[i]}` : `${channels[i]}-${channels[end]}`);
    i = end + 1;
  }
  return parts.length > 12 ? `${parts.slice(0, 12).join(', ')}, ...` : parts.join(', ');
}

function summary(findings: readonly LintFinding[]): string {
  if (findings.length === 0) return 'no findings';
  const parts = (['error', 'warning', 'info'] as const).flatMap((severity) => {
    const count = findings.filter((finding) => finding.severity === severity).length;
    return count === 0 ? [] : [severity === 'info' ? `${count} info` : counted(count, severity)];
  });
  return parts.join(', ');
}
