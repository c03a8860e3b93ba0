/** Writes .tflite files. */
import { type Field, type Fields, flatbuffer, type Written } from './flatbuffer.js';

export const TYPES = {
  float32: 0,
  float16: 1,
  int32: 2,
  uint8: 3,
  int64: 4,
  int16: 7,
  int8: 9,
  bool: 6,
  resource: 13,
  int4: 17,
};

export const CODES = {
  ADD: 0,
  AVERAGE_POOL_2D: 1,
  CONCATENATION: 2,
  CONV_2D: 3,
  DEPTHWISE_CONV_2D: 4,
  DEQUANTIZE: 6,
  FULLY_CONNECTED: 9,
  RELU6: 21,
  RESHAPE: 22,
  SVDF: 27,
  UNIDIRECTIONAL_SEQUENCE_RNN: 35,
  UNIDIRECTIONAL_SEQUENCE_LSTM: 44,
  CUSTOM: 32,
  SIN: 66,
  CUMSUM: 128,
  SPLIT: 49,
  TRANSPOSE_CONV: 67,
  REDUCE_MAX: 82,
  REDUCE_MIN: 89,
  SQUARE: 92,
  PRELU: 54,
  MUL: 18,
  LEAKY_RELU: 98,
  MAX_POOL_2D: 17,
  LESS: 58,
  PADV2: 60,
  GREATER: 61,
  GREATER_EQUAL: 62,
  LESS_EQUAL: 63,
  EQUAL: 71,
  NOT_EQUAL: 72,
  MEAN: 40,
  LOG_SOFTMAX: 50,
  GELU: 150,
  ARG_MAX: 56,
  NEG: 59,
  ELU: 111,
  QUANTIZE: 114,
  WHILE: 119,
  CALL_ONCE: 129,
  VAR_HANDLE: 142,
};

/** BuiltinOptions by operator: the union's type, and the fields by id. */
const OPTION_TYPES: Partial<Record<keyof typeof CODES, number>> = {
  CONV_2D: 1,
  DEPTHWISE_CONV_2D: 2,
  TRANSPOSE_CONV: 49,
  AVERAGE_POOL_2D: 5,
  CONCATENATION: 10,
  FULLY_CONNECTED: 8,
  MEAN: 27,
  ADD: 11,
  REDUCE_MAX: 27,
  REDUCE_MIN: 27,
  SPLIT: 35,
  MUL: 21,
  LEAKY_RELU: 75,
  MAX_POOL_2D: 5,
  WHILE: 93,
  CALL_ONCE: 103,
  SVDF: 6,
  UNIDIRECTIONAL_SEQUENCE_LSTM: 71,
};

export interface TensorSpec {
  readonly name?: string;
  readonly type?: keyof typeof TYPES;
  readonly shape?: readonly number[];
  readonly signature?: readonly number[];
  readonly scale?: readonly number[];
  readonly zeroPoint?: readonly (number | bigint)[] | null;
  readonly axis?: number;
  /** Bytes of a constant. */
  readonly data?: ArrayBufferView;
  /** Other fields by id. */
  readonly more?: Fields;
}

export interface OperatorSpec {
  readonly code: keyof typeof CODES;
  readonly custom?: string;
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly options?: Fields;
  readonly intermediates?: readonly number[];
}

export interface GraphSpec {
  readonly tensors: readonly TensorSpec[];
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly operators: readonly OperatorSpec[];
}

/** Fields of the root: 1 operator codes, 2 subgraphs (0 tensors, 3 operators), 4 buffers: the first is empty, then one a constant. */
export function tflite(...graphs: readonly GraphSpec[]): Written {
  const codes = new Map<string, Fields>();
  const buffers: Fields[] = [[]];
  const subgraphs = graphs.map((graph) => subgraph(graph, codes, buffers));
  return flatbuffer('TFL3', [
    { u32: 3 },
    { tables: [...codes.values()] },
    { tables: subgraphs },
    { text: 'test' },
    { tables: buffers },
  ]);
}

function subgraph({ tensors, inputs, outputs, operators }: GraphSpec, codes: Map<string, Fields>, buffers: Fields[]) {
  const code = ({ code: name, custom }: OperatorSpec): number => {
    const key = `${name} ${custom ?? ''}`;
    const fields = [
      { i8: Math.min(CODES[name], 127) },
      custom ? { text: custom } : undefined,
      undefined,
      { i32: CODES[name] },
    ];
    if (!codes.has(key)) codes.set(key, fields);
    return [...codes.keys()].indexOf(key);
  };
  return [
    { tables: tensors.map((spec) => tensor(spec, buffers)) },
    { i32s: inputs },
    { i32s: outputs },
    { tables: operators.map((spec) => operator(spec, code(spec))) },
    { text: 'main' },
  ] satisfies Fields;
}

function tensor(
  { name = '', type = 'int8', shape, signature, data, more = [], ...quant }: TensorSpec,
  buffers: Fields[],
) {
  const { scale, zeroPoint = scale?.map(() => 0), axis } = quant;
  if (data) buffers.push([{ bytes: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) }]);
  const quantization: Fields = [
    undefined,
    undefined,
    { f32s: scale ?? [] },
    zeroPoint ? { i64s: zeroPoint } : undefined,
    undefined,
    undefined,
    axis === undefined ? undefined : { i32: axis },
  ];
  const fields: (Field | undefined)[] = [
    shape ? { i32s: shape } : undefined,
    { i8: TYPES[type] },
    { u32: data ? buffers.length - 1 : 0 },
    { text: name },
    scale ? { table: quantization } : undefined,
    undefined,
    undefined,
    signature ? { i32s: signature } : undefined,
  ];
  for (const [id, field] of more.entries()) if (field) fields[id] = field;
  return fields;
}

function operator({ code, inputs, outputs, options, intermediates }: OperatorSpec, index: number): Fields {
  const type = options && OPTION_TYPES[code];
  return [
    { u32: index },
    { i32s: inputs },
    { i32s: outputs },
    type ? { u8: type } : undefined,
    options ? { table: options } : undefined,
    ...(intermediates ? [undefined, undefined, undefined, { i32s: intermediates }] : []),
  ];
}

/** x int8 [1, 4] times w [3, 4], plus b: one FULLY_CONNECTED. */
export function oneLinear(
  change: Partial<Record<'x' | 'w' | 'b' | 'y', TensorSpec>> = {},
  options: Fields = [],
): GraphSpec {
  return {
    tensors: [
      { name: 'x', shape: [1, 4], scale: [0.5], zeroPoint: [-3], ...change.x },
      {
        name: 'w',
        shape: [3, 4],
        scale: [0.25, 0.125, 0.5],
        data: Int8Array.from({ length: 12 }, (_, i) => i - 5),
        ...change.w,
      },
      { name: 'b', type: 'int32', shape: [3], scale: [0.125], data: Int32Array.of(7, -9, 20), ...change.b },
      { name: 'y', shape: [1, 3], scale: [0.75], zeroPoint: [4], ...change.y },
    ],
    inputs: [0],
    outputs: [3],
    operators: [{ code: 'FULLY_CONNECTED', inputs: [0, 1, 2], outputs: [3], options }],
  };
}
