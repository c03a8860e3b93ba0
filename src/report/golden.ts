/** A golden set as files of one format, with the manifest that describes them. */
import { createHash } from 'node:crypto';
import { Chalk } from 'chalk';
import type { GoldenArray, GoldenLayer, GoldenSet } from '../analyze/golden.js';
import { bitsOfWord, memhText } from '../save/memh.js';
import { npzBytes } from '../save/npz.js';
import { counted, printable } from '../text.js';
import { version } from '../version.js';
import { goldenC, identifiers } from './goldenC.js';
import { jsonText } from './json.js';
import { option, path, shellCommand } from './next.js';
import { prose } from './prose.js';
import type { ReportOptions } from './reporter.js';

export const GOLDEN_FORMATS = ['npz', 'memh', 'c', 'json'] as const;
export type GoldenFormat = (typeof GOLDEN_FORMATS)[number];

export interface GoldenManifest {
  format: 'qdiff-golden';
  version: 1;
  tool: { name: 'qdiff'; version: string };
  model: string;
  capture: string;
  kernel: string;
  equation: string;
  data: GoldenFormat;
  samples: number;
  layers: {
    name: string;
    in_features: number;
    out_features: number;
    activation: 'none' | 'relu';
    input: { dtype: string; scale: number; zero_point: number };
    output: { dtype: string; scale: number; zero_point: number; quant_min: number; quant_max: number };
    /** What is added in int16 before the int32 sum. */
    accumulate: string;
    /** From the accumulator on, in order; each rounds to float32. Empty where multiplier_int32 and shift are used. */
    operations: { kind: string; formula: string; factor: string | null }[];
    rounding: string;
    offset_and_clamp: string;
  }[];
  arrays: {
    name: string;
    /** The capture's name of the value; null for constants, and for what a capture has in another form. */
    value: string | null;
    file: string;
    dtype: string;
    shape: number[];
    layout: 'row-major';
    /** Width of a word in hexadecimal, two's complement; null where the file has a dtype. */
    bits: number | null;
    /** Of the little-endian values. */
    sha256: string;
  }[];
  /** Files of the folder beside this one. */
  files: { name: string; sha256: string }[];
  skipped: { layer: string; why: string }[];
}

/** The whole folder, manifest.json included. */
export async function goldenFiles(
  set: GoldenSet,
  format: GoldenFormat,
  from: { readonly model: string; readonly capture: string },
): Promise<{ manifest: GoldenManifest; files: Map<string, string | Uint8Array> }> {
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
    arrays: set.layers.flatMap(({ arrays }) =>
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
    skipped: [...set.skipped],
  };
  return { manifest, files: new Map([...files, ['manifest.json', jsonText(manifest)]]) };
}

interface Written {
  readonly files: Map<string, string | Uint8Array>;
  readonly fileOf: (array: GoldenArray) => string;
}

const FORMATS: Readonly<Record<GoldenFormat, (set: GoldenSet) => Promise<Written>>> = {
  npz: async (set) => {
    const arrays = new Map(arraysOf(set).map((array) => [array.name, array]));
    return { files: new Map([['golden.npz', await npzBytes(arrays)]]), fileOf: () => 'golden.npz' };
  },
  memh: async (set) => {
    const names = identifiers(arraysOf(set).map(({ name }) => name));
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
    const arrays = arraysOf(set).map((array) => [array.name, rowsOf(array)] as const);
    return { files: new Map([['golden.json', jsonText(Object.fromEntries(arrays))]]), fileOf: () => 'golden.json' };
  },
};

function arraysOf({ layers }: GoldenSet): GoldenArray[] {
  return layers.flatMap(({ arrays }) => arrays);
}

function rowsOf({ data, shape }: GoldenArray): number[] | number[][] {
  if (shape.length === 1) return [...data];
  return Array.from({ length: shape[0] }, (_, row) => [...data.subarray(row * shape[1], (row + 1) * shape[1])]);
}

function dtypeOf({ data }: GoldenArray): string {
  return data.constructor.name.replace('Array', '').toLowerCase();
}

function checksum(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

function describe({ name, linear, steps, recipe, pairs }: GoldenLayer): GoldenManifest['layers'][number] {
  const { input, output, inFeatures, outFeatures, activation } = linear;
  return {
    name,
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
    accumulate: pairs ? steps.accumulate.name : 'exact',
    operations: recipe.operations.map(({ kind, formula, factorFormula }) => ({
      kind,
      formula,
      factor: factorFormula ?? null,
    })),
    rounding: recipe.fixedPoint ? recipe.fixedPoint.equation : steps.round.name,
    offset_and_clamp: steps.offsetAndClamp.name,
  };
}

// ---------------------------------------------------------------- what the command says

export function goldenText(folder: string): (manifest: GoldenManifest, options: ReportOptions) => string {
  return (manifest, options) => {
    const chalk = new Chalk({ level: options.color });
    const { kernel, equation, layers, samples, files, skipped } = manifest;
    const lines = [
      ...prose(
        { options },
        `golden vectors of kernel ${kernel} in ${printable(folder)}: ${counted(layers.length, 'layer')}, ${counted(samples, 'sample')}`,
      ).map((line) => chalk.bold(line)),
      ...prose({ options }, equation),
      ...prose(
        { options },
        'every output was computed by the replay and by the recipe in the manifest: they are equal',
      ),
      ...files.slice(0, 24).map(({ name }) => `  ${name}`),
      ...(files.length > 24 ? [`  and ${files.length - 24} more`] : []),
      '  manifest.json',
      ...skipped.flatMap(({ layer, why }) =>
        prose({ options }, `note: ${printable(layer)} is not in it: ${printable(why)}`),
      ),
    ];
    const next = shellCommand(nextWords(manifest, folder));
    return `${lines.join('\n')}\n${next === null ? '' : `next: ${chalk.cyan(next)}\n`}`;
  };
}

function nextWords({ data, model, capture }: GoldenManifest, folder: string): string[] {
  const at = folder.replace(/\/+$/, '');
  if (data === 'c') return ['cc', '-o', 'reference', path(`${at}/reference.c`)];
  if (data === 'memh') return ['qdiff', path(model), path(capture), ...option('--candidate', folder)];
  return ['qdiff', 'inspect', path(data === 'npz' ? `${at}/golden.npz` : model)];
}
