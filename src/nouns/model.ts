/** The model as its file declares it: values, and the layers that compute them. */
import type { Warning } from './problem.js';
import type { FloatParams, QuantParams, ValueParams } from './value.js';

export interface ModelInput {
  readonly name: string;
  readonly params: ValueParams;
}

/** int8 weights [outFeatures, inFeatures], read when their layer's turn comes. */
export interface WeightSource {
  readonly outFeatures: number;
  readonly inFeatures: number;
  read(): Promise<Int8Array>;
}

/** What a linear layer adds besides its weights. Scales and zero points have length 1 (per tensor) or outFeatures (per channel). */
export interface LinearParams {
  readonly perChannel: boolean;
  readonly weightScale: Float64Array;
  readonly weightZeroPoint: Int32Array;
  /** float32 bias [outFeatures] in real units, or null. */
  readonly bias: Float32Array | null;
  /** int32 bias [outFeatures] in accumulator units, or null. At most one of the two is set. */
  readonly biasInt32: Int32Array | null;
  /** Fused into the requantization. */
  readonly activation: 'none' | 'relu';
}

interface LayerBase {
  readonly name: string;
  /** Name of the value this layer reads. */
  readonly input: string;
}

export interface LinearLayer extends LayerBase, LinearParams {
  readonly op: 'linear';
  readonly weight: WeightSource;
  readonly output: ValueParams;
}

export interface LinearDynamicLayer extends LayerBase, LinearParams {
  readonly op: 'linear_dynamic';
  readonly weight: WeightSource;
  readonly reduceRange: boolean;
  readonly output: FloatParams;
}

/** relu, relu6 (codes to codes, same scale), identity. */
export interface PointwiseLayer extends LayerBase {
  readonly op: 'relu' | 'relu6' | 'identity';
  readonly output: ValueParams;
}

export interface QuantizeLayer extends LayerBase {
  readonly op: 'quantize';
  readonly output: QuantParams;
}

export interface DequantizeLayer extends LayerBase {
  readonly op: 'dequantize';
  readonly output: FloatParams;
}

/** An op that qdiff does not replay; its captured output feeds the next layer. */
export interface OpaqueLayer extends LayerBase {
  readonly op: 'opaque';
  /** The op as the file names it. */
  readonly declaredOp: string;
  readonly output: ValueParams | null;
}

export type Layer = LinearLayer | LinearDynamicLayer | PointwiseLayer | QuantizeLayer | DequantizeLayer | OpaqueLayer;

/** Whether a layer has weights. */
export function isLinear(layer: Layer): layer is LinearLayer | LinearDynamicLayer {
  return layer.op === 'linear' || layer.op === 'linear_dynamic';
}

export interface Producer {
  readonly framework?: string;
  readonly frameworkVersion?: string;
  readonly flow?: string;
  readonly engine?: string;
  readonly kernel?: string;
  readonly arch?: string;
  readonly cpuCapability?: string;
  readonly avx512Vnni?: boolean;
  readonly avxVnni?: boolean;
  readonly environment?: ReadonlyMap<string, string>;
}

export interface Model {
  readonly path: string;
  readonly producer: Producer;
  readonly inputs: readonly ModelInput[];
  /** In execution order. */
  readonly layers: readonly Layer[];
  readonly warnings: readonly Warning[];
}
