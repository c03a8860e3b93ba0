/**
 * oneDNN's convolutions: which implementation computes one follows from the instructions and the geometry, and with it the order of
 * the scales and what stands in a pair. Source: ONEDNN_VERBOSE of torch 2.13 (oneDNN 3.12), 26.8 million values replayed.
 */

import type { CurveStep, MultiplierStep, Product } from '../../nouns/kernel.js';
import type { PlacedPatch } from '../../nouns/window.js';
import { int32s } from '../../numeric/array.js';
import { saturatingPairs, type Width } from './accumulate.js';
import { silu, siluOfReference } from './curves.js';
import { oneDnnConvolutionScales } from './multiplier.js';

export type Isa = 'amx' | 'vnni' | 'avx512' | 'avx2';

/** sequential: (acc * sx) * sw; product: acc * (sx * sw); divided: sequential, then / sy. */
type Scaling = 'sequential' | 'product' | 'divided';
/** Which products stand in a pair: those of one tap, of one row of the kernel, neighbours of all, or of all column by column. */
type Pairing = 'none' | 'tap' | 'row' | 'flat' | 'columns';

interface Implementation {
  readonly isReference?: true;
  readonly scaling: Scaling;
  readonly pairing: Pairing;
}

function implementationOf(isa: Isa, patch: PlacedPatch): Implementation {
  const { window, groups, inChannels: ic, outChannels: oc } = patch;
  const pairing = isa === 'amx' || isa === 'vnni' ? 'none' : 'tap';
  const depthwise = groups > 1 && ic === 1 && oc === 1;
  const odd = ic % 4 !== 0 || oc % 4 !== 0;
  const spatial = window.kernel.length;
  if (window.transposed && groups > 1 && odd && !depthwise) return { scaling: 'divided', pairing }; // conv:any+gemm
  if (isa === 'avx2') {
    const isReference = !window.transposed && groups > 1 && odd && !(depthwise && spatial < 3);
    if (isReference) return { scaling: 'divided', pairing: 'none', isReference }; // ref:any
    return { scaling: 'product', pairing }; // jit_uni_int8
  }
  if (window.transposed) return { scaling: 'sequential', pairing }; // jit_deconvolution
  if (isa === 'avx512') return onAvx512(patch, depthwise);
  const byTiles = isa === 'amx' && !depthwise; // brgconv_1x1 may take either order, by shape and threads
  return { scaling: byTiles ? 'product' : 'sequential', pairing }; // brgconv, brdgmm_dw
}

/**
 * Without VNNI; brgconv's pairs of single channels as a CPU with VBMI has them (one that is told to do without VNNI). Of one input
 * channel small outputs run in jit_int8, pairs inside a tap, where oneDNN's estimate of the cost says so: that choice has no model.
 */
function onAvx512({ window, groups, inChannels, output }: PlacedPatch, depthwise: boolean): Implementation {
  const [kernel, dilation] = [window.kernel, window.dilation];
  const one = inChannels === 1;
  const flatRows = one && groups > 1 && kernel.length === 2 && kernel[0] === 1 && !depthwise;
  if ((depthwise && kernel.length === 3) || flatRows) return { scaling: 'product', pairing: 'flat' }; // gemm
  if (depthwise || !one || dilation.at(-1) !== 1) return { scaling: 'sequential', pairing: 'tap' }; // jit_int8, brgconv
  const byColumns = kernel.length === 2 && kernel[0] > 1 && output[1] > 4 && dilation[0] === 1;
  return { scaling: 'sequential', pairing: byColumns ? 'columns' : 'row' };
}

/** Of a product of patches; all else has one implementation. */
function of(isa: Isa, { patch }: Width): Implementation {
  return patch ? implementationOf(isa, patch) : { scaling: 'sequential', pairing: 'none' };
}

/** The same numbers of steps, chosen layer by layer. */
export function oneDnnConvolutionScaling(isa: Isa, invertsScales: boolean): MultiplierStep {
  const steps = oneDnnConvolutionScales[invertsScales ? 'inverted' : 'given'];
  const stepOf = (product: Product) => steps[of(isa, product).scaling];
  const name = `oneDnnConvolution${invertsScales ? '' : 'Pointwise'}-${isa}`;
  return {
    name,
    arithmetic: 'float32',
    equation: `${steps.sequential.equation}; or by the implementation ${steps.product.equation}, or / sy`,
    toSteps: (product, output) => stepOf(product).toSteps(product, output),
    toReal: (product) => stepOf(product).toReal(product),
    fromReal: (product, output) => stepOf(product).fromReal!(product, output),
    operations: (product, output, bias) => stepOf(product).operations!(product, output, bias),
    fixedPoint: null,
    float32: (product, output) => stepOf(product).float32!(product, output),
  };
}

/** What has no kernel of its own runs in reference code. */
export function oneDnnSilu(isa: Isa): CurveStep {
  const prepare: CurveStep['prepare'] = (product) =>
    of(isa, product).isReference ? siluOfReference : silu.prepare(product);
  const c: CurveStep['c'] = (product) => (of(isa, product).isReference ? null : silu.c!(product));
  return { ...silu, name: `silu-${isa}`, prepare, c };
}

/** Pairs inside one tap, and holes left out of them: with an odd number of channels another result than FBGEMM's. */
export function oneDnnConvolutionPairs(isa: Exclude<Isa, 'amx' | 'vnni'>) {
  const blocks = (product: Width) => {
    const { patch, inFeatures } = product;
    if (!patch) return [inFeatures];
    const length = {
      none: inFeatures,
      tap: patch.inChannels,
      row: patch.window.kernel.at(-1)!,
      flat: inFeatures,
      columns: inFeatures,
    };
    const each = length[of(isa, product).pairing];
    return new Array<number>(inFeatures / each).fill(each);
  };
  const order = (product: Width) => (of(isa, product).pairing === 'columns' ? byColumns(product.patch!) : null);
  const applies = (product: Product) => of(isa, product).pairing !== 'none';
  return saturatingPairs(`pairsOfTaps-${isa}`, blocks, applies, () => true, order);
}

/** Taps of one channel, down each column of the kernel. */
function byColumns({ window: { kernel } }: PlacedPatch): Int32Array {
  const [rows, columns] = kernel;
  return int32s({ length: rows * columns }, (_, i) => (i % rows) * columns + Math.floor(i / rows));
}

/**
 * What PyTorch 2.13 hands oneDNN of a transposed convolution whose groups have not as many outputs as inputs: memory
 * [in, out] of a tap is read as [out, in], transposed and written back, so that other weights are multiplied than the model has.
 */
export function scrambledWeights(
  weight: Product['weight'],
  { window, inChannels, outChannels, groups }: PlacedPatch,
): Product['weight'] {
  if (!window.transposed || inChannels === outChannels) return weight;
  const taps = weight.length / (groups * inChannels * outChannels);
  const size = inChannels * outChannels;
  const scrambled = weight.slice();
  for (let at = 0, i = 0; at < groups * outChannels; at++) {
    const [group, out] = [Math.floor(at / outChannels), at % outChannels];
    for (let tap = 0; tap < taps; tap++) {
      for (let c = 0; c < inChannels; c++, i++) {
        const place = out * inChannels + c;
        const read = (place % outChannels) * inChannels + Math.floor(place / outChannels);
        const [fromChannel, fromOut] = [Math.floor(read / outChannels), read % outChannels];
        scrambled[i] = weight[group * size * taps + (fromOut * taps + tap) * inChannels + fromChannel];
      }
    }
  }
  return scrambled;
}
