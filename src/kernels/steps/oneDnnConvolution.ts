/**
 * oneDNN's convolutions: which implementation computes one follows from the instructions and the geometry, and with it the order of
 * the scales and what stands in a pair. Source: ONEDNN_VERBOSE of torch 2.13 (oneDNN 3.12), 26.8 million values replayed.
 */
import type { MultiplierStep, Product } from '../../nouns/kernel.js';
import type { PlacedPatch } from '../../nouns/window.js';
import { saturatingPairs, type Width } from './accumulate.js';
import { oneDnnConvolutionScales } from './multiplier.js';

export type Isa = 'vnni' | 'avx512' | 'avx2';

/** sequential: (acc * sx) * sw; product: acc * (sx * sw); divided: sequential, then / sy. */
type Scaling = 'sequential' | 'product' | 'divided';
/** Which products stand in a pair: those of one tap, of one row of the kernel, neighbours of all, or column by column. */
type Pairing = 'none' | 'tap' | 'row' | 'flat';

interface Implementation {
  readonly scaling: Scaling;
  readonly pairing: Pairing;
}

export function implementationOf(isa: Isa, patch: PlacedPatch): Implementation {
  const { window, groups, inChannels: ic, outChannels: oc } = patch;
  const pairing = isa === 'vnni' ? 'none' : 'tap';
  const depthwise = groups > 1 && ic === 1 && oc === 1;
  const odd = ic % 4 !== 0 || oc % 4 !== 0;
  const spatial = window.kernel.length;
  if (window.transposed && groups > 1 && odd && !depthwise) return { scaling: 'divided', pairing }; // conv:any+gemm
  if (isa === 'avx2') {
    const isReference = !window.transposed && groups > 1 && odd && !(depthwise && spatial < 3);
    return isReference ? { scaling: 'divided', pairing: 'none' } : { scaling: 'product', pairing }; // ref:any, jit_uni_int8
  }
  if (window.transposed) return { scaling: 'sequential', pairing }; // jit_deconvolution
  if (isa === 'avx512' && depthwise && spatial === 3) return { scaling: 'product', pairing: 'flat' }; // gemm
  return { scaling: 'sequential', pairing }; // brgconv, brdgmm_dw, jit_int8
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
    operations: (product, output, bias) => stepOf(product).operations!(product, output, bias),
    fixedPoint: null,
    float32: (product, output) => stepOf(product).float32!(product, output),
  };
}

/** Pairs inside one tap, and holes left out of them: with an odd number of channels another result than FBGEMM's. */
export function oneDnnConvolutionPairs(isa: Exclude<Isa, 'vnni'>) {
  const blocks = (product: Width) => {
    const { patch, inFeatures } = product;
    if (!patch || of(isa, product).pairing === 'flat') return [inFeatures];
    return new Array<number>(inFeatures / patch.inChannels).fill(patch.inChannels);
  };
  const applies = (product: Product) => of(isa, product).pairing !== 'none';
  return saturatingPairs(`pairsOfTaps-${isa}`, blocks, applies, true);
}
