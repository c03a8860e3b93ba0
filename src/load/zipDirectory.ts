import type { RandomAccessFile } from '../nouns/file.js';
import { crc32ByTable } from './crc32.js';

/*
 * A zip file is read from its end: the end record says where the directory lies, the directory where each member does.
 * Read as Python's zipfile reads it, which numpy uses: what stands before the zip moves all offsets, the directory ends where
 * the end record begins, the number of entries is not looked at. Source: APPNOTE.TXT 6.3.10; CPython's Lib/zipfile.
 */

export interface ZipEntry {
  readonly name: string;
  /** With what stands behind a NUL, where zipfile ends it. */
  readonly wholeName: string;
  readonly flags: number;
  readonly method: number;
  readonly crc32: number;
  readonly compressedSize: number;
  readonly size: number;
  /** Of the member's own header in the file. */
  readonly offset: number;
  /** Where the next header, or the directory, begins: no data lie beyond. */
  readonly end: number;
}

/** Flags of a member. */
export const ENCRYPTED = 0x1 | 0x40;
export const PATCHED = 0x20;
const UTF8 = 0x800;

/** Not a zip file, or a damaged one: `message` says what is wrong with it. */
export class DamagedZip extends Error {}

const END = 0x06054b50;
const END_BYTES = 22;
const MOST_COMMENT_BYTES = 0xffff;
const LOCATOR = 0x07064b50;
const LOCATOR_BYTES = 20;
const END64 = 0x06064b50;
const END64_BYTES = 56;
const CENTRAL = 0x02014b50;
const CENTRAL_BYTES = 46;
const LOCAL = 0x04034b50;
const LOCAL_BYTES = 30;

/** Highest version of the format that Python's zipfile reads. */
const MOST_VERSION = 63;

/** Every entry of the directory, in its order. Throws DamagedZip. */
export async function readDirectory(file: RandomAccessFile): Promise<ZipEntry[]> {
  // numpy.load looks at the first bytes before it hands a file to zipfile
  const first = file.size < END_BYTES ? 0 : (await bytesAt(file, 0, 4)).readUInt32LE(0);
  if (first !== LOCAL && first !== END) throw new DamagedZip('no member at its start');
  const { directoryEnd, directoryBytes, directoryOffset } = await readEnd(file);
  const start = directoryEnd - directoryBytes;
  if (start < 0) throw new DamagedZip(`a directory of ${directoryBytes} bytes before byte ${directoryEnd}`);
  const moved = start - directoryOffset; // what was put before the zip
  const entries: Omit<ZipEntry, 'end'>[] = [];
  for (let at = start; at < directoryEnd; ) {
    const { entry, next } = await readEntry(file, at, directoryEnd);
    entries.push({ ...entry, offset: entry.offset + moved });
    at = next;
  }
  const starts = [...new Set([...entries.map(({ offset }) => offset), start])].sort((a, b) => a - b);
  const following = new Map(starts.map((offset, i) => [offset, starts[i + 1] ?? start]));
  return entries.map((entry) => ({ ...entry, end: following.get(entry.offset)! }));
}

/** Where the member's data begin. Throws DamagedZip where the header in front of them is another's. */
export async function readDataStart(file: RandomAccessFile, entry: ZipEntry): Promise<number> {
  const header = await bytesAt(file, entry.offset, LOCAL_BYTES);
  if (header.readUInt32LE(0) !== LOCAL) throw new DamagedZip(`no member at byte ${entry.offset}`);
  const [flags, nameBytes, extraBytes] = [6, 26, 28].map((at) => header.readUInt16LE(at));
  const name = nameOf(await bytesAt(file, entry.offset + LOCAL_BYTES, nameBytes), flags);
  if (name !== entry.wholeName) throw new DamagedZip(name);
  const start = entry.offset + LOCAL_BYTES + nameBytes + extraBytes;
  if (start + entry.compressedSize > entry.end) throw new DamagedZip(`members overlap at byte ${entry.end}`);
  return start;
}

async function bytesAt(file: RandomAccessFile, position: number, length: number): Promise<Buffer> {
  if (position < 0 || position + length > file.size) throw new DamagedZip(`byte ${position} of ${file.size}`);
  const bytes = Buffer.allocUnsafeSlow(length);
  const got = await file.read(bytes, position);
  if (got < length) throw new DamagedZip(`${file.size} bytes at first, ${position + got} now`);
  return bytes;
}

interface End {
  /** Where it ends in the file, and how long it is. */
  readonly directoryEnd: number;
  readonly directoryBytes: number;
  /** Where it begins, counted from the start of the zip. */
  readonly directoryOffset: number;
}

async function readEnd(file: RandomAccessFile): Promise<End> {
  const at = await findEnd(file);
  const end = await bytesAt(file, at, END_BYTES);
  const large = await readEnd64(file, at);
  if (large) return large;
  return { directoryEnd: at, directoryBytes: end.readUInt32LE(12), directoryOffset: end.readUInt32LE(16) };
}

