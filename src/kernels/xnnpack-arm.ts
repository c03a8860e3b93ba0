/**
 * As xnnpack, but products k and k + 8 of every 16 are added in int16 and wrap: only where weights of -128 meet twice.
 */
import type { Kernel } from '../nouns/kernel.js';
import { xnnpackOps } from './families.js';
import { xnnpackLibrary } from './libraries.js';
import { neonMlalInt16Wrap } from './steps/accumulate.js';

export const xnnpackArm: Kernel = {
  name: 'xnnpack-arm',
  equation: 'y = rint(clamp(f32(acc + rint(b/(sx*sw))) * ((sx*sw)/sy))) + zp, acc in int16-wrapping pairs (k, k+8)',
  runsOn: 'XNNPACK int8 on ARM64 without dot product',
  runtime: 'xnnpack',
  family: 'xnnpack',
  library: xnnpackLibrary,
  origin: 'XNNPACK on ARM without dot product',
  sums: 'exact',
  confirm: null,
  ops: xnnpackOps({ accumulate: neonMlalInt16Wrap }),
};
