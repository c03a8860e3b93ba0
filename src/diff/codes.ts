/** Two sides of a layer that gives codes, block by block. */
import type { NumericArray } from '../nouns/array.js';
import { isBytes } from '../numeric/array.js';

/** Whole numbers: all are finite. */
export type Codes = Int32Array | Uint8Array | Int8Array;

/** Values of a block in C order: runs of `stride` values of a channel. */
export interface Runs {
  readonly firstSample: number;
  readonly stride: number;
  /** Values of a channel in a sample. */
  readonly positions: number;
  readonly zeroPoint: number;
  readonly tolerance: number;
}

/** What is told of differences beside the counts. */
export interface Told {
  /** Where the positions of all are marked; null: nowhere. */
  readonly marks: Uint8Array | null;
  /**
   * Of one that is the first of its sample, or has few before it in its channel. Returns how many of a channel are still to be told;
   * 0: only the first of each sample.
   */
  tell(at: number, sample: number, channel: number, position: number, before: number): number;
}

/** So many of a channel are told. */
export const TOLD_OF_A_CHANNEL = 4;

export function isCodes(values: NumericArray): values is Codes {
  return values instanceof Int32Array || isBytes(values);
}