/** At the very end, or before a comment. */
async function findEnd(file: RandomAccessFile): Promise<number> {
  if (file.size < END_BYTES) throw new DamagedZip(`${file.size} bytes`);
  const last = await bytesAt(file, file.size - END_BYTES, END_BYTES);
  if (last.readUInt32LE(0) === END && last.readUInt16LE(20) === 0) return file.size - END_BYTES;
  const from = Math.max(0, file.size - END_BYTES - MOST_COMMENT_BYTES - 1);
  const tail = await bytesAt(file, from, file.size - from);
  const at = tail.lastIndexOf('PK\x05\x06');
  if (at < 0 || at + END_BYTES > tail.length) throw new DamagedZip('no end record');
  return from + at;
}

/** The Zip64 record, whose locator stands between it and the end record; null where there is none. */
async function readEnd64(file: RandomAccessFile, end: number): Promise<End | null> {
  const at = end - LOCATOR_BYTES - END64_BYTES;
  if (at < 0) return null;
  const locator = await bytesAt(file, end - LOCATOR_BYTES, LOCATOR_BYTES);
  if (locator.readUInt32LE(0) !== LOCATOR) return null;
  if (locator.readUInt32LE(4) !== 0 || locator.readUInt32LE(16) > 1) throw new DamagedZip('one of several disks');
  const record = await bytesAt(file, at, END64_BYTES);
  if (record.readUInt32LE(0) !== END64) return null;
  return { directoryEnd: at, directoryBytes: uint64(record, 40), directoryOffset: uint64(record, 48) };
}

/** Not exact beyond 2^53, where no file has a byte. */
function uint64(bytes: Buffer, at: number): number {
  return Number(bytes.readBigUInt64LE(at));
}

async function readEntry(file: RandomAccessFile, at: number, directoryEnd: number) {
  if (at + CENTRAL_BYTES > directoryEnd) throw new DamagedZip('the directory ends within an entry');
  const header = await bytesAt(file, at, CENTRAL_BYTES);
  if (header.readUInt32LE(0) !== CENTRAL) throw new DamagedZip(`no entry of the directory at byte ${at}`);
  if (header[6] > MOST_VERSION) throw new DamagedZip(`version ${header[6] / 10} of the format`);
  const [flags, method] = [8, 10].map((offset) => header.readUInt16LE(offset));
  const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((offset) => header.readUInt16LE(offset));
  const next = at + CENTRAL_BYTES + nameBytes + extraBytes + commentBytes;
  if (next - commentBytes > directoryEnd) throw new DamagedZip('the directory ends within an entry');
  const rest = await bytesAt(file, at + CENTRAL_BYTES, nameBytes + extraBytes);
  const [rawName, extra] = [rest.subarray(0, nameBytes), rest.subarray(nameBytes)];
  const wholeName = nameOf(rawName, flags);
  const name = wholeName.split('\0', 1)[0];
  const sizes = {
    size: header.readUInt32LE(24),
    compressedSize: header.readUInt32LE(20),
    offset: header.readUInt32LE(42),
  };
  const entry = {
    name,
    wholeName,
    flags,
    method,
    crc32: header.readUInt32LE(16),
    ...withExtra(sizes, extra, rawName, name),
  };
  return { entry, next };
}

/** 64-bit numbers stand in an extra field, in this order, each where its own field is full. */
function withExtra<S extends { size: number; compressedSize: number; offset: number }>(
  fields: S,
  extra: Buffer,
  rawName: Buffer,
  name: string,
): S {
  const found = { ...fields };
  for (let at = 0; at + 4 <= extra.length; ) {
    const [id, length] = [extra.readUInt16LE(at), extra.readUInt16LE(at + 2)];
    const data = extra.subarray(at + 4, at + 4 + length);
    if (data.length < length) throw new DamagedZip('an extra field that is cut off');
    if (id === 0x1) readZip64(found, data);
    if (id === 0x7075) checkUnicodePath(data, rawName, name);
    at += 4 + length;
  }
  return found;
}

function readZip64(found: { size: number; compressedSize: number; offset: number }, data: Buffer): void {
  let at = 0;
  for (const field of ['size', 'compressedSize', 'offset'] as const) {
    if (found[field] !== 0xffffffff) continue;
    if (at + 8 > data.length) throw new DamagedZip('a Zip64 field that is cut off');
    found[field] = uint64(data, at);
    at += 8;
  }
}

/** A second name: Python before 3.12 does not look at it, later ones take it. One that says nothing else does no harm. */
function checkUnicodePath(data: Buffer, rawName: Buffer, name: string): void {
  if (data.length < 5 || data[0] !== 1 || data.readUInt32LE(1) !== crc32ByTable(rawName)) return;
  const second = data.toString('utf8', 5);
  if (second !== '' && second !== name) throw new DamagedZip(`a member with two names, ${name} and ${second}`);
}

const CP437 =
  'ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0';

function nameOf(bytes: Buffer, flags: number): string {
  if (!(flags & UTF8))
    return bytes.toString('latin1').replace(/[\x80-\xff]/g, (byte) => CP437[byte.charCodeAt(0) - 128]);
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new DamagedZip('a name that is not UTF-8');
  }
}
