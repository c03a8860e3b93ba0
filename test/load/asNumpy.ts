/** npz files that are nearly right, and whether numpy.load(allow_pickle=False) takes them: held against it where it is installed. */
import { constants, deflateRawSync } from 'node:zlib';
import { extraOf, type Layout, type Member, writeZip } from '../fuzz/zipFile.js';
import { npy, npyHeader } from '../support/npz.js';

export interface NumpyCase {
  readonly what: string;
  readonly npz: Buffer;
  /**
   * read: by both, alike. refused: by both. strict: the exceptions, all that is known of files that numpy takes and we do not: another
   * reader, or a later Python, reads them otherwise, a directory contradicts itself or its members, or Node cannot unpack them.
   * There is no fourth kind: no tool is known that writes what numpy refuses.
   */
  readonly by: 'read' | 'refused' | 'strict';
}

const six = [1, 2, 3, 4, 5, 6];
const plain = npy('uint8', [6], six);
const dict = (shape = '(6,)', descr = "'|u1'", order = 'False') =>
  `{'descr': ${descr}, 'fortran_order': ${order}, 'shape': ${shape}, }`;
const withHeader = (header: string, version?: 1 | 2 | 3) => npy('uint8', [6], six, { header, version });
const ofArray = (data: Buffer) => writeZip([{ name: 'a.npy', data }]);
const header = (text: string, by: NumpyCase['by'], version?: 1 | 2 | 3): NumpyCase => ({
  what: `header ${text}${version ? `, version ${version}` : ''}`,
  npz: ofArray(withHeader(text, version)),
  by,
});
const bytes = (what: string, at: number, value: number, by: NumpyCase['by']): NumpyCase => {
  const data = Buffer.from(plain);
  data[at] = value;
  return { what, npz: ofArray(data), by };
};
const member = (what: string, changes: Partial<Member>, by: NumpyCase['by']): NumpyCase => ({
  what,
  npz: writeZip([{ name: 'a.npy', data: plain, ...changes }]),
  by,
});
const layout = (what: string, changes: Layout, by: NumpyCase['by']): NumpyCase => ({
  what,
  npz: writeZip([{ name: 'a.npy', data: plain }], changes),
  by,
});
const empty = npy('uint8', [0], []);

