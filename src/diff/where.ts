/** Which samples, channels and positions of a value differ, counted as they come. */
import type { PatternReport } from '../nouns/report.js';
import type { Shape } from '../nouns/value.js';
import { indicesOf, positionDims, positionsOf } from '../tensor/shape.js';
import { borderOf, patternOf, Units } from './pattern.js';

/** Of more positions no pattern is sought. */
const MOST_POSITIONS = 1 << 22;

const AXES: readonly (readonly PatternReport['axis'][])[] = [
  [],
  ['position'],
  ['row', 'column'],
  ['plane', 'row', 'column'],
];

export class Where {
  private readonly samples = new Units();
  private readonly dims: readonly number[];
  /** 1 where a value of that position differs; null: too many, or one only. */
  private readonly positions: Uint8Array | null;

  constructor(shape: Shape) {
    const count = positionsOf(shape);
    this.dims = positionDims(shape);
    const isKnown = count > 1 && count <= MOST_POSITIONS && this.dims.length < AXES.length;
    this.positions = isKnown ? new Uint8Array(count) : null;
  }

  add(sample: number, position: number): void {
    this.samples.add(sample);
    if (this.positions) this.positions[position] = 1;
  }

  /** differing: 1 of each channel that differs; values: that differ. */
  patterns(firstSample: number, samples: number, differing: Uint8Array, values: number): PatternReport[] {
    const channels = Units.of(marked(differing));
    const all = [
      { axis: 'sample' as const, pattern: patternOf(this.samples, samples, values, firstSample) },
      { axis: 'channel' as const, pattern: patternOf(channels, differing.length, values) },
      ...this.ofPositions(values),
    ];
    return all.flatMap(({ axis, pattern }) => (pattern ? [{ axis, ...pattern }] : []));
  }

  private ofPositions(values: number): { axis: PatternReport['axis']; pattern: ReturnType<typeof patternOf> }[] {
    const { dims, positions } = this;
    if (!positions) return [];
    const differing = [...marked(positions)].map((i) => indicesOf(i, dims));
    const found = AXES[dims.length].map((axis, i) => {
      const indices = [...new Set(differing.map((at) => at[i]))].sort((a, b) => a - b);
      return { axis, pattern: patternOf(Units.of(indices), dims[i], values) };
    });
    if (found.some(({ pattern }) => pattern)) return found;
    return [{ axis: 'border', pattern: borderOf(differing, dims, values) }];
  }
}

/** Never as a list: of a layer of many channels they are millions. */
function* marked(flags: Uint8Array): Generator<number> {
  for (let i = flags.indexOf(1); i >= 0; i = flags.indexOf(1, i + 1)) yield i;
}
