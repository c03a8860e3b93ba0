import type { Codes, Product, ProductSteps } from '../nouns/kernel.js';
import type { CauseCode, CauseEvidence } from './evidence.js';

/**
 * A point in the space of computations: the declared kernel and layer with some steps and parameters changed.
 * A cause moves one coordinate; pairs are composition.
 */
export interface Setup {
  readonly steps: ProductSteps;
  readonly linear: Product;
  /** How input codes are read, where not as stored. */
  readonly readX: CodeMap | null;
  /** How output codes are stored, where not as computed. */
  readonly storeY: CodeMap | null;
  /** Row i of the observation is row order[i] of the replay; null: in order. */
  readonly order: readonly number[] | null;
}

export interface CodeMap {
  readonly name: string;
  readonly apply: (code: number) => number;
}

/** What a change moves, in the order in which changes are applied (a later one sees the earlier ones' setup). */
export const COORDINATES = [
  'x',
  'weights',
  'x_zero_point',
  'w_zero_point',
  'accumulator',
  'multiplier',
  'bias_values',
  'bias',
  'round',
  'offset',
  'relu',
  'clamp',
  'x_scale',
  'w_scale',
  'y_scale',
  'y_zero_point',
  'y',
  'rows',
] as const;

export type Coordinate = (typeof COORDINATES)[number];

/** How flexible a change is; of two explanations the one with less freedom is believed. */
export const FREEDOM = { none: 0, oneNumber: 1, permutationOrPatch: 2, numberPerChannel: 3 } as const;

export interface Change {
  readonly cause: CauseCode;
  readonly coordinate: Coordinate;
  readonly freedom: number;
  /** A found number so near to the declared one that it moves ties only: anything without a number is believed first. */
  readonly tiny?: boolean;
  /** Distinguishes the changes of one cause, e.g. the name of a step. */
  readonly label: string;
  /** The part of the evidence that only the search knows: what was found. */
  readonly found?: CauseEvidence[CauseCode];
  /** Channels it acts on, where it is not all. */
  readonly channels?: readonly number[];
  apply(setup: Setup): Setup;
}

/** Applies changes in the order of their coordinates, so that {a, b} and {b, a} are one hypothesis. */
export function applyChanges(setup: Setup, changes: readonly Change[]): Setup {
  return [...changes]
    .sort((a, b) => COORDINATES.indexOf(a.coordinate) - COORDINATES.indexOf(b.coordinate))
    .reduce((changed, change) => change.apply(changed), setup);
}

/** A changed step is an integer kernel's; a float path (PT2E's reference) stays one only where the change says so. */
export function withSteps(setup: Setup, steps: Partial<ProductSteps>): Setup {
  return { ...setup, steps: { ...setup.steps, float: null, ...steps } };
}

export function withLinear(setup: Setup, params: Partial<Product>): Setup {
  return { ...setup, linear: { ...setup.linear, ...params } };
}

export function mapCodes(x: Codes, map: CodeMap | null): Codes {
  return map ? { rows: x.rows, cols: x.cols, data: Int32Array.from(x.data, map.apply) } : x;
}
