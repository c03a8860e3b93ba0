/** A golden set as files of one format, with the manifest that describes them. */

import { createHash } from 'node:crypto';
import type { GoldenLayer, GoldenSet } from '../analyze/golden.js';
import type { GoldenArray } from '../analyze/goldenArrays.js';
import type { GoldenValue } from '../analyze/goldenValues.js';
import type { GoldenFormat, GoldenManifest } from '../documents/golden.js';
import { GOLDEN } from '../frontends/goldenVectors.js';
import { exact, isExact } from '../kernels/steps/accumulate.js';
import { clampOfCodes } from '../kernels/steps/activation.js';
import { fileNames } from '../load/fileName.js';
import { type FileContent, piecesOf } from '../nouns/io.js';
import type { LayerShapes, QuantParams } from '../nouns/value.js';
import type { PlacedPatch } from '../nouns/window.js';
import { goldenC } from '../report/inC/goldenC.js';
import { jsonText, writeJson } from '../report/json.js';
import { bytesOf } from '../report/pieces.js';
import { Rows } from '../report/rows.js';
import { version } from '../version.js';
import { bitsOfWord, memhText } from './memh.js';
import { npzBytes } from './npz.js';

/** Numbers that are written as one text: of 40 million it is longer than a string may be. */
export const MOST_IN_TEXT = 1e7;

/** How many numbers a format has to write into one text beyond what fits; 0: they fit. */
export function numbersBeyond(set: Pick<GoldenSet, 'layers' | 'values'>, format: GoldenFormat): number {
  if (format === 'npz' || format === 'memh') return 0;
  const count = arraysOf(set).reduce((sum, { data }) => sum + data.length, 0);
  return Math.max(0, count - MOST_IN_TEXT);
}

/** The whole folder, manifest.json included. */
export async function goldenFiles(
  set: GoldenSet,
  format: GoldenFormat,
  from: { readonly model: string; readonly capture: string },
): Promise<{ manifest: GoldenManifest; files: Map<string, FileContent> }> {
  const { files, fileOf } = await FORMATS[format](set);
  const manifest: GoldenManifest = {
    format: 'qdiff-golden',
    version: 1,
    tool: { name: 'qdiff', version },
    ...from,
    kernel: set.kernel.name,
    equation: set.kernel.equation,
    data: format,
    samples: set.samples,
    layers: set.layers.map(describe),
    ...(set.values.length > 0 && { values: set.values.map(describeValue) }),
    arrays: [...set.layers, ...set.values].flatMap(({ arrays }) =>
      arrays.map((array) => ({
        name: array.name,
        value: array.value,
        file: fileOf(array),
        dtype: dtypeOf(array),
        shape: [...array.shape],
        layout: 'row-major' as const,
        bits: format === 'memh' ? bitsOfWord(array) : null,
        sha256: checksum(new Uint8Array(array.data.buffer, array.data.byteOffset, array.data.byteLength)),
      })),
    ),
    files: [...files].map(([name, content]) => ({ name, sha256: checksum(content) })),
    captured: [...set.captured],
    skipped: [...set.skipped],
  };
  return { manifest, files: new Map([...files, ['manifest.json', jsonText(manifest)]]) };
}

interface Written {
  readonly files: Map<string, FileContent>;
  readonly fileOf: (array: GoldenArray) => string;
}

const FORMATS: Readonly<Record<GoldenFormat, (set: GoldenSet) => Promise<Written>>> = {
  npz: async (set) => {
    const arrays = new Map(arraysOf(set).map((array) => [array.name, array]));
    return { files: new Map([[GOLDEN, await npzBytes(arrays)]]), fileOf: () => GOLDEN };
  },
  memh: async (set) => {
    const names = fileNames(arraysOf(set).map(({ name }) => name));
    const fileOf = ({ name }: GoldenArray) => `${names.get(name)!}.memh`;
    const text = (array: GoldenArray) =>
      memhText(
        array,
        `${dtypeOf(array)} [${array.shape.join(', ')}], row-major, ${bitsOfWord(array)} bits a word, two's complement`,
      );
    return { files: new Map(arraysOf(set).map((array) => [fileOf(array), text(array)])), fileOf };
  },
  c: async (set) => ({ files: goldenC(set), fileOf: () => 'golden.h' }),
  json: async (set) => {
    const arrays = arraysOf(set).map((array) => [array.name, new Rows(array.data, array.shape)] as const);
    const text = bytesOf((write) => writeJson(Object.fromEntries(arrays), write));
    return { files: new Map([['golden.json', text]]), fileOf: () => 'golden.json' };
  },
};

function describeValue({ name, op, inputs, output, equation, c }: GoldenValue) {
  const params = ({ dtype, scale, zeroPoint }: QuantParams) => ({ dtype, scale, zero_point: zeroPoint });
  return { name, op, inputs: inputs.map(params), output: params(output), equation, in_c: c !== null };
}

function arraysOf({ layers, values }: Pick<GoldenSet, 'layers' | 'values'>): GoldenArray[] {
  return [...layers, ...values].flatMap(({ arrays }) => arrays);
}

function dtypeOf({ data }: GoldenArray): string {
  return data.constructor.name.replace('Array', '').toLowerCase();
}

function checksum(content: FileContent): string {
  const hash = createHash('sha256');
  for (const piece of piecesOf(content)) hash.update(piece);
  return hash.digest('hex');
}

function describe({ name, op, product, shapes, steps, recipe }: GoldenLayer): GoldenManifest['layers'][number] {
  const { input, output, inFeatures, outFeatures, activation } = product;
  return {
    name,
    op,
    ...(product.patch && { convolution: geometryOf(product.patch, shapes) }),
    in_features: inFeatures,
    out_features: outFeatures,
    activation,
    input: { dtype: input.dtype, scale: input.scale, zero_point: input.zeroPoint },
    output: {
      dtype: output.dtype,
      scale: output.scale,
      zero_point: output.zeroPoint,
      quant_min: output.quantMin,
      quant_max: output.quantMax,
    },
    accumulate: isExact(steps.accumulate, product) ? exact.name : steps.accumulate.name,
    operations: recipe.operations.map(({ kind, formula, factorFormula }) => ({
      kind,
      formula,
      factor: factorFormula ?? null,
    })),
    rounding: recipe.fixedPoint ? steps.multiplier.equation : steps.round.name,
    offset_and_clamp: steps.offsetAndClamp.name,
    clamp: [...clampOfCodes(activation, output, steps.bound)],
  };
}

function geometryOf({ window, groups }: PlacedPatch, { output: { channelAxis } }: LayerShapes) {
  const { kernel, stride, padding, dilation, transposed } = window;
  return {
    layout: channelAxis === 0 ? ('NCHW' as const) : ('NHWC' as const),
    kernel_size: [...kernel],
    stride: [...stride],
    padding: padding.map(([before, after]): [number, number] => [before, after]),
    dilation: [...dilation],
    groups,
    transposed: transposed !== null,
  };
}
