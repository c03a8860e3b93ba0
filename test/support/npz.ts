import { crc32, deflateRawSync } from 'node:zlib';

/** Options of an npy file, to write what numpy would and what it never would. */
export interface NpyOptions {
  readonly fortranOrder?: boolean;
  readonly bigEndian?: boolean;
  readonly version?: 1 | 2 | 3;
  /** Replaces the header's text. */
  readonly header?: string;
}

const WRITERS = {
  bool: { code: 'b1', bytes: 1, write: (view, at, v) => view.setUint8(at, v) },
  int8: { code: 'i1', bytes: 1, write: (view, at, v) => view.setInt8(at, v) },
  uint8: { code: 'u1', bytes: 1, write: (view, at, v) => view.setUint8(at, v) },
  int16: { code: 'i2', bytes: 2, write: (view, at, v, le) => view.setInt16(at, v, le) },
  uint16: { code: 'u2', bytes: 2, write: (view, at, v, le) => view.setUint16(at, v, le) },
  int32: { code: 'i4', bytes: 4, write: (view, at, v, le) => view.setInt32(at, v, le) },
  uint32: { code: 'u4', bytes: 4, write: (view, at, v, le) => view.setUint32(at, v, le) },
  int64: { code: 'i8', bytes: 8, write: (view, at, v, le) => view.setBigInt64(at, BigInt(v), le) },
  uint64: { code: 'u8', bytes: 8, write: (view, at, v, le) => view.setBigUint64(at, BigInt(v), le) },
  /** Values are the 16 bits. */
  float16: { code: 'f2', bytes: 2, write: (view, at, v, le) => view.setUint16(at, v, le) },
  float32: { code: 'f4', bytes: 4, write: (view, at, v, le) => view.setFloat32(at, v, le) },
  float64: { code: 'f8', bytes: 8, write: (view, at, v, le) => view.setFloat64(at, v, le) },
} satisfies Record<
  string,
  { code: string; bytes: number; write: (view: DataView, at: number, value: number, littleEndian: boolean) => void }
>;

export type NpyDtype = keyof typeof WRITERS;

/** An npy file of values given in C order. */
export function npy(
  dtype: NpyDtype,
  shape: readonly number[],
  values: Iterable<number>,
  options: NpyOptions = {},
): Buffer {
  const { code, bytes, write } = WRITERS[dtype];
  const { fortranOrder = false, bigEndian = false, version = 1 } = options;
  const all = [...values];
  const order = fortranOrder ? fortranIndices(shape) : all.keys();
  const data = Buffer.alloc(all.length * bytes);
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  let at = 0;
  for (const index of order) {
    write(view, at, all[index], !bigEndian);
    at += bytes;
  }
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  const descr = (bytes === 1 ? '|' : bigEndian ? '>' : '<') + code;
  const dict = `{'descr': '${descr}', 'fortran_order': ${fortranOrder ? 'True' : 'False'}, 'shape': ${tuple}, }`;
  return Buffer.concat([npyHeader(options.header ?? dict, version), data]);
}

/** Preamble and header, padded to 64 bytes. */
export function npyHeader(dict: string, version = 1): Buffer {
  const preamble = version === 1 ? 10 : 12;
  const text = dict.padEnd(Math.ceil((preamble + dict.length + 1) / 64) * 64 - preamble - 1) + '\n';
  const head = Buffer.alloc(preamble + text.length);
  head.write('\x93NUMPY', 'latin1');
  head[6] = version;
  if (version === 1) head.writeUInt16LE(text.length, 8);
  else head.writeUInt32LE(text.length, 8);
  head.write(text, preamble, 'latin1');
  return head;
}

function fortranIndices(shape: readonly number[]): number[] {
  let indices = [0];
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const stride = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
    indices = indices.flatMap((index) => Array.from({ length: shape[axis] }, (_, i) => index + i * stride));
  }
  return indices;
}

export interface ZipMemberOptions {
  readonly deflate?: boolean;
  readonly zip64?: boolean;
  readonly encrypted?: boolean;
  readonly method?: number;
  /** What the directory claims instead of the truth. */
  readonly crc?: number;
  readonly size?: number;
}

export type ZipMemberSpec = readonly [name: string, data: Uint8Array, options?: ZipMemberOptions];

/** A zip file of members in order; with `zip64`, the end records of Zip64 too. */
export function zip(members: readonly ZipMemberSpec[], options: { zip64?: boolean } = {}): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const [name, data, member = {}] of members) {
    const packed = member.deflate ? deflateRawSync(data, { level: 1 }) : Buffer.from(data);
    const size = member.size ?? data.length;
    const crc = member.crc ?? crc32(data);
    const nameBytes = Buffer.from(name);
    const sizes64 = Buffer.alloc(20);
    sizes64.writeUInt16LE(1, 0);
    sizes64.writeUInt16LE(16, 2);
    sizes64.writeBigUInt64LE(BigInt(size), 4);
    sizes64.writeBigUInt64LE(BigInt(packed.length), 12);
    const extra = member.zip64 ? sizes64 : Buffer.alloc(0);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(member.zip64 ? 45 : 20, 0);
    common.writeUInt16LE((member.encrypted ? 1 : 0) | 0x800, 2);
    common.writeUInt16LE(member.method ?? (member.deflate ? 8 : 0), 4);
    common.writeUInt32LE(crc, 10);
    common.writeUInt32LE(member.zip64 ? 0xffffffff : packed.length, 14);
    common.writeUInt32LE(member.zip64 ? 0xffffffff : size, 18);
    common.writeUInt16LE(nameBytes.length, 22);
    common.writeUInt16LE(extra.length, 24);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, nameBytes, extra, packed]);
    const central = Buffer.concat([Buffer.from('PK\x01\x02\x14\x00'), common, Buffer.alloc(14), nameBytes, extra]);
    central.writeUInt32LE(at, 42);
    parts.push(local);
    directory.push(central);
    at += local.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06');
  end.writeUInt16LE(options.zip64 ? 0xffff : members.length, 8);
  end.writeUInt16LE(options.zip64 ? 0xffff : members.length, 10);
  end.writeUInt32LE(options.zip64 ? 0xffffffff : central.length, 12);
  end.writeUInt32LE(options.zip64 ? 0xffffffff : at, 16);
  return Buffer.concat([
    ...parts,
    central,
    ...(options.zip64 ? [zip64End(members.length, central.length, at)] : []),
    end,
  ]);
}

function zip64End(count: number, size: number, offset: number): Buffer {
  const end = Buffer.alloc(76);
  end.write('PK\x06\x06');
  end.writeBigUInt64LE(44n, 4);
  end.writeBigUInt64LE(BigInt(count), 24);
  end.writeBigUInt64LE(BigInt(count), 32);
  end.writeBigUInt64LE(BigInt(size), 40);
  end.writeBigUInt64LE(BigInt(offset), 48);
  end.write('PK\x06\x07', 56);
  end.writeBigUInt64LE(BigInt(offset + size), 64);
  end.writeUInt32LE(1, 72);
  return end;
}

/** An npz file of arrays by key. */
export function npz(arrays: Readonly<Record<string, Uint8Array>>, options?: ZipMemberOptions): Buffer {
  return zip(Object.entries(arrays).map(([key, data]) => [`${key}.npy`, data, options] as const));
}
