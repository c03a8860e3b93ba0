import { openFile } from '../load/bytes.js';
import type { FileSystem } from '../nouns/file.js';

/** What a model file is. */
export type ModelKind = 'json' | 'onnx' | 'tflite';

const HEAD_BYTES = 64;

/** Tags that a model.onnx begins with: ir_version, producer_name, producer_version, graph, opset_import. */
const ONNX_TAGS = [0x08, 0x12, 0x1a, 0x3a, 0x42];

/** Told by the first bytes; by the name only where they do not tell (a file that is cut short). Throws InputError. */
export async function kindOf(fs: FileSystem, path: string): Promise<ModelKind> {
  const file = await openFile(fs, path);
  try {
    const head = new Uint8Array(HEAD_BYTES);
    return byContent(head.subarray(0, await file.read(head, 0))) ?? byName(path);
  } finally {
    await file.close();
  }
}

/** JSON has no control characters but white space, zip files begin with PK; protobuf's tags and lengths are such characters. */
function byContent(head: Uint8Array): ModelKind | null {
  const latin1 = Buffer.from(head).toString('latin1');
  if (latin1.slice(4, 8) === 'TFL3') return 'tflite';
  if (latin1.startsWith('PK')) return 'json';
  const control = head.some((byte) => byte < 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d);
  // a FlatBuffer of another identifier begins with a small offset
  const isOffset = head[2] === 0 && head[3] === 0;
  if (control) return ONNX_TAGS.includes(head[0]) && !isOffset ? 'onnx' : null;
  return /^[{["]/.test(latin1.replace(/^\xef\xbb\xbf/, '').trimStart()) ? 'json' : null;
}

function byName(path: string): ModelKind {
  const name = path.toLowerCase();
  return name.endsWith('.onnx') ? 'onnx' : name.endsWith('.tflite') ? 'tflite' : 'json';
}
