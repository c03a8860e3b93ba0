/** Zip files with every field free: what is right by default can be made wrong. */
import { crc32, deflateRawSync, inflateRawSync } from 'node:zlib';
import type { Place } from './bytes.js';

type Fields = readonly (readonly [name: string, bytes: 2 | 4])[];
type Values = Readonly<Record<string, number>>;

const COMMON: Fields = [
  ['flags', 2],
  ['method', 2],
  ['time', 4],
  ['crc', 4],
  ['compressed', 4],
  ['size', 4],
  ['nameLength', 2],
  ['extraLength', 2],
];
const LOCAL: Fields = [['signature', 4], ['needs', 2], ...COMMON];
const CENTRAL: Fields = [
  ['signature', 4],
  ['made', 2],
  ['needs', 2],
  ...COMMON,
  ['commentLength', 2],
  ['disk', 2],
  ['internal', 2],
  ['external', 4],
  ['offset', 4],
];
const END: Fields = [
  ['signature', 4],
  ['disk', 2],
  ['firstDisk', 2],
  ['entriesHere', 2],
  ['entries', 2],
  ['directoryBytes', 4],
  ['directoryOffset', 4],
  ['commentLength', 2],
];

export interface Member {
  readonly name: string;
  readonly data: Buffer;
  method?: number;
  /** As it lies in the file; default: data, deflated for method 8. */
  packed?: Buffer;
  flags?: number;
  /** What the directory calls it, and what stands before the data. */
  nameBytes?: Buffer;
  localName?: Buffer;
  /** Fields that say something else. */
  local?: Values;
  central?: Values;
  localExtra?: Buffer;
  extra?: Buffer;
  comment?: Buffer;
  zip64?: boolean;
  /** Sizes and CRC behind the data, with or without a signature. */
  descriptor?: 'signed' | 'bare';
  /** Its data are those of the member with this number. */
  sameAs?: number;
}

export interface Layout {
  before?: Buffer;
  /** Whether offsets count what stands before. */
  countsBefore?: boolean;
  between?: Buffer;
  behind?: Buffer;
  comment?: Buffer;
  reversed?: boolean;
  twoEnds?: boolean;
  zip64?: boolean;
  locator?: number;
  end?: Values;
}

function record(fields: Fields, values: Values): Buffer {
  const parts = fields.map(([name, bytes]) => littleEndian(values[name] ?? 0, bytes));
  return Buffer.concat(parts);
}

/** Two's complement, cut to its bytes. */
export function littleEndian(value: number, bytes: number): Buffer {
  const out = Buffer.alloc(8);
  out.writeBigUInt64LE(BigInt.asUintN(64, BigInt(Math.trunc(value))));
  return out.subarray(0, bytes);
}

/** An extra field of 64-bit numbers; id 1 is Zip64's. */
export function extraOf(numbers: readonly number[], id = 1): Buffer {
  const body = numbers.map((number) => littleEndian(number, 8));
  return Buffer.concat([littleEndian(id, 2), littleEndian(8 * numbers.length, 2), ...body]);
}

const NONE = Buffer.alloc(0);

interface Placed {
  readonly member: Member;
  readonly offset: number;
  readonly common: Values;
  readonly name: Buffer;
}

export function writeZip(members: readonly Member[], layout: Layout = {}): Buffer {
  const parts: Buffer[] = [layout.before ?? NONE];
  let at = layout.countsBefore === false ? 0 : parts[0].length;
  const put = (...more: Buffer[]) => {
    parts.push(...more);
    for (const part of more) at += part.length;
  };
  const placed: Placed[] = [];
  for (const member of members) {
    const before = member.sameAs === undefined ? undefined : placed[member.sameAs];
    const { common, packed, name } = commonOf(member);
    placed.push({ member, offset: before?.offset ?? at, common: before?.common ?? common, name });
    if (!before) put(...localOf(member, common, packed, name), layout.between ?? NONE);
  }
  const directoryOffset = at;
  for (const one of layout.reversed ? [...placed].reverse() : placed) put(...centralOf(one));
  const end = { entries: placed.length, directoryOffset, directoryBytes: at - directoryOffset };
  put(...endOf(end, at, layout));
  return Buffer.concat([...parts, layout.behind ?? NONE]);
}

function commonOf(member: Member) {
  const { method = 0, data } = member;
  const name = member.nameBytes ?? Buffer.from(member.name);
  const packed = member.packed ?? (method === 8 ? deflateRawSync(data) : data);
  const isAscii = /^[\x20-\x7e]*$/.test(name.toString('latin1'));
  const flags = member.flags ?? (member.descriptor ? 8 : 0) + (isAscii ? 0 : 0x800);
  const sizes = { crc: crc32(data), compressed: packed.length, size: data.length };
  return { common: { flags, method, time: 33 * 65536, needs: member.zip64 ? 45 : 20, ...sizes }, packed, name };
}

const IN_EXTRA = { compressed: 0xffffffff, size: 0xffffffff };

function localOf(member: Member, common: Values, packed: Buffer, directoryName: Buffer): Buffer[] {
  const name = member.localName ?? directoryName;
  const sizes = extraOf([common.size, common.compressed]);
  const extra = Buffer.concat([member.zip64 ? sizes : NONE, member.localExtra ?? NONE]);
  const values = {
    ...common,
    ...(member.zip64 ? IN_EXTRA : member.descriptor ? { crc: 0, compressed: 0, size: 0 } : {}),
    signature: 0x04034b50,
    nameLength: name.length,
    extraLength: extra.length,
    ...member.local,
  };
  const descriptor = [0x08074b50, common.crc, common.compressed, common.size].map((number) => littleEndian(number, 4));
  const behind = member.descriptor ? descriptor.slice(member.descriptor === 'bare' ? 1 : 0) : [];
  return [record(LOCAL, values), name, extra, packed, ...behind];
}

