/** ATen's two roundings: in vectors, and one by one at the end of a run. Half of all ties differ where the zero point is odd. */
import type { CodeArray, DequantizeStep, JoinedPair, QuantizeStep, TensorCall, Vectors } from '../../nouns/kernel.js';
import { bodyOf, fillEither, ofLayer } from './call.js';
import { dequantizeFloat32, dequantizeFused } from './dequantize.js';
import { quantizeFma, quantizeTwoRoundings, quantizeZeroPointAfter, quantizeZeroPointAfter64 } from './quantize.js';

export interface AtenWay {
  readonly dequantize: DequantizeStep;
  readonly quantize: QuantizeStep;
}

/** Which reciprocal of the scale an op hands to the vector code. */
export type Reciprocal = 'float32' | 'float64';

export function inVectors(vectors: Vectors, reciprocal: Reciprocal = 'float32'): AtenWay {
  if (vectors === 'default') return { dequantize: dequantizeFloat32, quantize: quantizeFma };
  const quantize = reciprocal === 'float32' ? quantizeZeroPointAfter : quantizeZeroPointAfter64;
  return { dequantize: dequantizeFused, quantize };
}

export const oneByOne: AtenWay = { dequantize: dequantizeFloat32, quantize: quantizeTwoRoundings };

/** Every code of the output, each the way that its place asks for. */
export function bothWays(pairOf: (call: TensorCall, way: AtenWay) => JoinedPair): (call: TensorCall) => CodeArray {
  const body = ofLayer((call) => pairOf(call, inVectors(call.vectors)));
  const rest = ofLayer((call) => pairOf(call, oneByOne));
  return (call) => fillEither(call, bodyOf(call), body(call), rest(call));
}
