/** What differences do to a classifier's answers, in words. */
import { judged } from '../../compare/judged.js';
import type { Report } from '../../nouns/report.js';
import { counted, listed, printable } from '../../text.js';

/** "top-1: 40 of 151 answers change; 31 come back without int16-saturation"; null where nothing differs, or nothing is classified. */
export function answersSentence(report: Report, quoted: (cause: string) => string = printable): string | null {
  const { top1_flips: flips, samples } = report;
  if (!flips || report.verdict === 'match') return null;
  const { all, ...byCause } = flips;
  if (all === 0) return `top-1: no answer of ${counted(samples, 'sample')} changes`;
  const named = Object.entries(byCause);
  // with nothing named all come back
  const told = named.every(([cause]) => cause === 'unexplained') ? [] : named;
  const backs = told.map(([cause, count]) => `${comesBack(count)} without ${saidAs(cause, quoted)}`);
  const open = causesOf(report).filter((cause) => !Object.hasOwn(byCause, cause));
  const unknown = open.length > 0 ? [`not known: how many without ${listed(open.map((name) => quoted(name)))}`] : [];
  return [
    `top-1: ${all} of ${counted(samples, 'answer')} ${all === 1 ? 'changes' : 'change'}`,
    ...backs,
    ...unknown,
  ].join('; ');
}

function saidAs(cause: string, quoted: (cause: string) => string): string {
  return cause === 'unexplained' ? 'what is unexplained' : quoted(cause);
}

function comesBack(count: number): string {
  if (count === 0) return 'none comes back';
  return `${count} ${count === 1 ? 'comes' : 'come'} back`;
}

/** Of either side; what came with an input has none of its own. */
function causesOf(report: Report): string[] {
  const layers = report.against === 'replay' ? judged(report) : [...report.layers, ...judged(report)];
  const all = new Set(layers.flatMap(({ diagnosis }) => diagnosis?.causes ?? []));
  return [...all].filter((cause) => cause !== 'inherited' && cause !== 'unexplained');
}
