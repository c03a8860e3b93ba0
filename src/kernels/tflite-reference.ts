/**
 * The reference resolver (BUILTIN_REF) of LiteRT from 1.4 on: linear as tflite-float64; convolutions as tflite-double, with
 * d = sx * sw / sy in double; codes of other scales by a fixed-point
 * multiplier with two roundings, from floats by a division, ties away from zero.
 */
import type { Kernel } from '../nouns/kernel.js';
import { tfliteLibrary } from './libraries.js';
import { referenceFloats, referenceOps } from './tflite.js';
import { tfliteFloat64 } from './tflite-float64.js';
import { ofReferenceLayer } from './tfliteLayer.js';

export const tfliteReference: Kernel = {
  name: 'tflite-reference',
  equation: tfliteFloat64.equation,
  runsOn: 'LiteRT and TensorFlow, reference resolver (BUILTIN_REF), whole models; LiteRT from 1.4 on, any CPU',
  runtime: 'tflite',
  family: 'tflite',
  library: tfliteLibrary,
  origin: 'LiteRT with the reference resolver',
  sums: 'exact',
  confirm: null,
  runWith: 'experimental_op_resolver_type=OpResolverType.BUILTIN_REF',
  wholeRuntime: true,
  onFloats: referenceFloats,
  ops: referenceOps,
  ofLayer: ofReferenceLayer,
};
