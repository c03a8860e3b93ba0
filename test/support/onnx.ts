/** Writes ONNX files: protobuf's wire format by hand, so that wrong ones can be written too. */

export type Bytes = Uint8Array;

export function varint(value: number | bigint): Bytes {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  do {
    bytes.push(Number(rest & 0x7fn) | (rest > 0x7fn ? 0x80 : 0));
    rest >>= 7n;
  } while (rest > 0n);
  return Uint8Array.from(bytes);
}

export function join(...parts: readonly Bytes[]): Bytes {
  return Uint8Array.from(Buffer.concat(parts));
}

export function tag(field: number, wire: number): Bytes {
  return varint(field * 8 + wire);
}

export function int(field: number, value: number | bigint): Bytes {
  return join(tag(field, 0), varint(value));
}

export function float(field: number, value: number): Bytes {
  return join(tag(field, 5), new Uint8Array(Float32Array.of(value).buffer));
}

/** A text, a message, or packed numbers. */
export function bytes(field: number, content: Bytes | string): Bytes {
  const data = typeof content === 'string' ? Buffer.from(content, 'utf8') : content;
  return join(tag(field, 2), varint(data.length), data);
}

type Numbers = Int8Array | Uint8Array | Int32Array | Float32Array | Uint16Array | BigInt64Array;

const TYPES: Record<string, number> = {
  Float32Array: 1,
  Uint8Array: 2,
  Int8Array: 3,
  Uint16Array: 4,
  Int32Array: 6,
  BigInt64Array: 7,
};

/** With its bytes in raw_data. */
export function tensor(name: string, dims: readonly number[], numbers: Numbers, dataType?: number): Bytes {
  const type = dataType ?? TYPES[numbers.constructor.name];
  const raw = new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
  return join(bytes(1, join(...dims.map(varint))), int(2, type), bytes(8, name), bytes(9, raw));
}

export function external(name: string, dims: readonly number[], entries: Readonly<Record<string, string>>): Bytes {
  const pairs = Object.entries(entries).map(([key, value]) => bytes(13, join(bytes(1, key), bytes(2, value))));
  return join(bytes(1, join(...dims.map(varint))), int(2, 3), bytes(8, name), ...pairs, int(14, 1));
}

export type Attribute =
  | number
  | string
  | readonly number[]
  | { readonly strings: readonly string[] }
  | { readonly float: number }
  | { readonly tensor: Bytes };

function attribute(name: string, value: Attribute): Bytes {
  const own = bytes(1, name);
  if (typeof value === 'number') return join(own, int(3, value), int(20, 2));
  if (typeof value === 'string') return join(own, bytes(4, value), int(20, 3));
  if ('float' in value) return join(own, float(2, value.float), int(20, 1));
  if ('strings' in value) return join(own, ...value.strings.map((text) => bytes(9, text)), int(20, 8));
  if ('tensor' in value) return join(own, bytes(5, value.tensor), int(20, 4));
  return join(own, bytes(8, join(...value.map(varint))), int(20, 7));
}

/** 'Conv' or 'com.microsoft:QGemm'. */
export function node(
  op: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: Readonly<Record<string, Attribute>> = {},
  name = '',
): Bytes {
  const [type, domain = ''] = op.split(':').reverse();
  return join(
    ...inputs.map((input) => bytes(1, input)),
    ...outputs.map((output) => bytes(2, output)),
    bytes(3, name),
    bytes(4, type),
    ...Object.entries(attributes).map(([key, value]) => bytes(5, attribute(key, value))),
    ...(domain === '' ? [] : [bytes(7, domain)]),
  );
}

/** dims: a name is any length; null: nothing is said, not how many there are. */
export function valueInfo(name: string, elemType = 1, dims: readonly (number | string)[] | null = []): Bytes {
  const all = dims?.map((dim) => bytes(1, typeof dim === 'string' ? bytes(2, dim) : int(1, dim)));
  return join(bytes(1, name), bytes(2, bytes(1, join(int(1, elemType), ...(all ? [bytes(2, join(...all))] : [])))));
}

export interface GraphParts {
  readonly nodes?: readonly Bytes[];
  readonly initializers?: readonly Bytes[];
  readonly inputs?: readonly Bytes[];
  readonly outputs?: readonly Bytes[];
  readonly opsets?: Readonly<Record<string, number>>;
}

export function graph({ nodes = [], initializers = [], inputs = [], outputs = [] }: GraphParts): Bytes {
  return join(
    ...nodes.map((part) => bytes(1, part)),
    bytes(2, 'g'),
    ...initializers.map((part) => bytes(5, part)),
    ...inputs.map((part) => bytes(11, part)),
    ...outputs.map((part) => bytes(12, part)),
  );
}

export function model(parts: GraphParts): Bytes {
  const opsets = Object.entries(parts.opsets ?? { '': 17, 'com.microsoft': 1 });
  const imports = opsets.map(([domain, version]) => bytes(8, join(bytes(1, domain), int(2, version))));
  return join(int(1, 8), bytes(2, 'qdiff-test'), ...imports, bytes(7, graph(parts)));
}

/** x (float) -> Q -> DQ -> Gemm with int8 weights [2, 3] -> Q -> DQ: what a quantizer writes. */
export function gemmModel(change: GraphParts = {}, transB = 1): Bytes {
  return model({
    inputs: [valueInfo('x')],
    outputs: [valueInfo('y')],
    initializers: [
      ...scaled('x', 0.5, 3),
      ...scaled('y', 0.25, 0),
      tensor('w', [2, 3], Int8Array.of(1, -2, 3, -4, 5, -6)),
      tensor('w_scale', [2], Float32Array.of(0.125, 0.0625)),
      tensor('w_zero_point', [2], new Int8Array(2)),
    ],
    nodes: [
      node('QuantizeLinear', ['x', 'x_scale', 'x_zero_point'], ['xq']),
      node('DequantizeLinear', ['xq', 'x_scale', 'x_zero_point'], ['xd']),
      node('DequantizeLinear', ['w', 'w_scale', 'w_zero_point'], ['wd'], { axis: 0 }),
      node('Gemm', ['xd', 'wd'], ['g'], { transB }, 'fc'),
      node('QuantizeLinear', ['g', 'y_scale', 'y_zero_point'], ['yq']),
      node('DequantizeLinear', ['yq', 'y_scale', 'y_zero_point'], ['y']),
    ],
    ...change,
  });
}

/** NAME_scale and NAME_zero_point. */
export function scaled(
  name: string,
  scale: number,
  zeroPoint: number,
  Codes: typeof Uint8Array | typeof Int8Array = Uint8Array,
) {
  return [tensor(`${name}_scale`, [], Float32Array.of(scale)), tensor(`${name}_zero_point`, [], Codes.of(zeroPoint))];
}
