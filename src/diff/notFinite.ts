/** NaN and infinity in a value of floats: how many, and where first. Such data tell no cause from another. */
import type { NumericArray } from '../nouns/array.js';
import type { Shape } from '../nouns/value.js';
import { coordinatesOf, placeOf, sizeOf } from '../tensor/shape.js';
import { SampleRanges } from './sampleRanges.js';

const KINDS = ['nan', 'inf'] as const;
export type NotFiniteKind = (typeof KINDS)[number];

export interface Occurrences {
  readonly values: number;
  readonly sample: number;
  readonly channel: number;
  readonly at?: number[];
  /** As a report lists samples that differ. */
  readonly samples: readonly string[];
}

/** Absent kinds do not occur. */
export type NotFinite = { readonly [K in NotFiniteKind]?: Occurrences };

/** Counts them in one value, block by block. */
export class NotFiniteCount {
  private readonly found = new Map<NotFiniteKind, { values: number; first: Occurrences; samples: SampleRanges }>();

  constructor(private readonly shape: Shape) {}

  /** values: [samples, ...shape] */
  add(firstSample: number, values: NumericArray): void {
    if (!(values instanceof Float32Array || values instanceof Float64Array)) return;
    for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) this.note(firstSample, i, values[i]);
  }

  /** Null: every value is a number. */
  result(): NotFinite | null {
    if (this.found.size === 0) return null;
    return Object.fromEntries(
      KINDS.flatMap((kind) => {
        const found = this.found.get(kind);
        return found ? [[kind, { ...found.first, values: found.values, samples: found.samples.listed() }]] : [];
      }),
    );
  }

  private note(firstSample: number, index: number, value: number): void {
    const kind = Number.isNaN(value) ? 'nan' : 'inf';
    const features = sizeOf(this.shape.dims);
    const sample = firstSample + Math.floor(index / features);
    let found = this.found.get(kind);
    if (!found) {
      const { channel, position } = placeOf(this.shape, index % features);
      const at = coordinatesOf(this.shape, position);
      const first = { values: 0, sample, channel, samples: [], ...(at.length > 0 && { at }) };
      found = { values: 0, first, samples: new SampleRanges() };
      this.found.set(kind, found);
    }
    found.values++;
    found.samples.add(sample);
  }
}
