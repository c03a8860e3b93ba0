/** The messages of onnx.proto. Fields that are not read are skipped: graphs of If and Loop, functions, texts, training. */
import type { RandomAccessFile } from '../../nouns/file.js';
import { printable } from '../../text.js';
import { BYTES, type ByteRange, FIXED32, FIXED64, type Field, Protobuf, VARINT } from '../protobuf.js';
import { refuse } from '../refuse.js';
import { after, Messages, type Pending } from './messages.js';
import type { OnnxAttribute, OnnxModel, OnnxNode, OnnxTensor, OnnxValueInfo, TensorData } from './proto.js';

/** What one file may have of each: real networks have a hundredth of it. */
const MOST_NODES = 1_000_000;
const MOST_DIMS = 16;
const MOST_NUMBERS = 1 << 16;
const MOST_PIECES = 1 << 12;

/** The graph of an ONNX file, without the numbers of its tensors. Throws InputError. */
export async function readOnnxModel(file: RandomAccessFile, path: string): Promise<OnnxModel> {
  return new OnnxReader(new Protobuf(file, printable(path))).model(file.size, path);
}

class OnnxReader extends Messages {
  private readonly graph = {
    nodes: [] as OnnxNode[],
    initializers: [] as OnnxTensor[],
    inputs: [] as OnnxValueInfo[],
    outputs: [] as OnnxValueInfo[],
    valueInfo: [] as OnnxValueInfo[],
    sparseInitializers: 0,
  };

  async model(size: number, path: string): Promise<OnnxModel> {
    const { wire, graph } = this;
    const model = { producerName: '', producerVersion: '', functions: 0, graphs: 0 };
    const opsets = new Map<string, number>();
    const table = {
      2: this.set(model, 'producerName', this.text),
      3: this.set(model, 'producerVersion', this.text),
      7: (field: Field) => {
        model.graphs++;
        return this.readGraph(field);
      },
      8: (field: Field) => this.readOpset(field, opsets),
      25: this.set(model, 'functions', () => model.functions + 1),
    };
    await this.visit({ start: 0, end: size }, table);
    const { graphs, ...rest } = model;
    if (graphs > 0) return { path, ...rest, opsets, graph };
    throw refuse(
      'onnx',
      wire.where,
      'expected an ONNX model, got one without a graph; the file was cut off or is none',
    );
  }

  private readOpset(field: Field, opsets: Map<string, number>): Pending {
    const opset = { domain: '', version: 0 };
    const table = { 1: this.set(opset, 'domain', this.text), 2: this.set(opset, 'version', this.int) };
    return after(this.message(field, table), () => {
      opsets.set(plainDomain(opset.domain), opset.version);
    });
  }

  private readGraph(field: Field): Pending {
    const { graph } = this;
    return this.message(field, {
      1: (f) => this.readNode(f),
      5: (f) => this.readTensor(f, (tensor) => graph.initializers.push(tensor)),
      11: (f) => this.readValueInfo(f, graph.inputs),
      12: (f) => this.readValueInfo(f, graph.outputs),
      13: (f) => this.readValueInfo(f, graph.valueInfo),
      15: this.set(graph, 'sparseInitializers', () => graph.sparseInitializers + 1),
    });
  }

  private readNode(field: Field): Pending {
    const { nodes } = this.graph;
    if (nodes.length >= MOST_NODES)
      throw this.wire.damaged(field.start, `expected at most ${MOST_NODES} nodes, got more`);
    const node = {
      name: '',
      opType: '',
      domain: '',
      inputs: NONE,
      outputs: NONE,
      attributes: NONE,
    } as Writable<OnnxNode>;
    const table = {
      1: this.set(node, 'inputs', (f) => appended(node.inputs, this.text(f))),
      2: this.set(node, 'outputs', (f) => appended(node.outputs, this.text(f))),
      3: this.set(node, 'name', this.text),
      4: this.set(node, 'opType', this.text),
      5: (f: Field) =>
        this.readAttribute(f, (attribute) => {
          node.attributes = appended(node.attributes, attribute);
        }),
      7: this.set(node, 'domain', (f) => plainDomain(this.text(f))),
    };
    return after(this.message(field, table), () => {
      nodes.push(node);
    });
  }

  private readAttribute(field: Field, done: (attribute: OnnxAttribute) => void): Pending {
    const none = {
      name: '',
      f: null,
      i: null,
      s: null,
      t: null,
      floats: NONE,
      ints: NONE,
      strings: NONE,
      graph: false,
    };
    const found: Writable<OnnxAttribute> = none;
    const table = {
      1: this.set(found, 'name', this.text),
      2: this.set(found, 'f', this.float),
      3: this.set(found, 'i', this.int),
      4: this.set(found, 's', (f) => this.shortText(f)),
      5: (f: Field) =>
        this.readTensor(f, (tensor) => {
          found.t = tensor;
        }),
      6: this.set(found, 'graph', () => true),
      7: this.set(found, 'floats', (f) => this.joined(found.floats, this.wire.floats(f), f)),
      8: this.set(found, 'ints', (f) => this.joined(found.ints, this.wire.ints(f), f)),
      9: this.set(found, 'strings', (f) => appended(found.strings, this.shortText(f))),
      11: this.set(found, 'graph', () => true),
    };
    return after(this.message(field, table), () => done(found));
  }

