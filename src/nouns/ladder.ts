/** A function of numbers to codes that keeps their order, by the numbers at which each code begins. */

export interface Ladder {
  readonly of: 'float32' | 'int32';
  /** The smallest code. */
  readonly first: number;
  /** begins[i]: the least number whose code is more than first + i; the last is beyond all numbers. */
  readonly begins: Float32Array | Int32Array;
  /** i of a number whose code is first + i, or one less: number * perStep + offset in float32, from 0 to the last, rounded half to even. */
  readonly perStep: number;
  readonly offset: number;
}

/** A number of each of two codes, and the code of what both make: float32, or int32 that does not wrap. */
export interface JoinedPair {
  readonly of: Ladder['of'];
  readonly join: 'sum' | 'product';
  readonly left: (code: number) => number;
  readonly right: (code: number) => number;
  /** Of numbers below `reach` in size it keeps the order. */
  readonly code: (joined: number) => number;
  readonly reach: number;
}

/** Codes of numbers below `reach` in size by a ladder, of others by `code`. */
export interface Climb {
  readonly ladder: Ladder;
  readonly reach: number;
  readonly code: (value: number) => number;
}
