/** What comes of the differences: at the outputs, and of a classifier's answers. */
import { judged } from '../../compare/judged.js';
import type { LayerReport, Report } from '../../nouns/report.js';
import { counted, listed, printable } from '../../text.js';
import { extentOf } from './verdict.js';

export function outcomes(report: Report, quoted: (name: string) => string = printable): string[] {
  return [outputsSentence(report, quoted), answersSentence(report, quoted)].filter((text) => text !== null);
}

/** Of two captures, which begin with one input: "outputs: 2 of 3 differ, the first, y, in 5 of 60 values, by up to 1 lsb". */
function outputsSentence({ candidate_layers: all }: Report, quoted: (name: string) => string): string | null {
  const layers = all ?? [];
  if (!layers.some(({ diagnosis }) => diagnosis && 'two-captures' in diagnosis.evidence)) return null;
  const outputs = outputsOf(layers);
  const different = outputs.filter(({ mismatched }) => mismatched !== 0);
  const [first] = different;
  if (!first) return `outputs: ${outputs.length === 1 ? 'nothing differs' : `none of ${outputs.length} differs`}`;
  const extent = `${quoted(first.name)}${outputs.length > 1 ? ',' : ':'}`;
  if (outputs.length === 1) return `output ${extent} ${extentOf(first)}`;
  const differ = different.length === 1 ? 'differs' : 'differ';
  return `outputs: ${different.length} of ${outputs.length} ${differ}, the first, ${extent} in ${extentOf(first)}`;
}

/** What was compared and nothing reads, else the last. */
function outputsOf(layers: readonly LayerReport[]): LayerReport[] {
  const compared = layers.filter(({ values }) => values !== null);
  const read = new Set(compared.flatMap(({ inputs }) => inputs));
  const ends = compared.filter(({ name }) => !read.has(name));
  return ends.length > 0 ? ends : compared.slice(-1);
}

/** "top-1: 40 of 151 answers change; 31 come back without int16-saturation"; null where nothing differs, or nothing is classified. */
function answersSentence(report: Report, quoted: (cause: string) => string): string | null {
  const { top1_flips: flips, samples } = report;
  if (!flips || report.verdict === 'match') return null;
  const { all, ...byCause } = flips;
  if (all === 0) return `top-1: no answer of ${counted(samples, 'sample')} changes`;
  const named = Object.entries(byCause);
  // with nothing named all come back
  const told = named.every(([cause]) => cause === 'unexplained') ? [] : named;
  const backs = told.map(([cause, count]) => `${comesBack(count)} without ${saidAs(cause, quoted)}`);
  const open = causesOf(report).filter((cause) => !Object.hasOwn(byCause, cause));
  const unknown =
    open.length > 0 && named.length > 0
      ? [`not known: how many without ${listed(open.map((name) => quoted(name)))}`]
      : [];
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
