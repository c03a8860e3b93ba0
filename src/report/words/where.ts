/** Where all that differs in a layer is, in words. */
import type { LayerReport, PatternReport } from '../../nouns/report.js';

/** "only samples 35 to 41 of 42, the last row of every image"; null: no pattern. */
export function whereSentence({ where = [] }: LayerReport): string | null {
  if (where.length === 0) return null;
  return `only ${where.map(partText).join(', ')}`;
}

function partText(pattern: PatternReport): string {
  const { axis, from, to, step, of } = pattern;
  if (axis === 'border')
    return to === 1 ? 'the border of every image' : `the outermost ${to} rows and columns of every image`;
  if (axis === 'sample' || axis === 'channel') {
    if (step > 1) return `every ${ordinal(step)} ${axis} from ${from} on`;
    return to - from === 1 ? `${axis} ${from} of ${of}` : `${axis}s ${from} to ${to - 1} of ${of}`;
  }
  const every = axis === 'position' ? 'sample' : 'image';
  return `${linesText(pattern)} of every ${every}`;
}

function linesText({ axis, from, to, step, of }: PatternReport): string {
  if (step > 1) return `every ${ordinal(step)} ${axis} from ${from} on`;
  const count = to - from;
  const many = count === 1 ? axis : `${count} ${axis}s`;
  if (from === 0) return `the first ${many}`;
  if (to === of) return `the last ${many}`;
  return count === 1 ? `${axis} ${from} of the ${of}` : `${axis}s ${from} to ${to - 1} of the ${of}`;
}

function ordinal(n: number): string {
  return ['', '', 'second', 'third'][n] ?? `${n}th`;
}
