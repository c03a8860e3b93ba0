/** What an ONNX file says, as far as it is read: names, numbers, and where the numbers of tensors are. */
import type { ByteRange } from '../protobuf.js';

export interface OnnxModel {
  readonly path: string;
  readonly producerName: string;
  readonly producerVersion: string;
  /** Version by domain; '' is ONNX's own. */
  readonly opsets: ReadonlyMap<string, number>;
  readonly graph: OnnxGraph;
  /** Of the model's own functions, which are not entered. */
  readonly functions: number;
}

export interface OnnxGraph {
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxTensor[];
  readonly inputs: readonly OnnxValueInfo[];
  readonly outputs: readonly OnnxValueInfo[];
  readonly valueInfo: readonly OnnxValueInfo[];
  readonly sparseInitializers: number;
}

export interface OnnxNode {
  readonly name: string;
  readonly opType: string;
  /** '' is ONNX's own, also where the file says ai.onnx. */
  readonly domain: string;
  /** Names of tensors; '' for one that is left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: readonly OnnxAttribute[];
}

export interface OnnxAttribute {
  readonly name: string;
  readonly f: number | null;
  readonly i: number | null;
  readonly s: string | null;
  readonly t: OnnxTensor | null;
  readonly floats: readonly number[];
  readonly ints: readonly number[];
  readonly strings: readonly string[];
  /** Holds a graph (If, Loop), which is not entered. */
  readonly graph: boolean;
}

export interface OnnxTensor {
  readonly name: string;
  readonly dims: readonly number[];
  /** TensorProto.DataType. */
  readonly dataType: number;
  readonly data: TensorData;
}

/** Where the numbers are. */
export type TensorData =
  | { readonly kind: 'raw'; readonly range: ByteRange }
  /** float_data, int32_data ...: pieces of packed numbers, or single ones. */
  | { readonly kind: 'typed'; readonly pieces: readonly ByteRange[] }
  | { readonly kind: 'external'; readonly entries: ReadonlyMap<string, string> };

export interface OnnxValueInfo {
  readonly name: string;
  /** TensorProto.DataType; 0 where it is no tensor. */
  readonly elemType: number;
  /** null where the rank is not known; a null dimension has no number. */
  readonly dims: readonly (number | null)[] | null;
}
