import { crc32, deflateRawSync } from 'node:zlib';
import { npy, npyHeader } from '../support/npz.js';
import { changeNumber, mutateBytes } from './bytes.js';
import { mutateNpy, mutateValues } from './mutateNpy.js';
import type { Random } from './random.js';
import { extraOf, type Layout, littleEndian, type Member, readZip, writeZip, zipPlaces } from './zipFile.js';

/** An npz with damage of any kind: to bytes, fields of the zip, its structure, an array's header, or values. */
export function mutateNpz(file: Buffer, random: Random, other: Buffer = file): Buffer {
  return random.weighted([
    [3, () => mutateBytes(file, random, other)],
    [3, () => mutateFields(file, random)],
    [3, () => rebuilt(file, random)],
    [3, () => mutateArray(file, random)],
    [2, () => mutateArrayValues(file, random)],
  ])();
}

/** Other numbers in some arrays, in a whole file. */
export function mutateArrayValues(file: Buffer, random: Random): Buffer {
  const all = random.chance(0.3);
  return mutateMembers(file, random, all, (data) => mutateValues(data, random));
}

function mutateArray(file: Buffer, random: Random): Buffer {
  return mutateMembers(file, random, false, (data) => mutateNpy(data, random));
}

function mutateMembers(file: Buffer, random: Random, all: boolean, change: (data: Buffer) => Buffer): Buffer {
  const members = readZip(file);
  if (members.length === 0) return mutateBytes(file, random);
  const chosen = random.below(members.length);
  const method = random.chance(0.3) ? 8 : 0;
  return writeZip(members.map((m, i) => ({ ...m, method, data: all || i === chosen ? change(m.data) : m.data })));
}

function mutateFields(file: Buffer, random: Random): Buffer {
  const places = [...zipPlaces(file)];
  if (places.length === 0) return mutateBytes(file, random);
  const out = Buffer.from(file);
  for (let i = random.few(); i > 0; i--) changeNumber(out, random.one(random.one(places)[1]), random);
  return out;
}

type Oddity = (m: Member, random: Random, layout: Layout, members: Member[]) => void;

/** The members again, in a zip that is odd and often still right. */
function rebuilt(file: Buffer, random: Random): Buffer {
  const members: Member[] = readZip(file).map((m) => ({ ...m, method: random.chance(0.4) ? 8 : 0 }));
  const layout: Layout = {};
  for (let i = random.few(); i > 0; i--) {
    if (members.length === 0) break;
    random.one(ODDITIES)(random.one(members), random, layout, members);
  }
  return writeZip(members, layout);
}

const STRANGE_NAMES = [
  ...['x.txt', 'folder/', 'a/b.npy', '../x.npy', '/etc/x.npy', 'C:\\x.npy', '.npy', 'x.NPY', 'x\0.npy', 'x.npy.npy'],
  ...['\u001b[31mx.npy', '<qx>.npy', 'é.npy', '\u202ex.npy', `${'n'.repeat(300)}.npy`, '__proto__.npy', 'x', ''],
  ...['constructor.npy', '__MACOSX/._x.npy', '\ufeffx.npy', 'x.npy/', 'a.npy', 'A.npy'],
];

