import { sizeOf } from '../../tensor/shape.js';
import type { ByteRange, Table, VectorRange } from '../flatbuffer.js';
import type { Quantization, Tensor } from './model.js';
import { type TensorType, tensorType } from './types.js';

const MOST_DIMS = 8;

/** Reads a Tensor table; `buffers`: the bytes of each buffer of the file. */
export async function readTensor(table: Table, index: number, buffers: readonly (ByteRange | null)[]): Promise<Tensor> {
  const shape = await table.int32s(0, 'shape', MOST_DIMS);
  const signature = await table.int32s(7, 'shape_signature', MOST_DIMS);
  const code = table.scalar(1, 'type', 'Int8', 0);
  const type = tensorType(code);
  if (!type) throw table.refuse('type', `expected a type that this version knows, got ${code}`, 'try a newer qdiff');
  const count = countOf(shape, table);
  const data = dataOf(table, buffers);
  if (data) checkBytes(table, data, { type, shape, count });
  const details = await table.table(4, 'quantization');
  return {
    index,
    name: await table.text(3, 'name'),
    type,
    shape,
    signature,
    isDynamic: signature.some((dim, axis) => axis > 0 && dim < 0),
    quantization: details && (await readQuantization(details, { type, shape, isNumber: data !== null && count === 1 })),
    data,
    unusual: unusual(table, details),
  };
}

/** How many elements; their size in bits is a safe integer too. */
function countOf(shape: readonly number[], table: Table): number {
  const negative = shape.find((dim) => dim < 0);
  if (negative !== undefined) throw table.refuse('shape', `expected dimensions of at least 0, got ${negative}`);
  const count = sizeOf(shape);
  if (count <= 2 ** 45) return count;
  throw table.refuse('shape', `expected at most 2^45 elements, got [${shape.join(', ')}]`);
}

function dataOf(table: Table, buffers: readonly (ByteRange | null)[]): ByteRange | null {
  const index = table.scalar(2, 'buffer', 'Uint32', 0);
  if (index === 0) return null;
  if (index < buffers.length) return buffers[index];
  throw table.refuse('buffer', `expected one of ${buffers.length} buffers, got ${index}`);
}

function checkBytes(
  table: Table,
  { length }: ByteRange,
  { type, shape, count }: { type: TensorType; shape: readonly number[]; count: number },
): void {
  const expected = Math.ceil((count * type.bits) / 8);
  if (type.bits === 0 || length === expected) return;
  const wanted = `expected ${expected} bytes (${type.name} [${shape.join(', ')}])`;
  throw table.refuse('buffer', `${wanted}, got ${length}`, 'shape and data contradict each other');
}

function unusual(table: Table, quantization: Table | null): string | null {
  if (table.has(6, 'sparsity')) return 'sparse';
  if (table.scalar(10, 'external_buffer', 'Uint32', 0) !== 0) return 'in another file';
  return quantization && quantization.scalar(4, 'details_type', 'Uint8', 0) !== 0 ? 'quantized in blocks' : null;
}

interface Coded {
  readonly type: TensorType;
  readonly shape: readonly number[];
  /** A constant of one element. */
  readonly isNumber: boolean;
}

/** Null without scales: min and max alone are notes of the converter, which gives a constant 0 of int16 a scale of 0. */
async function readQuantization(table: Table, { type, shape, isNumber }: Coded): Promise<Quantization | null> {
  const scale = await table.vector(2, 'scale', 4);
  if (!scale || scale.count === 0) return null;
  const axis = table.scalar(6, 'quantized_dimension', 'Int32', 0);
  if (scale.count > 1) checkChannels(table, scale.count, axis, shape);
  const zeroPoint = await table.vector(3, 'zero_point', 8);
  if (zeroPoint?.count !== scale.count) {
    throw table.refuse('zero_point', `expected as many as scales, ${scale.count}, got ${zeroPoint?.count ?? 'none'}`);
  }
  if (scale.count === 1 && isNumber && (await scaleOf(table, scale)) === 0) return null;
  const single = scale.count === 1 ? await singleOf(table, scale, zeroPoint, type) : null;
  return { scale, zeroPoint, axis, single };
}

function checkChannels(table: Table, count: number, axis: number, shape: readonly number[]): void {
  if (!(axis >= 0 && axis < shape.length)) {
    throw table.refuse('quantized_dimension', `expected a dimension of [${shape.join(', ')}], got ${axis}`);
  }
  if (count === shape[axis]) return;
  const expected = `expected 1 or ${shape[axis]} (dimension ${axis} of [${shape.join(', ')}])`;
  throw table.refuse('scale', `${expected}, got ${count}`);
}

/** Zero points by type; of others only 0 occurs. */
const ZERO_POINTS = new Map([
  ['uint8', [0, 255]],
  ['int8', [-128, 127]],
]);

async function singleOf(table: Table, scale: VectorRange, zeroPoint: VectorRange, type: TensorType) {
  const number = await scaleOf(table, scale);
  // biases keep scales that no kernel reads, and one may underflow
  if (!(number > 0 && Number.isFinite(number)) && type.bits < 32) {
    throw table.refuse('scale', `expected a positive number, got ${number}`);
  }
  const zero = (await view(table, zeroPoint, 'zero_point')).getBigInt64(0, true);
  const [lo, hi] = ZERO_POINTS.get(type.name) ?? [0, 0];
  if (zero < lo || zero > hi) {
    throw table.refuse('zero_point', `expected ${lo === hi ? lo : `${lo}..${hi}`} (${type.name}), got ${zero}`);
  }
  return { scale: number, zeroPoint: Number(zero) };
}

async function scaleOf(table: Table, scale: VectorRange): Promise<number> {
  return (await view(table, scale, 'scale')).getFloat32(0, true);
}

async function view(table: Table, { offset, length }: VectorRange, field: string): Promise<DataView> {
  const bytes = await table.buffer.bytes(offset, length, [...table.place, field]);
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
