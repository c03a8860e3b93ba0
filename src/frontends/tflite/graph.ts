/** The first subgraph as model.json has values: names, parameters, shapes of a sample, and its constants as arrays. */

import type { VectorRange } from '../../load/flatbuffer.js';
import { type StoredNumbers, TfliteArray } from '../../load/tflite/array.js';
import { DequantizedArray } from '../../load/tflite/dequantized.js';
import type { Operator, SubGraph, Tensor, TfliteFile } from '../../load/tflite/model.js';
import type { ArraySource } from '../../nouns/array.js';
import type { InputError } from '../../nouns/problem.js';
import { greatestCommonDivisor } from '../../numeric/integer.js';
import { integersOf } from './numbers.js';
import { type Resolved, resolve } from './resolve.js';

/** The `output` of a layer, and in an input. */
export interface RawParams {
  readonly dtype: string;
  readonly scale?: number;
  readonly zero_point?: number;
}

/** Types of activations that model.json has. */
const CODES = new Set(['int8', 'uint8', 'int16', 'int32']);

export class Graph {
  readonly main: SubGraph;
  readonly arrays = new Map<string, ArraySource>();
  /** What a node makes of constants or sizes when the graph is loaded (DEQUANTIZE of float16 weights, SHAPE), and that node. */
  readonly folded: Map<number, string>;
  /** Of those the constants that DEQUANTIZE reads. */
  private readonly sources = new Map<number, number>();
  /** Constants that nodes read as values, by name, as model.json has them. */
  readonly constants = new Map<string, object>();
  readonly batch: number;
  /** What nodes compute, and inputs: any other tensor without bytes is a state of a node's own. */
  readonly computed: ReadonlySet<number>;
  private readonly keys: readonly string[];

  static async of(file: TfliteFile): Promise<Graph> {
    return new Graph(file, await resolve(file));
  }

  private constructor(
    readonly file: TfliteFile,
    private readonly resolved: Resolved,
  ) {
    this.main = { ...file.subgraphs[0], tensors: resolved.tensors };
    this.folded = new Map(resolved.folded);
    this.keys = keysOf(this.main.tensors);
    this.batch = batchOf(this.main, resolved.folded);
    this.computed = new Set([...this.main.inputs, ...this.main.operators.flatMap(({ outputs }) => outputs)]);
  }

  tensor(index: number): Tensor {
    return this.main.tensors[index];
  }

  /** The name, or NAME#INDEX where that is empty or not unique. */
  readonly key = (index: number): string => this.keys[index];

  isConstant(index: number): boolean {
    return this.tensor(index).data !== null || this.folded.has(index);
  }

  /** What DEQUANTIZE makes of a constant, once, when the graph is loaded. */
  dequantizes({ inputs: [source], outputs: [index] }: Operator, label: string): void {
    this.folded.set(index, label);
    this.sources.set(index, source);
  }

  /** Whether the numbers of a constant are in the file, or those that DEQUANTIZE makes it of. */
  hasNumbers(index: number): boolean {
    const { data, unusual, type, quantization } = this.tensor(this.sources.get(index) ?? index);
    if (data === null || unusual !== null || type.dtype === null) return false;
    if (!this.sources.has(index)) return !this.folded.has(index);
    return type.name === 'float16' || (quantization !== null && CODES.has(type.dtype));
  }

  /** Null where model.json cannot say it. */
  params(index: number): RawParams | null {
    const { type, quantization } = this.tensor(index);
    if (type.name === 'float32') return { dtype: 'float32' };
    if (type.name === 'bool') return { dtype: 'uint8', scale: 1, zero_point: 0 };
    if (!CODES.has(type.name) || !quantization?.single) return null;
    const { scale, zeroPoint } = quantization.single;
    return { dtype: type.name, scale, zero_point: zeroPoint };
  }

  /** Of one sample's value; null where only a run tells it. */
  shape(index: number): number[] | null {
    const { shape, isDynamic } = this.tensor(index);
    if (isDynamic || shape.includes(0)) return null;
    const [first, ...rest] = shape;
    if (first === undefined) return this.batch === 1 ? [1] : null;
    return first === this.batch ? nonEmpty(rest) : [first / this.batch, ...rest];
  }

  /** An axis as model.json counts them, the samples' being 0. */
  axis(index: number, axis: number): number {
    return this.dropsFirst(index) ? axis : axis + 1;
  }

  /** Whether the first axis is the samples'. */
  dropsFirst(index: number): boolean {
    return this.tensor(index).shape[0] === this.batch;
  }

  /** Whether a value is several images a sample: SPACE_TO_BATCH_ND makes them. */
  hasImages(index: number): boolean {
    return this.tensor(index).shape.length === 4 && !this.dropsFirst(index);
  }

  /** The name of a constant that a node reads as a value beside values of `rank` axes. */
  constant(index: number, rank: number): string {
    const { shape } = this.tensor(index);
    const [first, ...rest] = shape;
    const isOfSamples = shape.length === rank && (first === 1 || first === this.batch);
    const name = this.key(index);
    const dims = nonEmpty(isOfSamples ? rest : [...shape]);
    this.constants.set(name, { name, ...this.params(index), shape: dims, value: this.array(index) });
    return name;
  }

