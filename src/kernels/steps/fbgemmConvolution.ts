/**
 * FBGEMM's convolutions: which of its kernels computes one follows from the geometry. Depthwise and direct ones saturate on every
 * CPU, the others where the CPU has no AVX512-VNNI. Source: FBGEMM's FbgemmConv.cc; 6.5 million values of torch 2.13 replayed.
 */
import type { AccumulateStep, Codes, Product } from '../../nouns/kernel.js';
import type { PlacedPatch } from '../../nouns/window.js';
import { wrapInt32 } from '../../numeric/integer.js';
import { weightZeroPointOf } from '../../products/exactSums.js';
import { type PairedAccumulateStep, saturatingPairs, type Width } from './accumulate.js';

export type FbgemmPath = 'depthwise' | 'direct' | 'others';

export function fbgemmPathOf({ window, groups, inChannels: ic, outChannels: oc }: PlacedPatch): FbgemmPath {
  const { kernel, stride, padding, dilation, transposed } = window;
  const spatial = kernel.length;
  const steps = stride.every((by) => by <= 2) && dilation.every((by) => by === 1) && spatial > 1;
  if (transposed) {
    const fits = groups === 1 && ic % 8 === 0 && oc % 8 === 0 && spatial === 2 && kernel[0] === 2 && kernel[1] <= 6;
    return fits && steps && padding.every((ends) => ends[0] + ends[1] === 0) ? 'direct' : 'others';
  }
  const alone = ic === 1 && oc <= 2 && groups % 8 === 0;
  const square = kernel.at(-1) === kernel.at(-2) && kernel.every((size) => [3, 5, 7].includes(size));
  const centred = padding.every((ends, axis) => ends.every((by) => by === (kernel[axis] - 1) / 2));
  return alone && square && steps && centred ? 'depthwise' : 'others';
}

const pathOf = ({ patch }: Width) => (patch ? fbgemmPathOf(patch) : 'others');

/** The largest sum of codes that the depthwise kernel keeps for the weights' zero points: from 129 taps on it can be more. */
const MOST_OF_CODES = 32767;

/**
 * Pairs (0,1), (2,3), ... of all k of a group, padding among them; the direct kernel's inside one tap, what misses the image left
 * out. saturating: the kernels that do.
 */
function convolutionPairs(name: string, saturating: readonly FbgemmPath[]): PairedAccumulateStep {
  const isDirect = (product: Width) => pathOf(product) === 'direct';
  const blocks = (product: Width) => {
    const { patch, inFeatures } = product;
    const each = isDirect(product) ? patch!.inChannels : inFeatures;
    return new Array<number>(inFeatures / each).fill(each);
  };
  const applies = (product: Product) => saturating.includes(pathOf(product));
  return withNarrowSumOfCodes(saturatingPairs(name, blocks, applies, isDirect));
}

/** Without AVX512-VNNI. */
export const fbgemmConvolutionPairs = convolutionPairs('fbgemmConvolutionPairs', ['depthwise', 'direct', 'others']);
/** With it. */
export const fbgemmSaturatingEverywhere = convolutionPairs('fbgemmSaturatingEverywhere', ['depthwise', 'direct']);

function withNarrowSumOfCodes(pairs: PairedAccumulateStep): PairedAccumulateStep {
  const lose = (product: Product) =>
    pathOf(product) === 'depthwise' && product.inFeatures > 128 && product.weightZeroPoint.some((zero) => zero !== 0);
  return {
    ...pairs,
    form: (product) => (lose(product) ? null : pairs.form!(product)),
    run: (x, product, fast) => {
      const sums = pairs.run(x, product, fast);
      if (lose(product)) addLost(sums.data as Int32Array, x, product);
      return sums;
    },
    ...written(pairs, lose),
  };
}

function addLost(sums: Int32Array, x: Codes, product: Product): void {
  const { outFeatures } = product;
  for (let row = 0; row < x.rows; row++) {
    let codes = 0;
    for (let k = row * x.cols; k < (row + 1) * x.cols; k++) codes += x.data[k];
    const lost = Math.max(0, codes - MOST_OF_CODES);
    for (let channel = 0; channel < outFeatures && lost > 0; channel++) {
      const i = row * outFeatures + channel;
      sums[i] = wrapInt32(sums[i] + lost * weightZeroPointOf(product, channel));
    }
  }
}

function written(pairs: AccumulateStep, lose: (product: Product) => boolean): Pick<AccumulateStep, 'numpy' | 'c'> {
  return {
    numpy: (product) => [
      ...pairs.numpy!(product),
      ...(lose(product) ? [`acc += zw * max(0, int(x.sum()) - ${MOST_OF_CODES})  # the sum of codes, at int16`] : []),
    ],
    c: (product, id) => {
      const { arrays, lines } = pairs.c!(product, id);
      if (!lose(product)) return { arrays, lines };
      const codes = `  for (int k = 0; k < ${id.toUpperCase()}_IN_FEATURES; k++) codes += x[k];`;
      const add = `  if (codes > ${MOST_OF_CODES}) sum += zw * (codes - ${MOST_OF_CODES});`;
      return { arrays, lines: [...lines, '  int64_t codes = 0;  /* at int16 */', codes, add] };
    },
  };
}