export const NUMPY_CASES: readonly NumpyCase[] = [
  header(dict(), 'read'),
  header(dict(), 'read', 2),
  header(dict(), 'read', 3),
  header(`{"shape":(6,),"fortran_order":False,"descr":"|u1"}`, 'read'),
  header(`  ${dict('( 2 ,3,)')}`, 'read'),
  header(dict('(6L,)'), 'read'),
  header(dict('(6L,)'), 'refused', 3),
  header(dict('(6,)', "'u1'"), 'read'),
  header(dict('(6,)', "'>u1'"), 'read'),
  header(dict('(6,)', "'=i1'"), 'read'),
  header(dict('(3,)', "'|i2'"), 'read'),
  header(dict('(2, 3)', "'|u1'", 'True'), 'read'),
  header(dict('(6)'), 'refused'),
  header(dict('6'), 'refused'),
  header(dict('[6]'), 'refused'),
  header(dict('(06,)'), 'refused'),
  header(dict('(6.0,)'), 'refused'),
  header(dict('(-1, -6)'), 'refused'),
  header(dict('(6,,)'), 'refused'),
  header(dict(`(${'1, '.repeat(64)}6)`), 'refused'),
  header(dict('(6,)', "'|u1'", '0'), 'refused'),
  header(dict('(6,)', "'|u1'", 'false'), 'refused'),
  header(dict('(6,)', "'|O'"), 'refused'),
  header(`{'descr': '|u1', 'fortran_order': False, 'shape': (6,), 'extra': 1}`, 'refused'),
  header(`{'x': "'shape': (1,)", 'descr': '|u1', 'fortran_order': False, 'shape': (6,)}`, 'refused'),
  header(`{'descr': '|u1', 'shape': (6,)}`, 'refused'),
  header(`${dict()} ;`, 'refused'),
  header(`${dict()}\0`, 'refused'),
  header(`${dict()}\\`.padStart(117), 'refused'),
  header(`\n ${dict()}`, 'refused'),
  header(dict('(6 L,)'), 'read'),
  header(dict('(0x6,)'), 'read'),
  header(dict('(0x_1, 0b1, +6)'), 'read'),
  header(dict('((6),)', `u'|' "\\x75" r'''1'''`), 'read'),
  header(dict('(6,)', "'\\x7'"), 'refused'),
  header(dict('(6,)', "b'|u1'"), 'refused'),
  header(dict(`${'('.repeat(201)}6,${')'.repeat(201)}`), 'refused'),
  header(`{'descr': '|u1', 'fortran_order': False, 'shape': (1,), 'shape': (6,)}`, 'read'),
  header(`\\\n${dict()} # a comment`, 'read'),
  header(`${dict()}# \xe9`, 'read'),
  { ...header(`${dict()}# \xe9`, 'refused', 3), what: 'a header of version 3 that is not UTF-8' },
  ...['B', 'uint8', 'ubyte', '>B', '|b', 'int8', 'byte'].map((name) => header(dict('(6,)', `'${name}'`), 'read')),
  ...['h', 'int16', '>e', 'half'].map((name) => header(dict('(3,)', `'${name}'`), 'read')),
  ...['<int8', 'Float16', '', '<', '<<i1'].map((name) => header(dict('(3,)', `'${name}'`), 'refused')),
  header(dict('(3,)', "'2u1'"), 'strict'),
  header(dict('(6,)', "('|u1', ())"), 'strict'),
  { what: "C's long", npz: ofArray(npy('int64', [1], [6], { header: dict('(1,)', "'l'") })), by: 'strict' },
  bytes('version 1.1', 7, 1, 'refused'),
  bytes('version 9.0', 6, 9, 'refused'),
  { what: 'a header of 10,001 bytes', npz: ofArray(withHeader(dict().padEnd(10_100))), by: 'refused' },
  { what: 'a value too few', npz: ofArray(plain.subarray(0, -1)), by: 'refused' },
  { what: 'bytes behind the values', npz: ofArray(Buffer.concat([plain, Buffer.alloc(3)])), by: 'refused' },
  { what: 'no values', npz: ofArray(empty), by: 'read' },
  {
    what: 'no values, a wrong CRC',
    npz: writeZip([{ name: 'a.npy', data: empty, central: { crc: 1 } }]),
    by: 'refused',
  },
  {
    what: '2^64 rows of nothing',
    npz: ofArray(Buffer.concat([npyHeader(dict('(18446744073709551616, 0)'))])),
    by: 'refused',
  },
  member('Zip64 sizes', { zip64: true }, 'read'),
  member('sizes behind the data', { method: 8, descriptor: 'signed' }, 'read'),
  member('a comment', { comment: Buffer.from('x') }, 'read'),
  member('three bytes that are no extra field', { extra: Buffer.of(1, 0, 0) }, 'read'),
  member('an unknown extra field', { extra: extraOf([7], 0x9999), localExtra: extraOf([7, 8], 0x9999) }, 'read'),
  member('a name in code page 437', { nameBytes: Buffer.from([0x81, ...Buffer.from('.npy')]), flags: 0 }, 'read'),
  member('a name that ends at NUL', { nameBytes: Buffer.from('b.npy\0x') }, 'read'),
  member(
    'a name that is not UTF-8',
    { nameBytes: Buffer.from([0xff, ...Buffer.from('.npy')]), flags: 0x800 },
    'refused',
  ),
  member(
    'deflated data without their end',
    { method: 8, packed: deflateRawSync(plain, { finishFlush: constants.Z_SYNC_FLUSH }) },
    'read',
  ),
  member('packed by bzip2', { method: 12 }, 'refused'),
  member('a stored member shorter than it is said to be', { central: { size: plain.length + 5 } }, 'strict'),
  member('a stored member longer than it is', { central: { compressed: plain.length - 1 } }, 'refused'),
  member('a name that ends at NUL in front of it only', { localName: Buffer.from('a.npy\0') }, 'refused'),
  member('another name before the data', { localName: Buffer.from('b.npy') }, 'refused'),
  member('an extra field that is cut off', { extra: Buffer.from([1, 0, 99, 0]) }, 'refused'),
  member(
    'a Zip64 field behind another',
    { central: { size: 0xffffffff }, extra: Buffer.concat([extraOf([7], 0x9999), extraOf([plain.length])]) },
    'read',
  ),
  member('a Zip64 field that is cut off', { central: { size: 0xffffffff }, extra: extraOf([]) }, 'refused'),
  member('a format of version 9.9', { central: { needs: 99 } }, 'refused'),
  member('a patch', { flags: 0x20 }, 'refused'),
  member('encrypted', { flags: 1 }, 'refused'),
  member('a wrong CRC', { central: { crc: 1 } }, 'refused'),
  member('deflated data that end early', { method: 8, packed: deflateRawSync(plain).subarray(0, -4) }, 'refused'),
  member('more deflated data than said', { method: 8, packed: deflateRawSync(Buffer.concat([plain, plain])) }, 'read'),
  layout('a comment at the end', { comment: Buffer.from('made by hand') }, 'read'),
  layout('bytes behind the comment', { comment: Buffer.from('x'), behind: Buffer.from('y') }, 'read'),
  layout('a number of entries that is wrong', { end: { entries: 7 } }, 'read'),
  layout('Zip64 end', { zip64: true }, 'read'),
  layout('gaps between members', { between: Buffer.alloc(9) }, 'read'),
  layout('bytes before the first member', { before: Buffer.from('#!/bin/sh\n') }, 'refused'),
  layout('a directory larger than the file', { end: { directoryBytes: 1e6 } }, 'refused'),
  layout('a directory that begins elsewhere', { end: { directoryBytes: 9 } }, 'refused'),
  {
    what: 'a name twice',
    npz: writeZip([
      { name: 'a.npy', data: plain },
      { name: 'a.npy', data: plain },
    ]),
    by: 'strict',
  },
  {
    what: 'a text file that is encrypted',
    npz: writeZip([
      { name: 'a.npy', data: plain },
      { name: 'x.txt', data: plain, flags: 1 },
    ]),
    by: 'read',
  },
];
