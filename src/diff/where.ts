/** Which samples, channels and positions of a value differ, counted as they come. */
import type { PatternReport } from '../nouns/report.js';
import type { Shape } from '../nouns/value.js';
import { indicesOf, positionDims, positionsOf } from '../tensor/shape.js';
import { borderOf, depthOf, patternOf, Units } from './pattern.js';

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
  readonly marks: Uint8Array | null;

  constructor(shape: Shape) {
    const count = positionsOf(shape);
    this.dims = positionDims(shape);
    const isKnown = count > 1 && count <= MOST_POSITIONS && this.dims.length < AXES.length;
    this.marks = isKnown ? new Uint8Array(count) : null;
  }

  /** In ascending order. */
  addSample(sample: number): void {
    this.samples.add(sample);
  }

  addPosition(position: number): void {
    if (this.marks) this.marks[position] = 1;
  }

  /** differing: 1 of each channel that differs; values: that differ. */
  patterns(firstSample: number, samples: number, differing: Uint8Array, values: number): PatternReport[] {
    const channels = Units.marked(differing);
    const all = [
      { axis: 'sample' as const, pattern: patternOf(this.samples, samples, values, firstSample) },
      { axis: 'channel' as const, pattern: patternOf(channels, differing.length, values) },
      ...this.ofPositions(values),
    ];
    return all.flatMap(({ axis, pattern }) => (pattern ? [{ axis, ...pattern }] : []));
  }

  private ofPositions(values: number): { axis: PatternReport['axis']; pattern: ReturnType<typeof patternOf> }[] {
    const { dims, marks: positions } = this;
    if (!positions) return [];
    // never as a list: of an image they may be millions
    const along = dims.map((size) => new Uint8Array(size));
    let deepest = -1;
    for (let i = 0; i < positions.length; i++) {
      if (positions[i] === 0) continue;
      const at = indicesOf(i, dims);
      at.forEach((index, axis) => {
        along[axis][index] = 1;
      });
      deepest = Math.max(deepest, depthOf(at, dims));
    }
    const found = AXES[dims.length].map((axis, i) => ({
      axis,
      pattern: patternOf(Units.marked(along[i]), dims[i], values),
    }));
    if (found.some(({ pattern }) => pattern)) return found;
    return [{ axis: 'border', pattern: borderOf(deepest, dims, values) }];
  }
}
