/** What LSTMs on integers are made of: sums of codes, element by element functions of int16, and where steps and states lie. */
import type { NamedArrays, NumericArray } from '../../../nouns/array.js';
import type { LstmAttributes } from '../../../nouns/attributes.js';
import type { Computed, KeptState, State, TensorCall } from '../../../nouns/kernel.js';
import { isQuantized, type ValueParams } from '../../../nouns/value.js';
import type { FixedPointMultiplier } from '../../../nouns/written.js';
import { isMultiplier, quantizeMultiplier } from '../../../numeric/fixedPoint.js';
import { wrapInt32 } from '../../../numeric/integer.js';
import { quantized } from '../call.js';

export type GateName = 'input' | 'forget' | 'cell' | 'output';

/** int32 bias [rows] and int8 weights [rows, cols]; a zero point of what they are multiplied with is in the bias. */
export interface Rows {
  readonly bias: Int32Array;
  readonly weight: NumericArray;
}

/** The two products of a gate, of what a step reads and of the hidden state, each with its multiplier. */
export interface GateProducts {
  readonly input: Rows;
  readonly inputBy: FixedPointMultiplier;
  readonly recurrent: Rows;
  readonly recurrentBy: FixedPointMultiplier;
}

/** bias: null where it is added behind a normalization. */
export function gateProducts(
  call: TensorCall,
  name: GateName,
  bias: NumericArray | null,
  [inputReal, recurrentReal]: readonly [input: number, recurrent: number],
): GateProducts {
  const { cells, stateZeroPoint } = call.attributes as LstmAttributes;
  const { zeroPoint } = quantized(call.inputs[0]);
  return {
    input: rowsOf(call.arrays![`${name}.input`], zeroPoint, bias, cells),
    inputBy: quantizeMultiplier(inputReal),
    recurrent: rowsOf(call.arrays![`${name}.recurrent`], stateZeroPoint, null, cells),
    recurrentBy: quantizeMultiplier(recurrentReal),
  };
}

/** bias - zeroPoint * (sum of a row), in int32. */
export function rowsOf(weight: NumericArray, zeroPoint: number, bias: NumericArray | null, rows: number): Rows {
  const cols = weight.length / rows;
  const folded = new Int32Array(rows);
  for (let row = 0; row < rows; row++) {
    let sum = 0;
    for (let col = 0; col < cols; col++) sum += weight[row * cols + col];
    folded[row] = wrapInt32((bias?.[row] ?? 0) - zeroPoint * sum);
  }
  return { bias: folded, weight };
}

/** One row's sum over codes from `at` on. */
export function sumOf({ bias, weight }: Rows, row: number, codes: NumericArray, at: number, cols: number): number {
  let sum = bias[row];
  for (let col = 0, k = row * cols; col < cols; col++, k++) sum += codes[at + col] * weight[k];
  return wrapInt32(sum);
}

/** A function of every int16 code, by code + 32768. */
export function int16Table(of: (code: number) => number): Int16Array {
  return Int16Array.from({ length: 65536 }, (_, i) => of(i - 32768));
}

/** A step of every sequence of a call: `rows` sequences, their codes from `input` on, and where their outputs go. */
export type Step = (rows: {
  readonly first: number;
  readonly count: number;
  readonly input: number;
  readonly output: number;
}) => void;

/** Sequences and steps of a whole call: [batch, time, inputs], or time before batch. */
function extentsOf(dims: readonly number[], timeMajor: boolean): { batch: number; time: number } {
  const [b, a] = [dims.at(-2)!, dims.slice(0, -2).reduce((size, dim) => size * dim, 1)];
  return timeMajor ? { batch: b, time: a } : { batch: a, time: b };
}

const dimsOf = ({ inputs: [{ shape }], samples }: TensorCall) => [samples, ...shape.dims];

/** As TFLite walks: all sequences step by step where time is the first axis, otherwise each sequence to its end. */
export function walk(call: TensorCall, { inputs, outputs, timeMajor }: LstmAttributes, step: Step): void {
  const { batch, time } = extentsOf(dimsOf(call), timeMajor);
  if (timeMajor) {
    for (let t = 0; t < time; t++)
      step({ first: 0, count: batch, input: t * batch * inputs, output: t * batch * outputs });
    return;
  }
  for (let row = 0; row < batch * time; row++)
    step({ first: Math.floor(row / time), count: 1, input: row * inputs, output: row * outputs });
}

/** What a call begins with: the real number 0, which of int8 is the zero point. */
function begin(call: TensorCall): State {
  const { cells, outputs, timeMajor, stateZeroPoint } = call.attributes as LstmAttributes;
  const { batch } = extentsOf(dimsOf(call), timeMajor);
  return [new Int32Array(batch * outputs).fill(stateZeroPoint), new Int32Array(batch * cells)];
}

export const lstmState: KeptState = {
  begin,
  sequences: (attributes, dims) => extentsOf(dims, (attributes as LstmAttributes).timeMajor).batch,
};

/** Fits "has no OP with ..."; null: int32 multipliers hold all of them. */
export function lacksMultiplier(reals: readonly (number | null)[]): string | null {
  return reals.every((real) => real === null || isMultiplier(real))
    ? null
    : 'scales whose quotient float32 does not hold';
}

export const scaleOf = (params: ValueParams): number => (isQuantized(params) ? params.scale : 1);

/** make: what is prepared of a layer's numbers, once. */
export function prepared<P>(make: (call: TensorCall) => P): (call: TensorCall) => P {
  const known = new WeakMap<NamedArrays, P>();
  return (call) => {
    const own = known.get(call.arrays!) ?? make(call);
    known.set(call.arrays!, own);
    return own;
  };
}

/** Runs a call, its outputs being the hidden state after each step. */
export function runLstm(call: TensorCall, stepOf: (input: NumericArray, output: Int8Array) => Step): Computed {
  const own = call.attributes as LstmAttributes;
  const { batch, time } = extentsOf(dimsOf(call), own.timeMajor);
  const output = new Int8Array(batch * time * own.outputs);
  walk(call, own, stepOf(call.inputs[0].data, output));
  return output;
}
