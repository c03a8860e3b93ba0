import type { PageDetails } from '../../documents/blob.js';

/** What the page's script reads: written by html.ts, names printable. Numbers of channels are typed arrays in base64, little endian. */
export interface PageData {
  readonly runs: readonly PageRun[];
}

export interface PageRun {
  readonly name: string;
  readonly layers: readonly PageLayer[];
  /** "int16-saturation", "bias-int32 + rounding-floor", ... */
  readonly causeSets: readonly string[];
}

export interface PageLayer {
  readonly name: string;
  readonly op: string;
  readonly status: string;
  readonly accepted: string | null;
  readonly unit: string;
  readonly why: string;
  readonly samples: number;
  readonly outFeatures: number;
  readonly mismatched: number;
  readonly maxAbsDiff: number;
  /** Nine bins: <= -17, -16..-5, -4..-2, -1, 0, 1, 2..4, 5..16, >= 17. */
  readonly histogram: readonly number[];
  /** Channels that differ, one entry each. */
  readonly channels: {
    /** uint32 */
    readonly index: string;
    /** uint32 */
    readonly mismatched: string;
    /** float32 */
    readonly maxAbsDiff: string;
    /** float32 */
    readonly meanDiff: string;
    /** uint8: index of causeSets */
    readonly causeSet: string;
  };
  /** Channels with a histogram of their own, worst first. */
  readonly worst: readonly PageChannel[];
  /** Channels with single values, worst first. */
  readonly details: readonly PageDetails[];
}

export interface PageChannel {
  readonly channel: number;
  readonly histogram: readonly number[];
}
