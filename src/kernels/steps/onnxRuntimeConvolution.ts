/**
 * ONNX Runtime's QLinearConv: pairs run over all k of a group, padding among them, as the input's zero point. Depthwise ones, one
 * channel and one filter a group, have a kernel of their own, exact on every CPU, if all weights have one zero point.
 */
import type { Product } from '../../nouns/kernel.js';
import { saturatingPairs, wrappingEightApart } from './accumulate.js';
import { saturatesOnX86 } from './ranAs.js';

function isDepthwise({ patch, weightZeroPoint }: Product): boolean {
  const isAlone = patch !== undefined && patch.inChannels === 1 && patch.outChannels === 1;
  return isAlone && weightZeroPoint.every((zero) => zero === weightZeroPoint[0]);
}

export const onnxRuntimeConvolutionPairs = saturatingPairs(
  'onnxRuntimeConvolutionPairs',
  ({ inFeatures }) => [inFeatures],
  (product) => saturatesOnX86(product) && !isDepthwise(product),
);

/** ARM without dot product. */
export const onnxRuntimeConvolutionWrap = wrappingEightApart(
  'onnxRuntimeConvolutionWrap',
  (product) => product.weightDtype !== 'uint8' && !isDepthwise(product),
);