  /** An attribute's text may be a whole document, and any bytes: of those nothing is read. */
  private shortText(field: Field): string {
    return field.end - field.start > MOST_NUMBERS ? '' : this.wire.bytes(field).toString('utf8');
  }

  private joined(list: number[], numbers: number[], field: Field): number[] {
    if (list.length === 0) return numbers;
    if (list.length + numbers.length > MOST_NUMBERS) {
      throw this.wire.damaged(field.start, `expected at most ${MOST_NUMBERS} numbers in an attribute, got more`);
    }
    for (const number of numbers) list.push(number);
    return list;
  }

  private readTensor(field: Field, done: (tensor: OnnxTensor) => void): Pending {
    const tensor = { name: '', dims: [] as number[], dataType: 0 };
    const found = { raw: null as ByteRange | null, external: false };
    const pieces: ByteRange[] = [];
    const entries = new Map<string, string>();
    const piece = (wire: number) => (f: Field) => this.addPiece(f, wire, pieces);
    const table = {
      1: (f: Field) => this.readDims(f, tensor.dims),
      2: this.set(tensor, 'dataType', this.int),
      4: piece(FIXED32),
      5: piece(VARINT),
      7: piece(VARINT),
      8: this.set(tensor, 'name', this.text),
      9: this.set(found, 'raw', (f) => {
        this.wire.expect(f, BYTES);
        return { start: f.start, end: f.end };
      }),
      10: piece(FIXED64),
      11: piece(VARINT),
      13: (f: Field) => this.readEntry(f, entries),
      14: this.set(found, 'external', (f) => this.int(f) === 1),
    };
    const data = (): TensorData => {
      if (found.external) return { kind: 'external', entries };
      return found.raw ? { kind: 'raw', range: found.raw } : { kind: 'typed', pieces };
    };
    return after(this.message(field, table), () => done({ ...tensor, data: data() }));
  }

  private addPiece(field: Field, wire: number, pieces: ByteRange[]): void {
    this.wire.expect(field, BYTES, wire);
    if (pieces.length >= MOST_PIECES) throw this.wire.damaged(field.start, 'expected packed numbers, got single ones');
    pieces.push({ start: field.start, end: field.end });
  }

  private readDims(field: Field, dims: number[]): void {
    const bytes = field.end - field.start;
    const numbers = field.wire === BYTES && bytes > MOST_DIMS * 10 ? [] : this.wire.ints(field);
    if (dims.length + numbers.length > MOST_DIMS || (numbers.length === 0 && bytes > 0)) {
      const expected = `expected at most ${MOST_DIMS} dimensions`;
      throw this.wire.damaged(field.start, `${expected}, got more (${bytes} bytes of them)`);
    }
    dims.push(...numbers);
  }

  private readEntry(field: Field, entries: Map<string, string>): Pending {
    const entry = { key: '', value: '' };
    const table = { 1: this.set(entry, 'key', this.text), 2: this.set(entry, 'value', this.text) };
    return after(this.message(field, table), () => {
      entries.set(entry.key, entry.value);
    });
  }

  private readValueInfo(field: Field, into: OnnxValueInfo[]): Pending {
    const found = { name: '', elemType: 0, dims: null as (number | null)[] | null };
    const shape = (f: Field) => {
      const dims = found.dims ?? [];
      found.dims = dims;
      return this.message(f, { 1: (dim) => this.readDim(dim, dims) });
    };
    const tensor = (f: Field) => this.message(f, { 1: this.set(found, 'elemType', this.int), 2: shape });
    const table = { 1: this.set(found, 'name', this.text), 2: (f: Field) => this.message(f, { 1: tensor }) };
    return after(this.message(field, table), () => {
      into.push(found);
    });
  }

  private readDim(field: Field, dims: (number | null)[]): Pending {
    if (dims.length >= MOST_DIMS) {
      throw this.wire.damaged(field.start, `expected at most ${MOST_DIMS} dimensions, got more`);
    }
    const dim = { value: null as number | null };
    return after(this.message(field, { 1: this.set(dim, 'value', this.int) }), () => {
      dims.push(dim.value);
    });
  }
}

type Writable<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer E)[] ? E[] : T[K] };

/** Shared by all nodes that have none: a million empty nodes are a million objects, not four. */
const NONE: never[] = [];

function appended<T>(list: T[], item: T): T[] {
  if (list === NONE) return [item];
  list.push(item);
  return list;
}

function plainDomain(domain: string): string {
  return domain === 'ai.onnx' ? '' : domain;
}
