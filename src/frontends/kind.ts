import { openFile } from '../load/bytes.js';
import { refuse } from '../load/refuse.js';
import type { FileSystem } from '../nouns/file.js';
import { printable } from '../text.js';
import { type FrontEnd, frontEnds, hasControl } from './registry.js';

/** What a model file is. */
export type ModelKind = 'json' | FrontEnd['kind'];

const HEAD_BYTES = 64;

/** Told by the first bytes; by the name only where they do not tell (a file that is cut short). Throws InputError. */
export async function kindOf(fs: FileSystem, path: string): Promise<ModelKind> {
  const file = await openFile(fs, path);
  try {
    const head = new Uint8Array(HEAD_BYTES);
    const kind = byContent(head.subarray(0, await file.read(head, 0)));
    if (kind === null || kind === 'npz') refuseOthers(path);
    return kind ?? byName(path);
  } finally {
    await file.close();
  }
}

function byContent(head: Uint8Array): ModelKind | null {
  const found = frontEnds.find((frontEnd) => frontEnd.recognizes(head));
  return found?.kind ?? (isJson(head) ? 'json' : null);
}

const CONVERTED = 'hand in the .onnx or .tflite that it was made from, and what it computes with --candidate';

/** Model files that hold no arithmetic of one known runtime, and what is handed in instead. */
const OTHERS: readonly (readonly [ending: RegExp, what: string, instead: string])[] = [
  [
    /\.(pt|pth|pt2|ckpt)$/,
    'a file of torch.save',
    'qdiff exporter pytorch > qdiff_export.py; python qdiff_export.py --model FILE --inputs x.npy --out out',
  ],
  [
    /\.(h5|hdf5|keras|pb)$/,
    'a model of Keras or TensorFlow',
    'convert it with tf.lite.TFLiteConverter and hand in the .tflite',
  ],
  [/\.py$/, 'a Python file', 'qdiff run FILE.py:NAME INPUTS runs the quantized module NAME of it'],
  [/\.(xml|engine|plan|trt|param|mnn|rknn|dlc|om|nb|gguf|safetensors|mlmodel)$/, "a runtime's own format", CONVERTED],
];

/** Throws where the name says what the content does not. */
function refuseOthers(path: string): void {
  const other = OTHERS.find(([ending]) => ending.test(path.toLowerCase()));
  if (other)
    throw refuse('format', printable(path), `expected model.json, .onnx or .tflite, got ${other[1]}; ${other[2]}`);
}

/** A zip file too: reading it as JSON says what it is. */
function isJson(head: Uint8Array): boolean {
  const latin1 = Buffer.from(head).toString('latin1');
  if (latin1.startsWith('PK')) return true;
  return !hasControl(head) && /^(?:[{[]|"(?!""))/.test(latin1.replace(/^\xef\xbb\xbf/, '').trimStart());
}

function byName(path: string): ModelKind {
  const name = path.toLowerCase();
  return frontEnds.find(({ extension }) => name.endsWith(extension))?.kind ?? 'json';
}
