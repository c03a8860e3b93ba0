/** A finding about two captures of one model: what each runtime does in a layer, and in how many values. */
import type { TwoCaptures } from '../../compare/candidate/secondCapture.js';
import type { LayerReport } from '../../nouns/report.js';
import { counted, printable } from '../../text.js';

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

/** One sentence: which op, which form on each side, and how many values. */
export function twoCapturesHeadline(layers: readonly LayerReport[]): string {
  const [two] = layers.map((layer) => twoCapturesOf(layer)!);
  const { capture, candidate } = two;
  const total = layers.reduce((sum, { values }) => sum + values!, 0);
  if (capture.does === null) {
    const count = layers.reduce((sum, layer) => sum + twoCapturesOf(layer)!.inherited, 0);
    return `${counted(count, 'value')} came with the input: from the same one both sides give the same`;
  }
  const count = layers.reduce((sum, layer) => sum + twoCapturesOf(layer)!.values, 0);
  const sides = [capture, candidate].map((side) => `${sideOf(side)} ${side.does}`);
  return `${layers[0].op}: ${sides.join('; ')}: ${count} of ${counted(total, 'value')} on the same input`;
}

const sideOf = ({ name, kernel }: TwoCaptures['capture']) => `${printable(name)} (${printable(kernel)})`;

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
