import type { KernelsDocument } from '../documents/kernels.js';
import { counted } from '../text.js';
import type { ReportOptions } from './reporter.js';
import { labelled, prose } from './words/prose.js';

type ListedKernel = KernelsDocument['kernels'][number];

/** A block a kernel: its equation, where it runs, and what its model was run against. */
export function kernelsText({ kernels }: KernelsDocument, options: ReportOptions): string {
  const { ink } = options;
  const blocks = kernels.map((kernel) => [
    ink.bold(kernel.name),
    ...labelled({ options }, '  computes  ', kernel.equation),
    ...labelled({ options }, '  runs on   ', kernel.runs_on),
    ...labelled({ options }, '  verified  ', verifiedSentence(kernel)),
    ...(options.verbosity === 'verbose'
      ? [
          ...kernel.verified.flatMap((run) => labelled({ options }, '            ', runSentence(run))),
          ...labelled({ options }, '  replays   ', kernel.ops.join(', ')),
        ]
      : []),
  ]);
  const symbols = prose(
    { options },
    'acc: sum of (x - zx) * (w - zw), int32; sx, sw, sy: scales of input, weight and output; b: real bias; zp: zero point of the output; rint: ties to even; all float operations round to float32 unless said otherwise',
  );
  const next = `with your files: ${ink.cyan('qdiff forecast MODEL CAPTURE')}`;
  return `${[...blocks, [...symbols, next]].map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

function verifiedSentence({ verified }: ListedKernel): string {
  if (verified.length === 0) return 'never run against the real thing: from its sources only';
  const values = verified.reduce((sum, run) => sum + run.values, 0);
  const mismatched = verified.reduce((sum, run) => sum + run.mismatched, 0);
  const runtimes = [...new Set(verified.map(({ runtime, version }) => `${runtime} ${version}`))];
  const runs = new Set(verified.map(({ of: _, values: __, ...run }) => JSON.stringify(run)));
  const convolved = verified.filter((run) => run.of === 'convolutions').reduce((sum, run) => sum + run.values, 0);
  const among = convolved > 0 ? `, ${thousands(convolved)} of convolutions among them` : '';
  return `${thousands(values)} values in ${counted(runs.size, 'run')} of ${runtimes.join(', ')}${among}; ${mismatched} differ`;
}

/** "qdiff" ran itself; otherwise its oracle, the numpy model that the golden vectors come from. */
function runSentence({
  runtime,
  version,
  cpu,
  settings,
  compared,
  of,
  values,
  mismatched,
}: ListedKernel['verified'][number]): string {
  const where = [`${runtime} ${version}`, cpu, ...(settings === '' ? [] : [settings])].join(', ');
  return `${where}: ${compared}, ${thousands(values)} values${of ? ` of ${of}` : ''}, ${mismatched} differ`;
}

function thousands(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',');
}
