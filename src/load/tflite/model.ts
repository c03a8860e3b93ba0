/** A .tflite as its file says it: the graph, and where the bytes of constants lie. */
import type { ByteRange, FlatBuffer, VectorRange } from '../flatbuffer.js';
import type { TensorType } from './types.js';

export interface Quantization {
  /** float32, one or one for each index of the axis. */
  readonly scale: VectorRange;
  /** int64, as many as scales. */
  readonly zeroPoint: VectorRange;
  readonly axis: number;
  /** Of a tensor with one scale, as float32 and int64 say them; null: several. */
  readonly single: { readonly scale: number; readonly zeroPoint: number } | null;
}

export interface Tensor {
  readonly index: number;
  /** May be empty, and another's too. */
  readonly name: string;
  readonly type: TensorType;
  readonly shape: readonly number[];
  /** -1: an axis that the file leaves open; empty where there is none. */
  readonly signature: readonly number[];
  /** An axis besides the first is only known when the graph runs. */
  readonly isDynamic: boolean;
  readonly quantization: Quantization | null;
  /** Bytes of a constant; null: computed, or an input. */
  readonly data: ByteRange | null;
  /** What is not read of it: `sparse`, `quantized in blocks`, `in another file`. */
  readonly unusual: string | null;
}

export type Option = number | string;

export interface Operator {
  readonly index: number;
  /** The schema's: `FULLY_CONNECTED`. */
  readonly name: string;
  /** Of CUSTOM. */
  readonly customCode: string;
  /** Tensors; -1: left out. */
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  /** Tensors that hold no value: what an LSTM's parts are quantized with. */
  readonly intermediates: readonly number[];
  /** By their names in operators.ts, defaults filled in. */
  readonly options: ReadonlyMap<string, Option>;
}

export interface SubGraph {
  readonly tensors: readonly Tensor[];
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  /** In the order in which they run. */
  readonly operators: readonly Operator[];
}

export interface TfliteFile {
  readonly path: string;
  readonly buffer: FlatBuffer;
  /** The first runs; others are run by its operators. */
  readonly subgraphs: readonly SubGraph[];
  close(): Promise<void>;
}
