/** Words about a convolution's geometry. */
import type { CauseEvidence } from '../finding/evidence.js';

type Padding = Partial<CauseEvidence['padding-value']>;
type Place = Partial<CauseEvidence['padding-place']>;

/** "0", "the image's own values (reflect)". */
export function paddingText(found: Padding['found']): string {
  if (found === undefined) return 'another code';
  if (found === 'rows beside') return 'values of the rows beside';
  return typeof found === 'number' ? String(found) : `values of the image (${found})`;
}

/** "all 40 differing values that were looked at have a tap on padding". */
export function bordersText({
  border_values: border,
  inside_values: inside,
  where,
}: Pick<Padding, 'border_values' | 'inside_values' | 'where'>): string | null {
  if (border === undefined || inside === undefined) return null;
  const all = border + inside;
  const on = where === 'gaps' || where === 'both' ? 'a gap or padding' : 'padding';
  if (inside === 0) return `all ${all} differing values that were looked at have a tap on ${on}, none lies inside`;
  return `${border} of ${all} differing values that were looked at have a tap on ${on}`;
}

/** Axes, from the outermost of so many. */
function axisName(axis: number, axes: number): string {
  return ['z', 'y', 'x'].slice(-axes)[axis] ?? `axis ${axis}`;
}

/** "at the end of y", "along x". */
export function sideText({ axis, end, axes }: NonNullable<Padding['side']>): string {
  const name = axisName(axis, axes);
  return end === 'both' ? `along ${name}` : `at the ${end} of ${name}`;
}

/** "y: declared 1, 1, found 0, 2; x: ...", of the axes that differ. */
export function axesText(declared: NonNullable<Place['declared']>, found: NonNullable<Place['found']>): string {
  return declared
    .flatMap((own, axis) => {
      if (own.join() === found[axis].join()) return [];
      return `${axisName(axis, declared.length)}: declared [${own.join(', ')}], found [${found[axis].join(', ')}]`;
    })
    .join('; ');
}

interface Edges {
  readonly outside: readonly (readonly [from: number, to: number])[];
  readonly of: readonly number[];
}

/** "at the edge of each image: y 0, x 0 and x 13". */
export function edgesText({ outside, of }: Edges): string {
  const span = (from: number, to: number) => (to - from > 1 ? `${from} to ${to - 1}` : `${from}`);
  const edges = outside.flatMap(([from, to], axis) => {
    const name = axisName(axis, of.length);
    return [
      ...(from > 0 ? [`${name} ${span(0, from)}`] : []),
      ...(to < of[axis] ? [`${name} ${span(to, of[axis])}`] : []),
    ];
  });
  return `at the edge of each image (${edges.join(', ')})`;
}

export function edgeText({ axis, side }: NonNullable<Place['not_read']>): string {
  return `the ${side} index along spatial axis ${axis}`;
}

const RULES: Readonly<Record<NonNullable<CauseEvidence['groups-wrong']['found']>, string>> = {
  first: 'all output channels read the input channels of group 0',
  next: 'each group reads the input channels of the next, the last those of group 0',
  previous: 'each group reads the input channels of the one before, group 0 those of the last',
  'inputs in turns': 'input channel c is taken for group c mod groups',
  'outputs in turns': 'output channel n is taken for group n mod groups',
  shuffled: 'channels come one from each group in turns, and each group reads those beside each other',
  'last to first': 'the input channels of all groups come from last to first',
  'one further': 'input channel c is taken for channel c - 1, across groups',
  'one before': 'input channel c is taken for channel c + 1, across groups',
  'exchanged in pairs': 'each two input channels beside each other are exchanged',
  'halves exchanged': 'the second half of the input channels comes before the first',
  'both in turns': 'input and output channels are taken for group channel mod groups',
};

export function groupsText(found: CauseEvidence['groups-wrong']['found']): string {
  return found ? RULES[found] : 'other channels';
}
