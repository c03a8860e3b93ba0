/** What a form in real numbers is made of. */
import type { TensorCall, TensorValue } from '../nouns/kernel.js';
import { isQuantized, type Shape } from '../nouns/value.js';

/** Of an element of the output, in C order: its real value. */
export type RealValue = (element: number) => number;

/** What of a window is taken together first. */
export type Line = 'rows' | 'columns';

/** Another reading of an op's fields, and what it is to people. */
export interface Variant {
  readonly rule: string;
  readonly attributes: unknown;
  /** Of a resize: its grid is the file's. */
  readonly ofGrid?: boolean;
}

/** What is resized, and to what. */
export interface ImageAxes {
  readonly inputs: readonly Shape[];
  readonly output: Shape;
}

export interface RealForm {
  /** Whether it only picks codes by these fields. */
  picks?(attributes: unknown): boolean;
  /** Absent: what is computed of codes has no other form. */
  value?(call: TensorCall): RealValue;
  /** Whose sum it is: each of one input. */
  terms?(call: TensorCall): RealValue[];
  /** 1, or -1 where a term is taken off; absent: all are added. */
  readonly signs?: readonly number[];
  /** A mean over places; a function of one code; the largest code of a window; places of an image mixed. */
  readonly is?: 'mean' | 'table' | 'maximum' | 'mix';
  /** A function of one value, in float64, given the op's numbers. */
  of?(attributes: unknown): (x: number) => number;
  /** Of a function, as integers compute it: how many times its input's scale is in it, and what it is divided by. */
  readonly integers?: { readonly degree: number; readonly divisor: number };
  /** Of a mean: what its sum is divided by. */
  count?(call: TensorCall): RealValue;
  /** What else may be taken of the same windows, by its name. */
  others?: Readonly<Record<string, (call: TensorCall) => RealValue>>;
  /** Of these, numbers that are tried where codes come out: of floats they are found. */
  ofCodes?: Readonly<Record<string, (call: TensorCall) => RealValue>>;
  /** Other operators of the same operands, by their names: each is tried alone. */
  alone?: Readonly<Record<string, (call: TensorCall) => RealValue>>;
  /** The function by a table of few bits, by its name. */
  tables?: Readonly<Record<string, (call: TensorCall) => RealValue>>;
  /** Of a mix by weights that no float holds: how far off it may be, in codes. */
  slack?(attributes: unknown, image: ImageAxes): number;
  /** Of a mean over rows and columns, or a mix of them: of each row (or column) rounded, then of those. */
  lines?(call: TensorCall, first: Line, round: (mean: number) => number): RealValue;
  /** Windows divided by another count. */
  divisors?(attributes: unknown): Variant[];
  /** Places of the output elsewhere in the input. */
  grids?(attributes: unknown): Variant[];
  /** The same and other grids by weights that are integers of few bits, where those are others. */
  gridsInBits?(attributes: unknown, image: ImageAxes): Variant[];
}

export function realOf({ params }: Pick<TensorValue, 'params'>): (code: number) => number {
  if (!isQuantized(params)) return (real) => real;
  const { scale, zeroPoint } = params;
  return (code) => scale * (code - zeroPoint);
}