function centralOf({ member, offset, common, name }: Placed): Buffer[] {
  const numbers = extraOf([common.size, common.compressed, offset]);
  const extra = Buffer.concat([member.zip64 ? numbers : NONE, member.extra ?? NONE]);
  const comment = member.comment ?? NONE;
  const values = {
    ...common,
    offset,
    ...(member.zip64 ? { ...IN_EXTRA, offset: 0xffffffff } : {}),
    signature: 0x02014b50,
    made: 0x0314,
    external: 0x81a40000,
    nameLength: name.length,
    extraLength: extra.length,
    commentLength: comment.length,
    ...member.central,
  };
  return [record(CENTRAL, values), name, extra, comment];
}

function endOf(known: Values, at: number, layout: Layout): Buffer[] {
  const comment = layout.comment ?? NONE;
  const values: Values = { ...known, entriesHere: known.entries, commentLength: comment.length, ...layout.end };
  const inZip64 = { entries: 0xffff, entriesHere: 0xffff, directoryBytes: 0xffffffff, directoryOffset: 0xffffffff };
  const end = record(END, { ...values, ...(layout.zip64 ? inZip64 : {}), signature: 0x06054b50 });
  const large = Buffer.concat([
    ...[littleEndian(0x06064b50, 4), littleEndian(44, 8), littleEndian(45, 2), littleEndian(45, 2), littleEndian(0, 8)],
    ...[values.entriesHere, values.entries, values.directoryBytes, values.directoryOffset].map((n) =>
      littleEndian(n, 8),
    ),
    ...[littleEndian(0x07064b50, 4), littleEndian(0, 4), littleEndian(layout.locator ?? at, 8), littleEndian(1, 4)],
  ]);
  return [...(layout.zip64 ? [large] : []), end, ...(layout.twoEnds ? [end] : []), comment];
}

/** Where the fields of a whole zip lie, by their name (`local.size`); empty where there is no directory. */
export function zipPlaces(file: Buffer): Map<string, Place[]> {
  const places = new Map<string, Place[]>();
  const note = (kind: string, fields: Fields, start: number) => {
    let at = start;
    for (const [name, bytes] of fields) {
      places.set(`${kind}.${name}`, [...(places.get(`${kind}.${name}`) ?? []), { at, bytes }]);
      at += bytes;
    }
    if (kind !== 'end') places.set(`${kind}.name`, [...(places.get(`${kind}.name`) ?? []), { at, bytes: 1 }]);
  };
  const end = file.lastIndexOf('PK\x05\x06');
  if (end < 0 || end + 22 > file.length) return places;
  note('end', END, end);
  for (const { central, local } of entriesOf(file, end)) {
    note('central', CENTRAL, central);
    note('local', LOCAL, local);
  }
  return places;
}

interface Entry {
  readonly central: number;
  readonly local: number;
  readonly name: string;
  readonly method: number;
  readonly compressed: number;
}

function entriesOf(file: Buffer, end: number): Entry[] {
  const entries: Entry[] = [];
  let at = file.readUInt32LE(end + 16);
  for (let left = file.readUInt16LE(end + 10); left > 0; left--) {
    if (at + 46 > file.length || file.readUInt32LE(at) !== 0x02014b50) break;
    const nameLength = file.readUInt16LE(at + 28);
    entries.push({
      central: at,
      local: file.readUInt32LE(at + 42),
      name: file.toString('utf8', at + 46, at + 46 + nameLength),
      method: file.readUInt16LE(at + 10),
      compressed: file.readUInt32LE(at + 20),
    });
    at += 46 + nameLength + file.readUInt16LE(at + 30) + file.readUInt16LE(at + 32);
  }
  return entries;
}

/** The members of a whole zip; those that cannot be read are left out. */
export function readZip(file: Buffer): Member[] {
  const end = file.lastIndexOf('PK\x05\x06');
  if (end < 0 || end + 22 > file.length) return [];
  return entriesOf(file, end).flatMap(({ local, name, method, compressed }) => {
    try {
      const start = local + 30 + file.readUInt16LE(local + 26) + file.readUInt16LE(local + 28);
      // Zip64 sizes: what numpy writes for a file of unknown length
      const size = compressed === 0xffffffff ? Number(file.readBigUInt64LE(start - 8)) : compressed;
      const packed = file.subarray(start, start + size);
      return [{ name, data: method === 8 ? inflateRawSync(packed) : Buffer.from(packed) }];
    } catch {
      return [];
    }
  });
}

/** An npz of npy files by key. */
export function npzOf(arrays: Iterable<readonly [string, Buffer]>, method: (name: string) => number = () => 0): Buffer {
  return writeZip([...arrays].map(([key, data]) => ({ name: `${key}.npy`, data, method: method(key) })));
}

/** Keys and npy files of a whole npz. */
export function arraysOf(npz: Buffer): Map<string, Buffer> {
  return new Map(readZip(npz).map(({ name, data }) => [name.replace(/\.npy$/, ''), data]));
}
