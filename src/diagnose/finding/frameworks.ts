/** Who computed a capture: what people call it, and which kernels are its own. */
import { kernelNamed } from '../../kernels/named.js';
import type { Kernel } from '../../nouns/kernel.js';
import type { Producer } from '../../nouns/model.js';
import { printable } from '../../text.js';

interface Framework {
  readonly name: string;
  /** Runtimes of its kernels; none: it has kernels, and no model of them is here. */
  readonly runtimes: readonly Kernel['runtime'][];
}

const LITE: Framework['runtimes'] = ['tflite', 'xnnpack'];

const FRAMEWORKS: ReadonlyMap<string, Framework> = new Map<string, Framework>([
  ['pytorch', { name: 'PyTorch', runtimes: ['pytorch'] }],
  ['onnxruntime', { name: 'ONNX Runtime', runtimes: ['onnxruntime'] }],
  ['ai-edge-litert', { name: 'LiteRT', runtimes: LITE }],
  ['litert', { name: 'LiteRT', runtimes: LITE }],
  ['tflite-runtime', { name: 'TFLite', runtimes: LITE }],
  ['tflite', { name: 'TFLite', runtimes: LITE }],
  ['tensorflow', { name: 'TensorFlow', runtimes: LITE }],
  ['tflite_micro', { name: 'TFLite Micro', runtimes: ['tflite', 'cmsis-nn'] }],
  ['tflm', { name: 'TFLite Micro', runtimes: ['tflite', 'cmsis-nn'] }],
  ['openvino', { name: 'OpenVINO', runtimes: [] }],
]);

/** By the producer's word or by its name. */
function known(framework: string | null | undefined): Framework | undefined {
  if (!framework) return undefined;
  return FRAMEWORKS.get(framework.toLowerCase()) ?? [...FRAMEWORKS.values()].find(({ name }) => name === framework);
}

/** Any other as it is written; null where nothing says so. */
export function frameworkName(framework: string | null | undefined): string | null {
  return framework ? (known(framework)?.name ?? printable(framework)) : null;
}

/** Whether its own kernels are what it runs; an NPU, RTL or firmware may do anything. */
export function isKnown(framework: string): boolean {
  return known(framework) !== undefined;
}

/** Engines and flows are PyTorch's; nothing declared means nothing known. */
export function frameworkOf({ framework, engine, flow }: Producer): string | null {
  return framework ?? (engine !== undefined || flow !== undefined ? 'pytorch' : null);
}

/** Whether a kernel is a framework's own; of one that is not known any may be. */
export function mayRun(framework: string | null | undefined, kernel: string): boolean {
  const runtimes = known(framework)?.runtimes;
  const runtime = kernelNamed(kernel)?.runtime;
  return runtimes === undefined || runtime === undefined || runtimes.includes(runtime);
}

/** Whether a kernel is known to be one of a framework's. */
export function isOf(framework: string | null | undefined, kernel: string): boolean {
  const runtime = kernelNamed(kernel)?.runtime;
  return runtime !== undefined && (known(framework)?.runtimes.includes(runtime) ?? false);
}
