/** Who computed a capture, as people call it. */
import { printable } from '../text.js';

const NAMES: ReadonlyMap<string, string> = new Map([
  ['pytorch', 'PyTorch'],
  ['onnxruntime', 'ONNX Runtime'],
  ['ai-edge-litert', 'LiteRT'],
  ['litert', 'LiteRT'],
  ['tflite-runtime', 'TFLite'],
  ['tflite', 'TFLite'],
  ['tensorflow', 'TensorFlow'],
  ['tflite_micro', 'TFLite Micro'],
  ['tflm', 'TFLite Micro'],
  ['openvino', 'OpenVINO'],
]);

/** Any other as it is written; null where nothing says so. */
export function frameworkName(framework: string | null | undefined): string | null {
  return framework ? (NAMES.get(framework.toLowerCase()) ?? printable(framework)) : null;
}
