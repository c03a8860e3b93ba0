/**
 * The builtin kernels without delegates on x86 with AVX: linear as tflite-double-up. Vector code of quantize, dequantize and requantize
 * takes 8 or 16 values of a tensor at a time; the rest of a tensor is computed otherwise, and not modelled here.
 */
import type { Kernel } from '../nouns/kernel.js';
import { tfliteLibrary } from './libraries.js';
import { builtinOps, tfliteFloats } from './tflite.js';
import { tfliteDoubleUp } from './tflite-double-up.js';
import { ofBuiltinLayer } from './tfliteLayer.js';

export const tfliteBuiltin: Kernel = {
  name: 'tflite-builtin',
  equation: tfliteDoubleUp.equation,
  runsOn:
    'LiteRT and TensorFlow, builtin kernels without delegates (BUILTIN_WITHOUT_DEFAULT_DELEGATES), whole models; x86 with AVX',
  runtime: 'tflite',
  family: 'tflite',
  library: tfliteLibrary,
  origin: 'LiteRT without delegates',
  sums: 'exact',
  confirm: null,
  runWith: 'experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES',
  wholeRuntime: true,
  onFloats: tfliteFloats,
  ops: builtinOps,
  ofLayer: ofBuiltinLayer,
};
