/** A finding about two captures of one model: what each runtime does in a layer, in how many values, and what comes of it. */
import type { TwoCaptures } from '../../compare/candidate/secondCapture.js';
import type { LayerReport, Report } from '../../nouns/report.js';
import { counted, printable } from '../../text.js';
import { extentOf } from './verdict.js';

/** Null: the other side is no capture, or its own runtime does not explain it. */
export function twoCapturesOf({ diagnosis }: LayerReport): TwoCaptures | null {
  const two = diagnosis?.evidence['two-captures'];
  return two === undefined ? null : (two as TwoCaptures);
}

/** Layers that differ by the same two forms share a finding, and those that only inherit. */
export function twoCapturesKey({ op }: LayerReport, { capture, candidate }: TwoCaptures): string {
  const forms = [capture, candidate].map(({ name, kernel, does }) => [name, kernel, does]);
  return JSON.stringify(['two-captures', capture.does === null ? '' : op, ...(capture.does === null ? [] : forms)]);
}

/** One sentence: which op, which form on each side, how many values, and what comes of all of it at the output. */
export function twoCapturesHeadline(layers: readonly LayerReport[], report: Report): string {
  const [two] = layers.map((layer) => twoCapturesOf(layer)!);
  const { capture, candidate } = two;
  const total = layers.reduce((sum, { values }) => sum + values!, 0);
  if (capture.does === null) {
    const count = layers.reduce((sum, layer) => sum + twoCapturesOf(layer)!.inherited, 0);
    return `${counted(count, 'value')} came with the input: from the same one both sides give the same`;
  }
  const count = layers.reduce((sum, layer) => sum + twoCapturesOf(layer)!.values, 0);
  const sides = [capture, candidate].map((side) => `${sideOf(side)} ${side.does}`);
  return `${layers[0].op}: ${sides.join('; ')}: ${count} of ${counted(total, 'value')} on the same input${atTheOutput(layers, report)}`;
}

const sideOf = ({ name, kernel }: TwoCaptures['capture']) => `${printable(name)} (${printable(kernel)})`;

/** Of what was compared and nothing reads, else of the last; nothing where the finding is about that. */
function atTheOutput(layers: readonly LayerReport[], { candidate_layers: all = null }: Report): string {
  const compared = (all ?? []).filter(({ values }) => values !== null);
  const read = new Set(compared.flatMap(({ inputs }) => inputs));
  const ends = compared.filter(({ name }) => !read.has(name));
  const others = (ends.length > 1 ? ends : compared.slice(-1)).filter((end) => !layers.includes(end));
  const different = others.filter(({ mismatched }) => mismatched !== 0);
  const [first] = different.length > 0 ? different : others;
  if (!first) return '';
  const leaves = `(${printable(first.name)}) that leaves ${extentOf(first)}`;
  if (others.length === 1) {
    return different.length === 0
      ? `; at the output (${printable(first.name)}) nothing differs`
      : `; at the output ${leaves}`;
  }
  const outputs = others.length < ends.length ? 'other outputs' : 'outputs';
  if (different.length === 0) return `; at the ${others.length} ${outputs} nothing differs`;
  const differ = different.length === 1 ? 'differs' : 'differ';
  return `; ${different.length} of ${others.length} ${outputs} ${differ}: at the first ${leaves}`;
}

/** What came with the input beside it. */
export function twoCapturesDetails(layers: readonly LayerReport[]): readonly (readonly [string, string[]])[] {
  const inherited = layers.flatMap((layer) => {
    const { capture, inherited: count, from } = twoCapturesOf(layer)!;
    if (count === 0 || capture.does === null) return [];
    return [`${printable(layer.name)}: ${count} more of its values differ since ${printable(from)} does`];
  });
  const explained = layers.reduce((sum, { mismatched }) => sum + mismatched!, 0);
  return [
    ['explained', [`${explained} of ${explained} differing values: each side is what its own runtime computes`]],
    ['inherited', inherited.slice(0, 4)],
  ];
}
