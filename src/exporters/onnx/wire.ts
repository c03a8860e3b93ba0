/** An ONNX file changed without being understood: what protobuf merges is appended, the rest is copied as it is. */
import { openFile } from '../../load/bytes.js';
import { type Field, Protobuf } from '../../load/protobuf.js';
import type { FileSystem } from '../../nouns/file.js';

const MODEL_GRAPH = 7;
const GRAPH_NODE = 1;
const GRAPH_OUTPUT = 12;
const NODE_NAME = 3;
const VALUE_INFO_NAME = 1;

/** The file with nodes called by their number: of a field that comes twice the last one holds. */
export async function withNodeNames(
  fs: FileSystem,
  path: string,
  bytes: Buffer,
  nameOf: (index: number) => string,
): Promise<Buffer> {
  const file = await openFile(fs, path);
  const wire = new Protobuf(file, path);
  let index = 0;
  const graph = (field: Field) =>
    rewritten(wire, bytes, field, (node) =>
      node.number === GRAPH_NODE
        ? [bytes.subarray(node.start, node.end), message(NODE_NAME, Buffer.from(nameOf(index++)))]
        : null,
    );
  try {
    const whole = { start: 0, end: file.size };
    return Buffer.concat(
      await rewritten(wire, bytes, whole, (field) => (field.number === MODEL_GRAPH ? graph(field) : null)),
    );
  } finally {
    await file.close();
  }
}

/** The file with more outputs: a graph that follows is merged into the one before it. */
export function withOutputs(bytes: Buffer, names: readonly string[]): Buffer {
  const outputs = names.map((name) => message(GRAPH_OUTPUT, message(VALUE_INFO_NAME, Buffer.from(name))));
  return Buffer.concat([bytes, message(MODEL_GRAPH, Buffer.concat(outputs))]);
}

type Replaced = Buffer[] | null | Promise<Buffer[]>;

/** The fields of a message; those that `replace` takes with its payload. */
async function rewritten(
  wire: Protobuf,
  bytes: Buffer,
  range: { start: number; end: number },
  replace: (field: Field) => Replaced,
): Promise<Buffer[]> {
  const parts: Buffer[] = [];
  const fields: Field[] = [];
  const pending = wire.message(range, (field) => void fields.push(field));
  if (pending) await pending;
  let at = range.start;
  for (const field of fields) {
    const payload = await replace(field);
    parts.push(payload ? message(field.number, Buffer.concat(payload)) : bytes.subarray(at, field.end));
    at = field.end;
  }
  return parts;
}

function message(number: number, payload: Buffer): Buffer {
  return Buffer.concat([varint(number * 8 + 2), varint(payload.length), payload]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (; value > 0x7f; value = Math.floor(value / 128)) bytes.push((value % 128) | 0x80);
  return Buffer.from([...bytes, value]);
}
