import { openFile } from '../load/bytes.js';
import type { FileSystem } from '../nouns/file.js';

/** What a model file is. */
export type ModelKind = 'json' | 'onnx';

const HEAD_BYTES = 64;

/** Tags that a model.onnx begins with: ir_version, producer_name, producer_version, graph, opset_import. */
const ONNX_TAGS = [0x08, 0x12, 0x1a, 0x3a, 0x42];

/** Told by the first bytes; by the name only where they do not tell (a file that is cut short). Throws InputError. */
export async function kindOf(fs: FileSystem, path: string): Promise<ModelKind> {
  const file = await openFile(fs, path);
  try {
    const head = new Uint8Array(HEAD_BYTES);
    return isOnnx(head.subarray(0, await file.read(head, 0)), path) ? 'onnx' : 'json';
  } finally {
    await file.close();
  }
}

/** JSON has no control characters but white space, zip files begin with PK; protobuf's tags and lengths are such characters. */
function isOnnx(head: Uint8Array, path: string): boolean {
  const named = path.toLowerCase().endsWith('.onnx');
  if (head.length === 0 || (head[0] === 0x50 && head[1] === 0x4b)) return named && head.length === 0;
  const control = head.some((byte) => byte < 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d);
  const text = Buffer.from(head)
    .toString('latin1')
    .replace(/^\xef\xbb\xbf/, '')
    .trimStart();
  const json = /^[{["]/.test(text) && !control;
  return (control && ONNX_TAGS.includes(head[0])) || (named && !json);
}
