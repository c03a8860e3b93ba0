import type { FileSystem } from '../nouns/file.js';
import type { Producer } from '../nouns/model.js';
import { readCarried } from './carried.js';
import type { ModelFile, RanBy } from './modelFile.js';

/** A kind of file in model.json's place. */
export interface FrontEnd {
  readonly kind: NonNullable<Producer['file']>;
  readonly extension: string;
  /** Told by the first bytes of the file. */
  recognizes(head: Uint8Array): boolean;
  /** Loaded where such a file is read. Turns it into model.json's raw nodes: validation stays the only judge. */
  load(): Promise<(fs: FileSystem, path: string, ranBy: RanBy) => Promise<ModelFile>>;
}

/** Tags that a model.onnx begins with: ir_version, producer_name, producer_version, graph, opset_import. */
const ONNX_TAGS = [0x08, 0x12, 0x1a, 0x3a, 0x42];

/** The first that recognizes a file reads it. */
export const frontEnds: readonly FrontEnd[] = [
  {
    kind: 'tflite',
    extension: '.tflite',
    recognizes: (head) => Buffer.from(head.subarray(4, 8)).toString('latin1') === 'TFL3',
    load: async () => (await import('./tflite/tflite.js')).readTflite,
  },
  {
    kind: 'onnx',
    extension: '.onnx',
    recognizes: (head) => ONNX_TAGS.includes(head[0]) && hasControl(head),
    load: async () => (await import('./onnx/open.js')).readOnnx,
  },
  {
    kind: 'npz',
    extension: '.npz',
    recognizes: (head) => Buffer.from(head.subarray(0, 2)).toString('latin1') === 'PK',
    load: async () => readCarried,
  },
];

/** Text has no control characters but white space; protobuf's tags and lengths are such characters. */
export function hasControl(head: Uint8Array): boolean {
  return head.some((byte) => byte < 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d);
}
