/** ONNX's operators by the names that model.json has for them. */
import type { GraphNode } from './graph.js';

const OPS = new Map([
  ['Add', 'add'],
  ['Sub', 'sub'],
  ['Mul', 'mul'],
  ['Div', 'div'],
  ['Max', 'maximum'],
  ['Min', 'minimum'],
  ['Relu', 'relu'],
  ['Clip', 'clamp'],
  ['Sigmoid', 'sigmoid'],
  ['HardSigmoid', 'hardsigmoid'],
  ['HardSwish', 'hardswish'],
  ['Swish', 'silu'],
  ['LeakyRelu', 'leaky_relu'],
  ['PRelu', 'prelu'],
  ['LogSoftmax', 'log_softmax'],
  ['Concat', 'cat'],
  ['Transpose', 'permute'],
  ['Cast', 'to'],
  ['ReduceMean', 'mean'],
  ['ReduceMax', 'amax'],
  ['ReduceMin', 'amin'],
  ['ReduceSum', 'sum'],
  ['Greater', 'gt'],
  ['GreaterOrEqual', 'ge'],
  ['Less', 'lt'],
  ['LessOrEqual', 'le'],
  ['Equal', 'eq'],
  ['Gemm', 'linear'],
  ['MatMul', 'matmul'],
  ['FusedMatMul', 'matmul'],
  ['BatchNormalization', 'batch_norm'],
  ['DepthToSpace', 'pixel_shuffle'],
  ['Resize', 'interpolate'],
  ['GroupNormalization', 'group_norm'],
  ['LayerNormalization', 'layer_norm'],
  ['RMSNormalization', 'rms_norm'],
  ['SimplifiedLayerNormalization', 'rms_norm'],
  ['InstanceNormalization', 'instance_norm'],
  ['QuantizeLinear', 'quantize'],
  ['DequantizeLinear', 'dequantize'],
  ['DynamicQuantizeLinear', 'quantize_dynamic'],
]);

/** Of another domain, its own name with the domain; else PyTorch's, or ONNX's in snake_case. */
export function opName({ opType, domain }: GraphNode): string {
  if (domain !== '') return `${domain}.${opType}`;
  return OPS.get(opType) ?? (snakeCase(opType) || 'unknown');
}

function snakeCase(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1_$2')
    .toLowerCase();
}
