import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { nodeFileSystem } from '../../src/io.js';
import { openNpyFolder } from '../../src/load/npyFolder.js';
import { openNpz } from '../../src/load/npz.js';
import type { ArrayFile } from '../../src/nouns/array.js';
import { memoryFiles } from '../support/memoryFiles.js';
import { npy, npyHeader, npz, type ZipMemberSpec, zip } from '../support/npz.js';
import { problemsOf } from '../support/problems.js';

const FIXTURES = join(import.meta.dirname, '../../fixtures/npz');
const opened: ArrayFile[] = [];
afterEach(async () => {
  for (const file of opened.splice(0)) await file.close();
});

async function open(bytes: Uint8Array): Promise<ArrayFile> {
  const file = await openNpz(memoryFiles({ 'a.npz': bytes }), 'a.npz');
  opened.push(file);
  return file;
}

describe('files that numpy wrote', () => {
  const expected: Record<string, Record<string, { shape: number[]; values: (number | boolean)[] }>> = JSON.parse(
    readFileSync(join(FIXTURES, 'values.json'), 'utf8'),
  );
  const rows = Object.keys(expected).flatMap((name) => [name, `${name}-deflated`]);
  test.each(rows)('%s.npz holds what numpy reads', async (name) => {
    const arrays = new Map(Object.entries(expected[name.replace('-deflated', '')]));
    const file = await openNpz(nodeFileSystem, join(FIXTURES, `${name}.npz`));
    opened.push(file);
    expect([...file.arrays.keys()].sort()).toEqual([...arrays.keys()].sort());
    for (const [key, { shape, values }] of arrays) {
      const source = file.arrays.get(key)!;
      expect(source.shape, key).toEqual(shape);
      expect([...(await source.read())], key).toEqual(values.map(Number));
      if (shape[0] > 1) {
        const rowLength = values.length / shape[0];
        const middle = values.slice(rowLength, 2 * rowLength).map(Number);
        expect([...(await source.read(1, 2))], `${key}, row 1`).toEqual(middle);
      }
    }
  });

  test.each([
    [
      'object.npz',
      [
        /object\.npz bias: expected numbers, got Python objects \(dtype object\), .*leave a None out/,
        /object\.npz list: expected numbers, got Python objects/,
      ],
    ],
    [
      'not-numbers.npz',
      [
        /structured: expected one number a value, got a structured dtype; save each field as its own array/,
        /text: expected numbers .*, got dtype <U1/,
        /complex: expected numbers .*, got dtype <c8/,
        /bytes: expected numbers .*, got dtype \|S1/,
        /date: expected numbers .*, got dtype <M8\[D\]/,
      ],
    ],
  ])('%s: every refused array is a problem', async (name, messages) => {
    const problems = await problemsOf(openNpz(nodeFileSystem, join(FIXTURES, name)));
    expect(problems).toEqual(messages.map((message) => expect.stringMatching(message)));
  });

  test('integers beyond 2^53 are refused, not rounded', async () => {
    const file = await openNpz(nodeFileSystem, join(FIXTURES, 'beyond-2-53.npz'));
    opened.push(file);
    expect(await problemsOf(file.arrays.get('too_large')!.read())).toEqual([
      expect.stringMatching(/too_large: expected integers within 2\^53, got 9007199254740992 \(value 1 /),
    ]);
    expect(await problemsOf(file.arrays.get('too_small')!.read())).toEqual([
      expect.stringMatching(/got -9223372036854775808 /),
    ]);
  });
});

test('zipped anew on a Mac: what it puts beside each file is no array', async () => {
  const members = [
    ['fc1.npy', npy('int8', [2], [1, 2])],
    ['__MACOSX/._fc1.npy', Buffer.from('Mac OS X')],
  ] as const;
  expect([...(await open(zip(members))).arrays.keys()]).toEqual(['fc1']);
});

test('text and the like beside numbers is refused where it is asked for, in an npz and in a folder; Python objects always', async () => {
  const text = Buffer.concat([npyHeader("{'descr': '<U2', 'fortran_order': False, 'shape': (1,), }"), Buffer.alloc(8)]);
  const numbers = npy('uint8', [2], [1, 2]);
  const folder = memoryFiles({ 'a/fc1.npy': numbers, 'a/labels.npy': text });
  for (const file of [
    await open(npz({ fc1: numbers, labels: text })),
    await openNpyFolder({ ...folder, list: async () => ['fc1.npy', 'labels.npy'] }, 'a'),
  ]) {
    expect([...(await file.arrays.get('fc1')!.read())]).toEqual([1, 2]);
    const labels = file.arrays.get('labels')!;
    for (const ask of [() => labels.read(), async () => labels.dtype, async () => labels.shape]) {
      expect(await problemsOf(ask())).toEqual([
        expect.stringMatching(/labels\S*: expected numbers .*, got dtype <U2;/),
      ]);
    }
  }
  const object = npyHeader("{'descr': '|O', 'fortran_order': False, 'shape': (0,), }");
  expect(await problemsOf(openNpz(memoryFiles({ 'a.npz': npz({ fc1: numbers, object }) }), 'a.npz'))).toHaveLength(1);
});

describe('dtypes as typed arrays', () => {
  test.each([
    ['bool', Uint8Array],
    ['int8', Int8Array],
    ['uint8', Uint8Array],
    ['int16', Int16Array],
    ['uint16', Uint16Array],
    ['int32', Int32Array],
    ['uint32', Uint32Array],
    ['int64', Float64Array],
    ['uint64', Float64Array],
    ['float16', Float32Array],
    ['float32', Float32Array],
    ['float64', Float64Array],
  ] as const)('%s is %o, also without values', async (dtype, type) => {
    const file = await open(npz({ a: npy(dtype, [2], [1, 0]), none: npy(dtype, [0, 3], []) }));
    expect(await file.arrays.get('a')!.read()).toBeInstanceOf(type);
    expect(await file.arrays.get('none')!.read()).toBeInstanceOf(type);
  });

  test('int64 and uint64 up to the last safe integer', async () => {
    const { MAX_SAFE_INTEGER: max } = Number;
    const signed = [max, -max, -1, 0, 2 ** 32, -(2 ** 32), 2 ** 31, -(2 ** 31)];
    const unsigned = [max, 0, 2 ** 32 - 1, 2 ** 32];
    const file = await open(npz({ s: npy('int64', [8], signed), u: npy('uint64', [4], unsigned) }));
    expect([...(await file.arrays.get('s')!.read())]).toEqual(signed);
    expect([...(await file.arrays.get('u')!.read())]).toEqual(unsigned);
  });
});

describe('npy headers', () => {
  const tall = npy('uint8', [2, 3], [1, 2, 3, 4, 5, 6]);
  const withHeader = (dict: string, data = tall.subarray(128), version = 1) =>
    Buffer.concat([npyHeader(dict, version), data]);
  const python2 = "{'descr': '|u1', 'fortran_order': False, 'shape': (2L, 3L), }";

  test.each([
    ['version 2', npy('uint8', [2, 3], [1, 2, 3, 4, 5, 6], { version: 2 })],
    ['version 3', npy('uint8', [2, 3], [1, 2, 3, 4, 5, 6], { version: 3 })],
    ['longs of Python 2', withHeader(python2)],
    ['other order, double quotes', withHeader('{"shape": (2, 3), "fortran_order": False, "descr": "|u1"}')],
    ['padded beyond 1024 bytes', withHeader(python2.padEnd(2000), undefined, 2)],
    ['little-endian mark on single bytes', withHeader(python2.replace('|u1', '<u1'))],
  ])('%s is read', async (_, bytes) => {
    const file = await open(npz({ a: bytes }));
    expect([...(await file.arrays.get('a')!.read())]).toEqual([1, 2, 3, 4, 5, 6]);
  });

  const dict = (descr: string, shape: string) => `{'descr': ${descr}, 'fortran_order': False, 'shape': ${shape}, }`;
  test.each([
    [
      'shape beyond the data',
      withHeader(dict("'|u1'", '(2, 4)')),
      /expected 136 bytes \(its header says uint8 of shape \(2, 4\)\), got 134 bytes; .*cut off/,
    ],
    [
      'shape short of the data',
      withHeader(dict("'|u1'", '(2, 2)')),
      /expected 132 bytes .*, got 134; header and data do not belong together/,
    ],
    ['dtype wider than the data', withHeader(dict("'<f8'", '(2, 3)')), /expected 176 bytes .*float64.*, got 134 bytes/],
    [
      'product beyond 2^53',
      withHeader(dict("'|u1'", `(${2 ** 30}, ${2 ** 30})`)),
      /expected a shape of whole numbers that a file can hold, got \(1073741824, 1073741824\)/,
    ],
    [
      'one huge dimension beside a zero',
      withHeader(dict("'|u1'", '(0, 99999999999999999999)')),
      /expected a shape of whole numbers/,
    ],
    ['negative dimension', withHeader(dict("'|u1'", '(-2, 3)')), /expected a shape of whole numbers.*\(-2, 3\)/],
    ['dimension that is no number', withHeader(dict("'|u1'", '(2, x)')), /expected an npy header .*, got .*\(2, x\)/],
    [
      'no descr',
      withHeader("{'fortran_order': False, 'shape': (2, 3), }"),
      /expected an npy header with descr, fortran_order and shape/,
    ],
    ['not a dict', withHeader('\u001b[2Jprint(1)'), /got \\x1b\[2Jprint\(1\)/],
    ['unknown dtype', withHeader(dict("'<i3'", '(2, 1)')), /expected numbers .*, got dtype <i3; convert with \.astype/],
    ['object', withHeader(dict("'|O'", '(1,)')), /dtype object/],
    ['structured', withHeader(dict("[('a', '<i4')]", '(1,)')), /structured dtype/],
    ['sub-array dtype', withHeader(dict("('<i4', (2,))", '(1,)')), /structured dtype/],
    [
      'version 4',
      Buffer.concat([npyHeader(python2, 4), tall.subarray(128)]),
      /expected npy version 1\.0, 2\.0 or 3\.0, got 4\.0/,
    ],
    [
      'header length beyond the file',
      Buffer.concat([tall.subarray(0, 8), Buffer.from([0xff, 0x1f]), tall.subarray(10)]),
      /expected a header of 8201 bytes, got 134 bytes/,
    ],
    [
      'header length that numpy refuses',
      withHeader(' '.repeat(20_000), undefined, 2),
      /expected a header of at most 10000 bytes, got 2/,
    ],
    ['no magic', Buffer.from('x'.repeat(200)), /expected an npy array, got other data/],
    ['nothing', Buffer.alloc(0), /expected an npy array, got other data/],
    ['only the preamble of version 2', Buffer.from('\x93NUMPY\x02\x00abc', 'latin1'), /expected npy version/],
  ])('%s is refused', async (_, bytes, message) => {
    for (const deflate of [false, true]) {
      expect(await problemsOf(open(npz({ a: bytes }, { deflate })))).toEqual([expect.stringMatching(message)]);
    }
  });
});

describe('zip files', () => {
  const a = npy('uint8', [3], [1, 2, 3]);
  let seed = 1;
  const noise = Uint8Array.from({ length: 4000 }, () => {
    seed = Math.imul(seed, 1664525) + 1013904223;
    return seed >>> 24;
  });
  const big = npy('uint8', [4000], noise); // deflates to about its own size

  test.each([
    ['stored', zip([['a.npy', a]])],
    ['deflated', zip([['a.npy', a, { deflate: true }]])],
    ['Zip64 member', zip([['a.npy', a, { zip64: true }]])],
    ['Zip64 deflated member', zip([['a.npy', a, { zip64: true, deflate: true }]])],
    ['Zip64 end records', zip([['a.npy', a, { zip64: true }]], { zip64: true })],
    [
      'beside a folder and a text file',
      zip([
        ['d/', Buffer.alloc(0)],
        ['readme.txt', Buffer.from('hi')],
        ['a.npy', a],
      ]),
    ],
  ])('%s is read', async (_, bytes) => {
    const file = await open(bytes);
    expect([...file.arrays.keys()]).toEqual(['a']);
    expect([...(await file.arrays.get('a')!.read())]).toEqual([1, 2, 3]);
  });

  const members: ZipMemberSpec[] = [
    ['a.npy', a],
    ['b.npy', a],
  ];
  const good = zip(members);
  test.each([
    [
      'encrypted member',
      zip([['a.npy', a, { encrypted: true }]]),
      [/^a\.npz a\.npy: expected a plain member, got an encrypted one/],
    ],
    [
      'deflated member of an impossible size',
      zip([['a.npy', a, { deflate: true, zip64: true, size: 2 ** 40 }]]),
      [/^a\.npz a\.npy: expected at most 1032 bytes for each of \d+ deflated ones, got 1099511627776 .*zip bomb/],
    ],
    [
      'two members of one name',
      zip([...members, ['a.npy', a]]),
      [/^a\.npz a\.npy: expected one member of this name, got two/],
    ],
    ['bzip2', zip([['a.npy', a, { method: 12 }]]), [/^a\.npz a\.npy: expected a stored or deflated member, got bzip2/]],
    ['unknown method', zip([['a.npy', a, { method: 77 }]]), [/got method 77/]],
    [
      'stored member of another size',
      zip([['a.npy', a, { size: 9 }]]),
      [/expected 9 bytes of a stored member, got 131/],
    ],
    ['nothing', Buffer.alloc(0), [/^a\.npz: expected an npz file, got an empty file/]],
    ['text', Buffer.from('hello, world, hello'), [/^a\.npz: expected an npz file, got other data/]],
    ['JSON', Buffer.from('{"format": "qdiff-model"}'), [/got JSON text; the model comes first, then a file of values/]],
    ['npy', a, [/got a single array; save the arrays together with numpy\.savez/]],
    ['pickle', Buffer.from('\x80\x02cfoo bar baz 0123456', 'latin1'), [/got a pickle/]],
    ['gzip', Buffer.from('\x1f\x8b\x08 0123456789 0123456', 'latin1'), [/got a gzip file/]],
    ['end cut off', good.subarray(0, -1), [/expected a whole zip file, got one that is cut off or damaged/]],
    ['half', good.subarray(0, good.length / 2), [/cut off or damaged/]],
    ['directory damaged', Buffer.from(good).fill(0, good.length - 124, good.length - 120), [/cut off or damaged/]],
    [
      'a name that directory and member spell differently',
      Buffer.from(good.toString('latin1').replace('a.npy', 'c.npy'), 'latin1'),
      [/^a\.npz a\.npy: expected the member that the directory names, got c\.npy; .*damaged/],
    ],
    ['no members', zip([]), [/expected arrays \(members NAME\.npy\), got an empty zip file/]],
    [
      'torch.save archive',
      zip([['archive/data.pkl', a]]),
      [/got a zip file with archive\/data\.pkl; write it with numpy\.savez/],
    ],
    [
      'all problems of a file, names escaped',
      zip([
        ['x\u001b[2J.npy', a, { encrypted: true }],
        ['y\u202e.npy', Buffer.from('no')],
        ['ok.npy', a],
      ]),
      [/^a\.npz x\\x1b\[2J\.npy: .*encrypted/, /^a\.npz y\\u202e: expected an npy array/],
    ],
  ])('%s is refused when opened', async (_, bytes, messages) => {
    const files = memoryFiles({ 'a.npz': bytes });
    const problems = await problemsOf(openNpz(files, 'a.npz'));
    expect(problems).toEqual(messages.map((message) => expect.stringMatching(message)));
    expect(files.openCount()).toBe(0);
  });

  const flip = (bytes: Buffer, at: number) => Buffer.from(bytes).fill(bytes[at] ^ 1, at, at + 1);
  const stored = zip([['a.npy', big]]);
  const deflated = zip([['a.npy', big, { deflate: true }]]);
  // header says 200 values and the directory 328 bytes, the data inflate to more
  const bomb = zip([
    [
      'a.npy',
      Buffer.concat([npy('uint8', [200], new Uint8Array(200)), Buffer.alloc(1 << 20)]),
      { deflate: true, size: 328 },
    ],
  ]);
  const shortened = zip([['a.npy', big.subarray(0, 2000), { deflate: true, size: big.length }]]);
  test.each([
    [
      'a flipped bit of stored data',
      flip(stored, 500),
      /^a\.npz a\.npy: expected CRC-32 [0-9a-f]{8}, got [0-9a-f]{8}; the file is damaged/,
    ],
    ['a wrong CRC of deflated data', zip([['a.npy', big, { deflate: true, crc: 1 }]]), /expected CRC-32 00000001, got/],
    ['a damaged deflate stream', Buffer.from(deflated).fill(0xff, 2000, 2500), /^a\.npz a\.npy: .*damaged/],
    ['more than header and shape say', bomb, /^a\.npz a\.npy: expected CRC-32/],
    ['less than header and shape say', shortened, /expected deflated data, got data that ends early/],
  ])('%s is refused when read', async (_, bytes, message) => {
    const file = await open(bytes);
    expect(await problemsOf(file.arrays.get('a')!.read())).toEqual([expect.stringMatching(message)]);
    expect(await problemsOf(file.arrays.get('a')!.read(1, 2))).toEqual([expect.stringMatching(message)]);
  });

  test('a missing file, a folder', async () => {
    const files = memoryFiles({ 'd/a.npy': a });
    expect(await problemsOf(openNpz(files, 'no\u001b.npz'))).toEqual([
      'no\\x1b.npz: expected a file, found nothing; check the path',
    ]);
    expect(await problemsOf(openNpz(files, 'd'))).toEqual(['d: expected a file, got a folder']);
  });
});

describe('what the operating system says', () => {
  const failing = (code: string, at: 'open' | 'read') => {
    const fail = async () => {
      throw Object.assign(new Error(code), { code });
    };
    const file = { size: 100, read: fail, close: async () => {} };
    return { ...memoryFiles({}), open: at === 'open' ? fail : async () => file };
  };

  test.each([
    ['ENOENT', 'open', 'a.npz: expected a file, found nothing; check the path'],
    ['EACCES', 'open', 'a.npz: expected a readable file; there is no permission to read it'],
    ['EISDIR', 'read', 'a.npz: expected a file, got a folder'],
    ['EIO', 'read', 'a.npz: cannot be read (EIO)'],
  ] as const)('%s at %s', async (code, at, problem) => {
    expect(await problemsOf(openNpz(failing(code, at), 'a.npz'))).toEqual([problem]);
  });

  test('an error without a code is a defect, not a problem', async () => {
    const broken = { ...memoryFiles({}), open: () => Promise.reject(new Error('defect')) };
    await expect(openNpz(broken, 'a.npz')).rejects.toThrow('defect');
  });
});

describe('arrays too large to be read whole', () => {
  // 36 MiB of int32 [9216, 1024]: value = row * 1024 + column
  const [rows, cols] = [9216, 1024];
  const numbers = Int32Array.from({ length: rows * cols }, (_, i) => i);
  const header = (fortran: boolean) =>
    npyHeader(`{'descr': '<i4', 'fortran_order': ${fortran ? 'True' : 'False'}, 'shape': (${rows}, ${cols}), }`);
  const inC = Buffer.concat([header(false), new Uint8Array(numbers.buffer)]);
  const inFortran = () => {
    const transposed = Int32Array.from({ length: rows * cols }, (_, i) => (i % rows) * cols + Math.floor(i / rows));
    return Buffer.concat([header(true), new Uint8Array(transposed.buffer)]);
  };

  test.each([
    ['stored', () => zip([['a.npy', inC]])],
    ['deflated', () => zip([['a.npy', inC, { deflate: true }]])],
    ['stored, Fortran order', () => zip([['a.npy', inFortran()]])],
    ['deflated, Fortran order', () => zip([['a.npy', inFortran(), { deflate: true }]])],
  ])('%s: any order of ranges', async (_, bytes) => {
    const source = (await open(bytes())).arrays.get('a')!;
    for (const [from, to] of [
      [0, 3],
      [3, 5],
      [9000, 9216],
      [1, 2],
      [4000, 4001],
      [7, 7],
      [0, 9216],
    ]) {
      const got = await source.read(from, to);
      expect(got.length).toBe((to - from) * cols);
      expect(
        got.findIndex((value, i) => value !== from * cols + i),
        `rows ${from}..${to}`,
      ).toBe(-1);
    }
    const both = await Promise.all([source.read(5000, 5001), source.read(10, 11)]);
    expect(both.map((part) => part[0])).toEqual([5000 * cols, 10 * cols]);
  });

  test.each([
    ['stored', {}],
    ['deflated', { deflate: true }],
  ])('%s: a bad CRC shows when the end is reached', async (_, options) => {
    const source = (await open(zip([['a.npy', inC, { ...options, crc: 7 }]]))).arrays.get('a')!;
    expect((await source.read(0, 9215)).length).toBe(9215 * cols);
    expect(await problemsOf(source.read(9215, 9216))).toEqual([expect.stringMatching(/expected CRC-32 00000007/)]);
  });

  test('a large member that inflates to more ends where it should', async () => {
    const bomb = Buffer.concat([inC, Buffer.alloc(64 << 20)]);
    const source = (await open(zip([['a.npy', bomb, { deflate: true, size: inC.length }]]))).arrays.get('a')!;
    expect(await problemsOf(source.read(0, rows))).toEqual([expect.stringMatching(/expected CRC-32/)]);
  });

  test('a hundred million zeros are read in blocks of rows; at once only where they are not deflated to nearly nothing', async () => {
    const [rows, cols] = [2, 66 << 20];
    const zeros = Buffer.concat([
      npyHeader(`{'descr': '|u1', 'fortran_order': False, 'shape': (${rows}, ${cols}), }`),
      Buffer.alloc(rows * cols),
    ]);
    const bomb = (await open(zip([['a.npy', zeros, { deflate: true }]]))).arrays.get('a')!;
    expect(await problemsOf(bomb.read(0, 1))).toEqual([
      expect.stringMatching(
        /^\S+ \S+: expected at most 67108864 bytes at once .*, got 69206016 .* out of \d+; .*numpy.savez/,
      ),
    ]);
    const stored = (await open(zip([['a.npy', zeros]]))).arrays.get('a')!;
    expect((await stored.read(0, 1)).length).toBe(cols);
    const inRows = Buffer.from(zeros);
    npyHeader(`{'descr': '|u1', 'fortran_order': False, 'shape': (${rows << 10}, ${cols >> 10}), }`).copy(inRows);
    const blocks = (await open(zip([['a.npy', inRows, { deflate: true }]]))).arrays.get('a')!;
    expect((await blocks.read(1000, 1500)).length).toBe(500 * (cols >> 10));
  });

  test('a large member that ends early is cut off', async () => {
    const source = (
      await open(zip([['a.npy', inC.subarray(0, 1 << 20), { deflate: true, size: inC.length }]]))
    ).arrays.get('a')!;
    expect((await source.read(0, 1))[1]).toBe(1);
    expect(await problemsOf(source.read(300, 301))).toEqual([expect.stringMatching(/ends early or is damaged/)]);
  });
});

describe('memory that is given back', () => {
  const filled = (value: number) => npy('uint8', [3, 5], Array<number>(15).fill(value));
  const opened = async () => (await open(zip([1, 2, 3].map((value) => [`a${value}.npy`, filled(value)])))).arrays;

  test('holds the next array of that length, and is read from the file again', async () => {
    const arrays = await opened();
    const [a1, a2] = [arrays.get('a1')!, arrays.get('a2')!];
    const first = await a1.read();
    a1.release!(first);
    const second = await a2.read();
    expect(second.buffer).toBe(first.buffer);
    expect([...second]).toEqual(Array(15).fill(2));
    expect([...(await a1.read())]).toEqual(Array(15).fill(1));
  });

  test('stays as it is where another read was given it', async () => {
    const arrays = await opened();
    const [a1, a2] = [arrays.get('a1')!, arrays.get('a2')!];
    const [whole, row] = await Promise.all([a1.read(), a1.read(1, 2)]);
    a1.release!(whole);
    await a2.read();
    expect([...row]).toEqual(Array(5).fill(1));
  });
});

describe('folders of npy files', () => {
  const files = memoryFiles({
    'd/fc1.npy': npy('uint8', [2, 2], [1, 2, 3, 4]),
    'd/fc2.npy': npy('int32', [2], [5, 6], { fortranOrder: true, bigEndian: true }),
    'd/notes.txt': 'no array',
    'bad/a.npy': 'no array',
    'bad/b.npy': npy('uint8', [2], [1]),
    'none/a.txt': '',
  });

  test('every .npy file is an array', async () => {
    const folder = await openNpyFolder(files, 'd');
    expect([...folder.arrays.keys()]).toEqual(['fc1', 'fc2']);
    expect([...(await folder.arrays.get('fc1')!.read(1, 2))]).toEqual([3, 4]);
    expect([...(await folder.arrays.get('fc2')!.read())]).toEqual([5, 6]);
    expect(files.openCount()).toBe(0);
  });

  test.each([
    ['bad', [/^bad\/a\.npy: expected an npy array/, /^bad\/b\.npy: expected 130 bytes .*, got 129 bytes/]],
    ['none', [/^none: expected files NAME\.npy in the folder .*, got a\.txt; save values with numpy\.save/]],
    ['missing', [/^missing: expected a file, found nothing/]],
  ])('%s: problems', async (path, messages) => {
    const problems = await problemsOf(openNpyFolder(files, path));
    expect(problems).toEqual(messages.map((message) => expect.stringMatching(message)));
  });
});

test('a member beyond 4 GiB (Zip64) is read by range, never whole', async () => {
  const cols = 1 << 20;
  const rows = 6 << 10; // 6 GiB
  const header = npyHeader(`{'descr': '|u1', 'fortran_order': False, 'shape': (${rows}, ${cols}), }`);
  const size = header.length + rows * cols;
  // Only the ends of the file are in memory; in between, a byte is its position's remainder by 251.
  const ends = zip([['a.npy', header, { zip64: true }]], { zip64: true });
  const start = ends.indexOf('\x93NUMPY', 0, 'latin1');
  const tail = Buffer.from(ends.subarray(start + header.length));
  const sizes = tail.indexOf('PK\x01\x02') + 46 + 'a.npy'.length + 4;
  tail.writeBigUInt64LE(BigInt(size), sizes);
  tail.writeBigUInt64LE(BigInt(size), sizes + 8);
  const record = tail.indexOf('PK\x06\x06');
  tail.writeBigUInt64LE(BigInt(start + size), record + 48);
  tail.writeBigUInt64LE(BigInt(start + size + record), record + 64);
  const head = ends.subarray(0, start + header.length);
  const tailStart = start + size;
  const byteAt = (at: number) => (at < head.length ? head[at] : at < tailStart ? at % 251 : tail[at - tailStart]);
  const virtual = {
    size: tailStart + tail.length,
    read: async (target: Uint8Array, position: number) => {
      const length = Math.min(target.length, tailStart + tail.length - position);
      for (let i = 0; i < length; i++) target[i] = byteAt(position + i);
      return length;
    },
    close: async () => {},
  };
  const file = await openNpz({ ...memoryFiles({}), open: async () => virtual }, 'huge.npz');
  const source = file.arrays.get('a')!;
  expect(source.shape).toEqual([rows, cols]);
  for (const row of [0, 4097, rows - 2]) {
    const got = await source.read(row, row + 1);
    const first = head.length + row * cols;
    expect(got.findIndex((value, i) => value !== (first + i) % 251)).toBe(-1);
  }
  expect(await problemsOf(source.read())).toEqual([
    expect.stringMatching(/expected at most 2147483648 bytes to be read at once/),
  ]);
});
