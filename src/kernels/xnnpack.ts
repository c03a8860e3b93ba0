/**
 * y = rint(clamp(f32(f32(acc + bq) * m), lo - zp, hi - zp)) + zp, m = f32(f32(sx * sw) / sy), acc exact
 *
 * The arithmetic of ort. bq = rint(f32(b / f32(sx * sw))). Bounds of fused activations: rint(f32(f32(v / sy) + zp)), unlike
 * TFLite's half away. Trap: the delegate of LiteRT 1.x ignores a weight zero point. Source: fully-connected-nc.c, requantization.h.
 */
import type { Kernel } from '../nouns/kernel.js';
import { xnnpackOps } from './families.js';
import { xnnpackLibrary } from './libraries.js';
import { exact } from './steps/accumulate.js';
import { delegateTensors, tfliteFloats } from './tflite.js';
import { tfliteBuiltin } from './tflite-builtin.js';
import { ofDelegatedLayer } from './tfliteLayer.js';

const ops: Kernel['ops'] = { ...xnnpackOps({ accumulate: exact }), ...delegateTensors };

export const xnnpack: Kernel = {
  name: 'xnnpack',
  equation: 'y = rint(clamp(f32(acc + rint(b/(sx*sw))) * ((sx*sw)/sy))) + zp, acc exact',
  runsOn: 'XNNPACK int8: LiteRT default, ExecuTorch; x86, ARM64 with dot product',
  runtime: 'xnnpack',
  family: 'xnnpack',
  library: xnnpackLibrary,
  origin: 'XNNPACK',
  sums: 'exact',
  confirm: null,
  runWith: 'the default resolver, whose delegate is XNNPACK (experimental_op_resolver_type=OpResolverType.BUILTIN)',
  onFloats: tfliteFloats,
  ops,
  ofLayer: ofDelegatedLayer(ops, tfliteBuiltin),
};
