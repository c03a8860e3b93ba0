/** Weights of two models, whatever type and zero point their files keep them with. */

import { weightScaleOf } from '../../kernels/steps/scales.js';
import type { ProductLayer } from '../../nouns/model.js';
import { float32s } from '../../numeric/array.js';
import { weightZeroPointOf } from '../../products/exactSums.js';
import { permuted } from '../../tensor/permute.js';
import { sizeOf } from '../../tensor/shape.js';

/** Codes without their zero points, [outFeatures, inFeatures]. */
export async function centredWeights({ form }: ProductLayer): Promise<Int16Array> {
  const { weight } = form;
  const codes = await weight.read();
  const { inFeatures } = weight;
  return Int16Array.from(codes, (code, i) => code - weightZeroPointOf(form, Math.floor(i / inFeatures)));
}

/** The same in a float product's order: [out, in / groups, ...kernel], where codes lie tap by tap. */
export async function centredByChannel(layer: ProductLayer, kernel: readonly number[]): Promise<Int16Array> {
  const { outFeatures, inFeatures } = layer.form.weight;
  const taps = sizeOf(kernel);
  return permuted(await centredWeights(layer), [outFeatures, taps, inFeatures / taps], [0, 2, 1]);
}

/** As floats would have them. */
export async function realWeights(layer: ProductLayer, kernel: readonly number[]): Promise<Float32Array> {
  const { inFeatures } = layer.form.weight;
  const scaleOf = (i: number) => weightScaleOf(layer.form, Math.floor(i / inFeatures));
  return float32s(await centredByChannel(layer, kernel), (code, i) => code * scaleOf(i));
}

/** Equal for equal weights of equal shape (FNV-1a, twice). */
export async function weightsDigest(layer: ProductLayer): Promise<string> {
  const { outFeatures, inFeatures } = layer.form.weight;
  let [a, b] = [0x811c9dc5, 0x1b873593];
  for (const code of await centredWeights(layer)) {
    a = Math.imul(a ^ code, 0x01000193);
    b = Math.imul(b ^ (code + 0x5bd1e995), 0x01000193);
  }
  return `${outFeatures}x${inFeatures}:${a}:${b}`;
}