const ODDITIES: readonly Oddity[] = [
  // Zip64, needed or not, whole or not
  (m, random, layout) => {
    m.zip64 = true;
    layout.zip64 = random.chance(0.5);
  },
  (_, random, layout, members) => {
    for (const member of members) member.zip64 = true;
    layout.zip64 = true;
    if (random.chance(0.3)) layout.locator = random.one([0, 1, 2 ** 31, 2 ** 53, -1]);
  },
  (m, random) => {
    const numbers = Array.from({ length: random.below(5) }, () => random.one([0, m.data.length, 2 ** 32, 2 ** 53 + 2]));
    m.extra = extraOf(numbers);
    m.central = random.one<Record<string, number>>([
      {},
      { size: 0xffffffff },
      { compressed: 0xffffffff },
      { offset: 0xffffffff },
    ]);
  },
  // extra fields, comments, what stands around the members
  (m, random) => (m.extra = random.bytes(1 + random.below(12))),
  (m, random) => (m.localExtra = random.bytes(1 + random.below(40))),
  (m, random) => (m.comment = random.bytes(1 + random.below(40))),
  (m, random) => (m.extra = unicodePath(Buffer.from(m.name), random.one(['other.npy', m.name, ''])) as Buffer),
  (_, random, layout) => {
    layout.before = random.bytes(1 + random.below(200));
    layout.countsBefore = random.chance(0.5);
  },
  (_, random, layout) => (layout.behind = random.bytes(1 + random.below(200))),
  (_, random, layout) => (layout.between = random.bytes(1 + random.below(64))),
  (_, random, layout) => (layout.comment = random.bytes(random.below(300))),
  (_, random, layout) => (layout.comment = Buffer.concat([Buffer.from('PK\x05\x06'), random.bytes(18)])),
  (_, random, layout) => (layout.end = { commentLength: random.one([0, 1, 22, 65535]) }),
  (_, random, layout, members) => {
    const entries = members.length + random.one([-1, 1, 2, 1000]);
    layout.end = { entries, ...(random.chance(0.5) ? { entriesHere: entries } : {}) };
  },
  (_, __, layout) => (layout.reversed = true),
  (_, __, layout) => (layout.twoEnds = true),
  // names
  (m, random, _, members) => members.push({ ...m, data: random.one(members).data }),
  (m, random, _, members) => {
    const name = `${m.name.replace(/\.npy$/, '')}${random.one(['x', '2', ' ', '.input', '.accumulator'])}.npy`;
    members.push({ name, sameAs: members.indexOf(m), data: m.data });
  },
  (_, random, __, members) => {
    const data = random.chance(0.7) ? npy('uint8', [2], [1, 2]) : random.bytes(30);
    members.push({ name: random.one(STRANGE_NAMES), data });
  },
  (m, random) => (m.localName = Buffer.from(random.one([m.name.toUpperCase(), `${m.name}x`, 'y.npy']))),
  (m, random) => {
    m.nameBytes = Buffer.from([0xff, 0xfe, 0x80 + random.below(128), ...Buffer.from('.npy')]);
    m.flags = random.one([0, 0x800]);
  },
  // data and what is said of them
  (m, random) => (m.descriptor = random.one(['signed', 'bare'] as const)),
  (m, random) => (m.flags = random.one([1, 8, 0x20, 0x40, 0x800, 0x2000, 0xffff])),
  (m, random) => {
    m.method = random.one([1, 6, 9, 12, 14, 93, 95, 99]);
    m.packed = m.data;
  },
  (m, random) => {
    m.method = 8;
    m.packed = oddlyDeflated(m.data, random);
  },
  (m, random) => {
    const size = m.data.length + random.one([-100, -1, 1, 100, 2 ** 31, 2 ** 32 - 2]);
    m.central = random.one<Record<string, number>>([{ size }, { compressed: size }, { size, compressed: size }]);
  },
  (m, random) => (m.central = { crc: random.u32() }),
  (m, random) => (m.local = { crc: random.u32(), size: random.below(1000), compressed: random.below(1000) }),
  (_, random, __, members) => members.splice(0, members.length, ...random.shuffled(members)),
  (_, __, ___, members) => members.push(bomb()),
  (_, __, ___, members) => members.splice(0, members.length),
];

/** A megabyte of zeros for each kilobyte, said to be 60 of them. */
function bomb(): Member {
  const size = 60 << 20;
  const header = npyHeader(`{'descr': '|u1', 'fortran_order': False, 'shape': (${size},), }`);
  const packed = deflateRawSync(Buffer.concat([header, Buffer.alloc(1 << 16)]));
  return { name: 'bomb.npy', data: header, method: 8, packed, central: { size: header.length + size } };
}

/** The extra field with a name in UTF-8, and the CRC of the name that it is for. */
function unicodePath(original: Buffer, name: string): Buffer {
  const body = Buffer.concat([Buffer.from([1]), littleEndian(crc32(original), 4), Buffer.from(name)]);
  return Buffer.concat([littleEndian(0x7075, 2), littleEndian(body.length, 2), body]);
}

const EMPTY_BLOCK = Buffer.from([0, 0, 0, 0xff, 0xff]);

function oddlyDeflated(data: Buffer, random: Random): Buffer {
  const whole = deflateRawSync(data, { level: random.below(10) });
  return random.one([
    () => Buffer.concat([whole, random.bytes(1 + random.below(20))]),
    () => Buffer.concat([...Array(random.one([1, 10, 300])).fill(EMPTY_BLOCK), whole]),
    () => Buffer.concat([whole, whole]),
    () => deflateRawSync(Buffer.concat([data, Buffer.alloc(1 + random.below(5000))])),
    () => deflateRawSync(data.subarray(0, random.below(data.length))),
    () => whole.subarray(0, -random.between(1, 8)),
    () => mutateBytes(whole, random),
  ])();
}
