import type { PageDetails } from '../../documents/blob.js';

/** What the page's script reads: written by pageData.ts, names printable. Numbers of channels are typed arrays in base64, little endian. */
export interface PageData {
  /** In the order of the page's sections. */
  readonly runs: readonly PageRun[];
}

export interface PageRun {
  readonly name: string;
  /** Its part of an address. */
  readonly address: string;
  /** What both sides are called. */
  readonly sides: { readonly expected: string; readonly actual: string };
  readonly layers: readonly PageLayer[];
  /** "int16-saturation", "bias-int32 + rounding-floor", ... */
  readonly causeSets: readonly string[];
  /** In the order of the cards. */
  readonly findings: readonly PageFinding[];
}

interface PageFinding {
  /** A, B, ...; an arrow down for what only comes with the input. */
  readonly letter: string;
  readonly title: string;
}

export interface PageLayer {
  readonly name: string;
  readonly address: string;
  readonly op: string;
  readonly status: string;
  readonly accepted: string | null;
  /** Of differences: lsb, ulp, or the unit of the values themselves, which floats are told in. */
  readonly unit: 'lsb' | 'ulp' | 'real';
  /** A step of the classes of size: 1 of a code, of floats a 256th of their range. */
  readonly step: number;
  readonly why: string;
  /** Indices of the layers that it reads. */
  readonly inputs: readonly number[];
  /** Of one sample; empty where it was not compared. */
  readonly shape: readonly number[];
  /** Values of a channel. */
  readonly perChannel: number;
  readonly outFeatures: number;
  /** Channels that differ. */
  readonly differing: number;
  readonly values: number;
  readonly mismatched: number;
  readonly maxAbsDiff: number;
  readonly meanDiff: number;
  /** Differs only since its input does. */
  readonly inherited: boolean;
  /** Index of the finding that explains it; -1: none. */
  readonly finding: number;
  /** The capture against the replay, where a candidate is judged. */
  readonly reference: { readonly mismatched: number; readonly maxAbsDiff: number } | null;
  /** A candidate's layer against the replay on what it read. */
  readonly onOwnInput: {
    readonly mismatched: number;
    readonly maxAbsDiff: number;
    readonly read: 'own' | 'captured';
  } | null;
  /** `qdiff explain` of this layer; null where there is no arithmetic, or a name cannot be typed. */
  readonly command: string | null;
  /** Nine bins: <= -17, -16..-5, -4..-2, -1, 0, 1, 2..4, 5..16, >= 17. */
  readonly histogram: readonly number[];
  /** Of the map of channels: a cell shows the worst of so many. */
  readonly channelsPerCell: number;
  /** Channels that differ, one entry each; of a page with too many only the worst of each cell. */
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