  /** Adds the numbers of a constant, and says where model.json finds them. as: another shape of as many numbers, whose axes then turn. */
  array(
    index: number,
    { as, ...change }: Partial<{ as: readonly number[]; axes: readonly number[]; shift: number }> = {},
  ): { array: string } {
    const source = this.sources.get(index) ?? index;
    const { type, shape, data } = this.tensor(source);
    const stored = as ?? shape;
    const numbers = {
      key: this.key(index),
      range: data!,
      shape: change.axes ? change.axes.map((axis) => stored[axis]) : stored,
      dtype: change.shift ? 'int8' : type.name === 'float16' ? 'float32' : type.dtype!,
      bits: type.bits,
      ...change,
    } as const;
    const isMade = source !== index && type.name !== 'float16';
    return isMade ? this.addDequantized(source, numbers, change.axes) : this.add(numbers);
  }

  private addDequantized(source: number, numbers: StoredNumbers, axes: readonly number[] | undefined) {
    const { axis } = this.tensor(source).quantization!;
    const [scale, zeroPoint] = [this.scales(source), this.zeroPoints(source)].map((own) =>
      typeof own === 'number' ? own : this.arrays.get(own.array)!,
    );
    const codes = new TfliteArray(this.file.buffer.file, this.file.path, numbers);
    const moved = axes ? axes.indexOf(axis) : axis;
    this.arrays.set(numbers.key, new DequantizedArray(codes, { scale, zeroPoint, axis: moved }));
    return { array: numbers.key };
  }

  /** The scales of a constant: a number, or its array. */
  scales(index: number): number | { array: string } {
    const { single, scale } = this.tensor(index).quantization!;
    return single ? single.scale : this.ofChannels(index, 'scale', scale, { dtype: 'float32', bits: 32 });
  }

  zeroPoints(index: number): number | { array: string } {
    const { single, zeroPoint } = this.tensor(index).quantization!;
    return single ? single.zeroPoint : this.ofChannels(index, 'zero_point', zeroPoint, { dtype: 'int64', bits: 64 });
  }

  /** The numbers of a constant that shapes an operator: axes, sizes, paddings. */
  async integers(index: number): Promise<readonly number[] | null> {
    return this.resolved.numbers.get(index) ?? (await integersOf(this.file, this.tensor(index)));
  }

  /** The one number of a constant. */
  async number(index: number): Promise<number | null> {
    const { type, shape, data } = this.tensor(index);
    if (!data || !type.dtype || shape.some((dim) => dim !== 1)) return null;
    const stored = { key: this.key(index), range: data, shape: [1], dtype: type.dtype, bits: type.bits };
    return (await new TfliteArray(this.file.buffer.file, this.file.path, stored).read())[0];
  }

  /** The numbers of another subgraph's constant. */
  elsewhere(name: string, { type, shape, data }: Tensor): { array: string } | null {
    if (!data || !type.dtype) return null;
    return this.add({ key: name, range: data, shape, dtype: type.dtype, bits: type.bits });
  }

  /** What contradicts itself in a node. */
  refuse({ index, name }: Operator, message: string): InputError {
    return this.file.buffer.refuse(['subgraphs', 0, 'operators', index, name], message);
  }

  /** Of a constant of several scales. */
  async zeroPointsAreZero(index: number): Promise<boolean> {
    const { single, zeroPoint } = this.tensor(index).quantization!;
    if (single) return single.zeroPoint === 0;
    const stored = {
      key: this.key(index),
      range: zeroPoint,
      shape: [zeroPoint.count],
      dtype: 'int64',
      bits: 64,
    } as const;
    const zeros = await new TfliteArray(this.file.buffer.file, this.file.path, stored).read();
    return zeros.every((zero) => zero === 0);
  }

  private ofChannels(index: number, name: string, range: VectorRange, stored: Pick<StoredNumbers, 'dtype' | 'bits'>) {
    return this.add({ key: `${this.key(index)} ${name}`, range, shape: [range.count], ...stored });
  }

  private add(stored: StoredNumbers): { array: string } {
    this.arrays.set(stored.key, new TfliteArray(this.file.buffer.file, this.file.path, stored));
    return { array: stored.key };
  }
}

function nonEmpty(shape: number[]): number[] {
  return shape.length === 0 ? [1] : shape;
}

function keysOf(tensors: readonly Tensor[]): string[] {
  const count = new Map<string, number>();
  for (const { name } of tensors) count.set(name, (count.get(name) ?? 0) + 1);
  return tensors.map(({ name, index }) => (name !== '' && count.get(name) === 1 ? name : `${name}#${index}`));
}

/**
 * How many samples a call has: what the first dimensions of all values share. A graph on [4, 8] has four; one that reshapes [3, 40]
 * to [1, 120] has one.
 */
function batchOf({ tensors, inputs, operators }: SubGraph, sizes: ReadonlyMap<number, string>): number {
  const computed = [...inputs, ...operators.flatMap(({ outputs }) => outputs)].filter((index) => !sizes.has(index));
  const values = computed.map((index) => tensors[index]);
  const firsts = values.filter(({ data, shape }) => data === null && shape.length > 0).map(({ shape }) => shape[0]);
  return firsts.reduce(greatestCommonDivisor, 0) || 1;
}
