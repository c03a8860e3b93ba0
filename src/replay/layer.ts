import type { Matrix } from '../nouns/array.js';
import type { Codes, Kernel, Linear } from '../nouns/kernel.js';
import type { Layer, LinearDynamicLayer, LinearLayer, PointwiseLayer } from '../nouns/model.js';
import type { QuantParams, ValueParams } from '../nouns/value.js';
import { isQuantized } from '../nouns/value.js';
import { type Replayed, replayLinear, replayLinearDynamic } from './linear.js';

/** A layer ready to be replayed: weights in memory, the input's parameters known. */
export interface ReadyLayer {
  readonly layer: Layer;
  readonly input: ValueParams;
  /** int8 [outFeatures, inFeatures] of linear layers, otherwise null. */
  readonly weight: Int8Array | null;
}

/** Why a layer cannot be replayed under this kernel, or null. */
export function whyNotReplayed(kernel: Kernel, layer: Layer, input: ValueParams | null): string | null {
  if (layer.op === 'opaque') return `op ${layer.declaredOp} is not replayed`;
  if (!input) return 'the quantization parameters of its input are not in the model';
  if (layer.op === 'linear_dynamic' && !kernel.dynamic) return `kernel ${kernel.name} has no dynamic linear`;
  return null;
}

/**
 * Replays one layer on a block of samples, x: [rows, features] of the layer's input.
 * dynamicInput: the parameters a dynamic linear layer chose for the batch these samples belong to.
 */
export function replayLayer(kernel: Kernel, ready: ReadyLayer, x: Matrix, dynamicInput?: QuantParams): Replayed {
  const { layer } = ready;
  switch (layer.op) {
    case 'linear':
      return replayLinear(kernel, linearOf(ready, layer, quantized(ready.input)), x as Codes);
    case 'linear_dynamic': {
      const linear = linearOf(ready, layer, quantized(dynamicInput ?? null));
      return replayLinearDynamic(kernel, linear, quantizeBlock(kernel.dynamic!.quantize.prepare(linear.input), x));
    }
    case 'relu':
    case 'relu6':
    case 'identity':
      return pointwise(x, pointwiseFunction(kernel, layer), layer.output);
    case 'quantize':
      return pointwise(x, kernel.quantize.prepare(layer.output), layer.output);
    case 'dequantize':
      return pointwise(x, kernel.dequantize.prepare(quantized(ready.input)), layer.output);
    case 'opaque':
      throw new Error(`${layer.declaredOp} is not replayed`);
  }
}

/** The layer with its numbers: what kernels read and causes change. */
export function linearOf(ready: ReadyLayer, layer: LinearLayer | LinearDynamicLayer, input: QuantParams): Linear {
  const { perChannel, weightScale, weightZeroPoint, bias, biasInt32, activation, output } = layer;
  const { outFeatures, inFeatures } = layer.weight;
  const params = { perChannel, weightScale, weightZeroPoint, bias, biasInt32, activation, output };
  return { ...params, outFeatures, inFeatures, weight: ready.weight!, input };
}

function pointwiseFunction(kernel: Kernel, layer: PointwiseLayer): (value: number) => number {
  if (layer.op === 'identity') return (value) => value;
  if (!isQuantized(layer.output)) {
    const upper = layer.op === 'relu6' ? 6 : Number.POSITIVE_INFINITY;
    return (real) => Math.min(Math.max(real, 0), upper);
  }
  const { zeroPoint } = layer.output;
  const upper = layer.op === 'relu6' ? kernel.relu6(layer.output) : layer.output.quantMax;
  return (code) => Math.min(Math.max(code, zeroPoint), upper);
}

function pointwise(x: Matrix, apply: (value: number) => number, output: ValueParams): Replayed {
  const data = isQuantized(output) ? new Int32Array(x.data.length) : new Float32Array(x.data.length);
  for (let i = 0; i < data.length; i++) data[i] = apply(x.data[i]);
  return { rows: x.rows, cols: x.cols, data, low: null, high: null, accumulator: null, overflowed: 0 };
}

function quantizeBlock(quantize: (real: number) => number, x: Matrix): Codes {
  return { rows: x.rows, cols: x.cols, data: Int32Array.from(x.data, quantize) };
}

function quantized(params: ValueParams | null): QuantParams {
  if (!params || !isQuantized(params)) throw new Error('expected quantized values');
  return params;
}
