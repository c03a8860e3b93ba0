/** Arrays that a call leaves as [blocks, samples, ...], as a transformer's [3, N, 4, 9, 8]: read with the samples first. */
import type { ArrayFile, ArraySource, NumericArray } from '../nouns/array.js';
import type { Model } from '../nouns/model.js';
import { permuted } from '../tensor/permute.js';
import { sizeOf } from '../tensor/shape.js';
import { BATCH_SIZES } from './values.js';

/** sources: by the model's names; file: where they are from, which says how many samples each call had. */
export function samplesFirst(
  sources: ReadonlyMap<string, ArraySource>,
  { blocksBefore, shapes }: Model,
  file: ArrayFile,
): Map<string, ArraySource> {
  const all = new Map(sources);
  let last: { readonly key: string; readonly numbers: Promise<NumericArray> } | null = null; // of several readings in turn
  for (const [name, blocks] of blocksBefore ?? []) {
    const [source, dims] = [sources.get(name), shapes?.get(name)?.dims];
    const samples = source && dims ? sizeOf(source.shape) / sizeOf(dims) : 0;
    if (!source || !dims || samples < 1 || !Number.isInteger(samples)) continue;
    const turned = async () => turnedRound(await source.read(), await callsOf(file, samples), blocks);
    const read = async (from = 0, to = samples) => {
      if (last?.key !== name) last = { key: name, numbers: turned() };
      const width = sizeOf(dims);
      return (await last.numbers).subarray(from * width, to * width);
    };
    all.set(name, { ...source, shape: [samples, ...dims], read });
  }
  return all;
}

async function callsOf({ arrays }: ArrayFile, samples: number): Promise<readonly number[]> {
  const sizes = [...((await arrays.get(BATCH_SIZES)?.read()) ?? [])].map(Number);
  return sizes.reduce((sum, size) => sum + size, 0) === samples ? sizes : [samples];
}

/** Each call has its own blocks, one call behind the other. */
function turnedRound(numbers: NumericArray, calls: readonly number[], blocks: number): NumericArray {
  const width = numbers.length / calls.reduce((sum, size) => sum + size, 0);
  const turned = numbers.slice();
  let at = 0;
  for (const samples of calls) {
    const end = at + samples * width;
    turned.set(permuted(numbers.subarray(at, end), [blocks, samples, width / blocks], [1, 0, 2]), at);
    at = end;
  }
  return turned;
}
