/**
 * ONNX Runtime's QLinearConv: pairs run over all k of a group, padding among them, as the input's zero point. Depthwise ones, one
 * channel and one filter a group, have a kernel of their own, exact on every CPU, if all weights have one zero point. ConvInteger
 * multiplies filters by images: uint8 filters by int8 images saturate, in pairs over the places of a channel, and none is depthwise.
 */

import type { Product } from '../../nouns/kernel.js';
import { int32s } from '../../numeric/array.js';
import { saturatingPairs, shiftToUnsigned, wrappingEightApart } from './accumulate.js';
import type { Width } from './pairs.js';
import { saturatesOnX86 } from './ranAs.js';

function isDepthwise({ patch, weightZeroPoint }: Product): boolean {
  const isAlone = patch !== undefined && patch.inChannels === 1 && patch.outChannels === 1;
  return isAlone && weightZeroPoint.every((zero) => zero === weightZeroPoint[0]);
}

/** Codes and weights are what kernels see the other way round. */
function isFilterFirst({ input, weightDtype, ranAs }: Width): boolean {
  const isOther = input?.dtype === 'int8' && weightDtype === 'uint8';
  return isOther && ranAs?.codes === 'uint8' && ranAs.weights === 'int8';
}

/** Channel outside, place inside. */
function byChannel({ inFeatures, patch }: Width): Int32Array {
  const channels = patch?.inChannels ?? 1;
  const places = inFeatures / channels;
  return int32s({ length: inFeatures }, (_, i) => (i % places) * channels + Math.floor(i / places));
}

export const onnxRuntimeConvolutionPairs = saturatingPairs(
  'onnxRuntimeConvolutionPairs',
  ({ inFeatures }) => [inFeatures],
  (product) => saturatesOnX86(product) && (isFilterFirst(product) || !isDepthwise(product)),
  () => false,
  (product) => (isFilterFirst(product) ? byChannel(product) : null),
  (product) => (isFilterFirst(product) ? 0 : shiftToUnsigned(product)),
);

/** ARM without dot product. */
export const onnxRuntimeConvolutionWrap = wrappingEightApart(
  'onnxRuntimeConvolutionWrap',
  (product) => product.weightDtype !== 'uint8' && !isDepthwise(product),
);
