import type { StoredDtype } from '../../nouns/array.js';

/** What numbers of a tensor are. */
export interface OnnxDtype {
  /** As numpy or ONNX calls it. */
  readonly name: string;
  readonly bits: number;
  /** As whose numbers its own are read; null: they are not. */
  readonly stored: StoredDtype | null;
}

const of = (name: string, bits: number, stored: StoredDtype | null = null): OnnxDtype => ({ name, bits, stored });
const same = (name: StoredDtype, bits: number) => of(name, bits, name);

/** TensorProto.DataType. */
const DTYPES = new Map<number, OnnxDtype>([
  [1, same('float32', 32)],
  [2, same('uint8', 8)],
  [3, same('int8', 8)],
  [4, same('uint16', 16)],
  [5, same('int16', 16)],
  [6, same('int32', 32)],
  [7, same('int64', 64)],
  [8, of('string', 0)],
  [9, same('bool', 8)],
  [10, same('float16', 16)],
  [11, same('float64', 64)],
  [12, same('uint32', 32)],
  [13, same('uint64', 64)],
  [14, of('complex64', 64)],
  [15, of('complex128', 128)],
  [16, of('bfloat16', 16)],
  [17, of('float8e4m3fn', 8)],
  [18, of('float8e4m3fnuz', 8)],
  [19, of('float8e5m2', 8)],
  [20, of('float8e5m2fnuz', 8)],
  [21, of('uint4', 4, 'uint8')],
  [22, of('int4', 4, 'int8')],
  [23, of('float4e2m1', 4)],
  [24, of('float8e8m0', 8)],
  [25, of('uint2', 2, 'uint8')],
  [26, of('int2', 2, 'int8')],
]);

export const FLOAT32 = 1;
export const UINT8 = 2;
export const INT8 = 3;
export const INT32 = 6;
export const INT64 = 7;
export const BOOL = 9;
export const FLOAT16 = 10;
export const BFLOAT16 = 16;

export function onnxDtype(code: number): OnnxDtype {
  return DTYPES.get(code) ?? of(`type ${code}`, 0);
}
