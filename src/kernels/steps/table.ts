/** Functions of one code: a table of 256 in vectors, one of 256 for what is left of a run. */
import type { Bounded, CodeArray, TensorCall, TensorSteps } from '../../nouns/kernel.js';
import type { QuantParams } from '../../nouns/value.js';
import { f32 } from '../../numeric/float.js';
import { clamp } from '../../numeric/integer.js';
import { roundHalfEven } from '../../numeric/round.js';
import { everyElement, noElement } from '../../tensor/vectorBody.js';
import { type AtenWay, inVectors, oneByOne, type Reciprocal } from './atenVectors.js';
import { boundedCodes, codesOf, type Near, nearFunctions } from './bounded.js';
import { bodyOf, fillSingles, quantized } from './call.js';
import { dequantizeFloat32 } from './dequantize.js';
import { tensorSteps } from './tensor.js';

/** A float32 of a float32; round: of the results of exp, tanh, expm1 and erf. */
export type RealFunction = (x: number, round: (exact: number) => number) => number;

export interface AtenFunction {
  readonly equation: string;
  readonly reciprocal?: Reciprocal;
  readonly vectors: (attributes: unknown) => RealFunction;
  /** Where it is another. */
  readonly rest?: (attributes: unknown) => RealFunction;
  /** As its vectors read codes, where that is not by FMA. */
  readonly dequantize?: AtenWay['dequantize'];
  /** What lies in memory how, where the kernel does not take it as it is. */
  readonly layout?: (call: TensorCall) => TensorCall;
}

export function atenTable({ equation, reciprocal, vectors, rest = vectors, ...own }: AtenFunction): TensorSteps {
  return tensorSteps(equation, (call) => {
    const way = inVectors(call.vectors, reciprocal);
    const body = tableOf(call, { ...way, ...(own.dequantize && { dequantize: own.dequantize }) }, vectors);
    const tail = tableOf(call, oneByOne, rest);
    const isBody = bodyOf(own.layout ? own.layout(call) : call);
    if (isBody === everyElement) return looked(call, body);
    if (isBody === noElement) return looked(call, tail);
    return lookedAt(call, (code, i) => (isBody(i) ? body : tail)[code]);
  });
}

function tableOf(
  { inputs: [input], output, attributes }: TensorCall,
  { dequantize, quantize }: AtenWay,
  of: (attributes: unknown) => RealFunction,
): Near[] {
  const real = dequantize.prepare(quantized(input));
  const code = quantize.prepare(quantized(output));
  const apply = of(attributes);
  return everyCode(quantized(input)).map((q) =>
    codesOf(
      nearFunctions((round) => apply(real(q), round)),
      code,
    ),
  );
}

/** QNNPACK: one table whatever lies where, clamped before it is rounded, for uint8; ATen's code elsewhere. */
export function qnnpackTable(
  equation: string,
  steps: (output: QuantParams) => RealFunction,
  aten: TensorSteps,
): TensorSteps {
  return tensorSteps(equation, (call) => {
    const input = quantized(call.inputs[0]);
    if (input.dtype !== 'uint8') return aten.run(call);
    const real = dequantizeFloat32.prepare(input);
    const apply = steps(quantized(call.output));
    const code = (v: number) => roundHalfEven(clamp(v, 0, 255));
    const table = everyCode(input).map((q) =>
      codesOf(
        nearFunctions((round) => f32(apply(real(q), round))),
        code,
      ),
    );
    return looked(call, table);
  });
}

function everyCode({ dtype }: QuantParams): number[] {
  return Array.from({ length: 256 }, (_, i) => i + smallestOf(dtype));
}

function smallestOf(dtype: QuantParams['dtype']): number {
  return dtype === 'uint8' ? 0 : -128;
}

/** One table for every place. */
function looked(call: TensorCall, table: readonly Near[]): CodeArray | Bounded {
  if (!table.every(({ low, high }) => low === high)) return lookedAt(call, (code) => table[code]);
  const first = smallestOf(quantized(call.inputs[0]).dtype);
  return fillSingles(call, (code) => table[code - first].near);
}

/** code: counted from the dtype's smallest. */
function lookedAt(
  { inputs: [{ data, params }] }: TensorCall,
  at: (code: number, i: number) => Near,
): Int32Array | Bounded {
  const first = smallestOf(quantized({ params }).dtype);
  return boundedCodes(data.length, (i) => at(data[i] - first, i));
}
