/** Single layers with their values: a JSON of cases beside an npz that holds the arrays they name (fixtures/ops/README.md). */
import { readFileSync } from 'node:fs';
import { compare } from '../../src/compare/compare.js';
import { nodeFileSystem } from '../../src/io.js';
import { openNpz } from '../../src/load/npz.js';
import type { ArrayFile, ArraySource } from '../../src/nouns/array.js';
import { validateCapture } from '../../src/validate/capture.js';
import { validateModel } from '../../src/validate/model.js';

export interface OpCase {
  readonly engine: string;
  readonly flow?: string;
  readonly inputs: readonly ({ readonly array: string } & Readonly<Record<string, unknown>>)[];
  readonly layer: { readonly op: string } & Readonly<Record<string, unknown>>;
  /** The array of what the layer computed. */
  readonly output: string;
  readonly batch_sizes?: string;
}

export interface OpCases {
  readonly producer: Readonly<Record<string, unknown>>;
  readonly cases: readonly OpCase[];
}

export interface Outcome {
  readonly values: number;
  readonly mismatched: number;
  readonly withinBound: number;
  /** `` where it was replayed. */
  readonly why: string;
}

export function casesOf(path: string): OpCases {
  return JSON.parse(readFileSync(`${path}.json`, 'utf8'));
}

/** Each case through the product's own doors. */
export async function withArrays<T>(path: string, use: (arrays: ArrayFile) => Promise<T>): Promise<T> {
  const arrays = await openNpz(nodeFileSystem, `${path}.npz`);
  try {
    return await use(arrays);
  } finally {
    await arrays.close();
  }
}

/** As a model, and as captures of it: of what came out, or of another array in its place. */
export async function opened({ producer }: OpCases, one: OpCase, { arrays, path }: ArrayFile) {
  const { engine, flow = 'eager', inputs, layer, batch_sizes } = one;
  const names = inputs.map((_, i) => `x${i}`);
  const raw = {
    format: 'qdiff-model',
    version: 1,
    producer: { ...producer, engine, flow },
    inputs: inputs.map(({ array, ...value }, i) => ({
      name: names[i],
      ...value,
      shape: arrays.get(array)!.shape.slice(1),
    })),
    layers: [{ name: 'y', input: names, ...layer }],
  };
  const model = await validateModel(raw, 'model.json', { path, arrays, close: async () => {} });
  const captureOf = (output: string) => {
    const values = [...inputs.map(({ array }) => array), output].map((key, i) => {
      const name = names[i] ?? 'y';
      return [name, called(arrays.get(key)!, name)] as const;
    });
    const sizes = batch_sizes ? [['batch_sizes', called(arrays.get(batch_sizes)!, 'batch_sizes')] as const] : [];
    return validateCapture(model, { path, arrays: new Map([...values, ...sizes]), close: async () => {} });
  };
  return { model, captureOf };
}

export async function replayed(cases: OpCases, one: OpCase, file: ArrayFile, kernel?: string): Promise<Outcome> {
  const { model, captureOf } = await opened(cases, one, file);
  const report = await compare(model, await captureOf(one.output), { kernel, diagnose: false });
  const [{ values: compared, mismatched, within_bound }] = report.layers;
  const why = report.warnings.map(({ message }) => message).join('; ');
  return { values: compared ?? 0, mismatched: mismatched ?? 0, withinBound: within_bound ?? 0, why };
}

function called(source: ArraySource, key: string): ArraySource {
  const { dtype, shape, fortranOrder } = source;
  return { key, dtype, shape, fortranOrder, read: (from, to) => source.read(from, to) };
}
