import { npyHeader } from '../support/npz.js';
import { mutateBytes } from './bytes.js';
import { NUMBERS } from './hostile.js';
import type { Random } from './random.js';

/** Header text and data of a whole npy file. */
export function splitNpy(file: Buffer): { dict: string; data: Buffer; version: number } {
  const version = file[6];
  const start = version === 1 ? 10 : 12;
  const end = start + (version === 1 ? file.readUInt16LE(8) : file.readUInt32LE(8));
  return { version, dict: file.toString('latin1', start, end).trimEnd(), data: file.subarray(end) };
}

const isNpy = (file: Buffer) => file.length >= 12 && file[0] === 0x93 && file[6] >= 1 && file[6] <= 3;

/** Tuples of Python, nearly those, and what eval would have taken. */
const shapes = (n: number): readonly string[] => [
  ...[`(${n},)`, `(${n})`, `(1, ${n})`, `(${n}, 1)`, `(${n}, 1, 1)`, '()', '(0,)', `(0, ${n})`, `(${n}, 0)`],
  ...[`(-1, ${-n})`, `(${-n},)`, `(+${n},)`, `(0${n},)`, '(00,)', `(${n}L,)`, `(${n}.0,)`, '(1e2,)', `(${n}_0,)`],
  ...[`(0x${n.toString(16)},)`, `(0o${n.toString(8)},)`, `(0b${n.toString(2)},)`, `(True, ${n})`, `(${n}, None)`],
  ...[`( ${n} , )`, `(${n},,)`, `(${n},\t)`, `(${n}\n,)`, `(${n};)`, `(${n},) #`, `(${n} # c\n,)`, `((${n},))`],
  ...[`[${n}]`, 'None', `${n}`, `(${n}, (1,))`, `('${n}',)`, `"(${n},)"`, `(${n},)[:1]`, `(${n},) + ()`],
  ...[`(${'1, '.repeat(33)}${n})`, `(${'1, '.repeat(64)}${n})`, `(${'1, '.repeat(2000)}${n})`],
  ...[`(${2 ** 31}, ${2 ** 31})`, `(${2 ** 53},)`, '(18446744073709551616, 0)', '(4294967296, 4294967296)'],
  `(${'9'.repeat(400)},)`,
];
const DESCRS = [
  ...["'<u1'", "'|u1'", "'=u1'", "'>u1'", "'u1'", "'|i1'", "'<i1'", "'|b1'", "'?'", "'|?'", "'<i2'", "'>u2'", "'u4'"],
  ...["'<f4'", "'>f4'", "'=f4'", "'f4'", "'|f4'", "'f'", "'d'", "'e'", "'<f2'", "'<f8'", "'<f16'", "'<i8'", "'>u8'"],
  ...["'<i16'", "'|S1'", "'<U1'", "'|V1'", "'|O'", "'<c8'", "'<M8[ns]'", "'uint8'", "'float32'", "'B'", "'b'", "'h'"],
  ...["[('a', '|u1')]", "('|u1', (1,))", "{'names': ['a'], 'formats': ['u1']}", "'|u1,'", "'(1,)u1'", "''", 'None'],
  ...[
    "'\\x3cu1'",
    "u'|u1'",
    "b'|u1'",
    "r'|u1'",
    "'|u1' '|u1'",
    "'|u' '1'",
    "'|u1\\''",
    '"|u1"',
    "'''|u1'''",
    '1',
    "'<U0'",
  ],
];
const ORDERS = [
  'False',
  'True',
  '0',
  '1',
  'None',
  'false',
  'not True',
  "'False'",
  'False or True',
  '(False)',
  'False ',
];

/** One npy file with another header, or other data behind it. */
export function mutateNpy(file: Buffer, random: Random): Buffer {
  if (!isNpy(file)) return mutateBytes(file, random);
  const { dict, data, version } = splitNpy(file);
  const part = (name: string, value: string) => new RegExp(`'${name}': (${value})`).exec(dict)?.[1] ?? 'None';
  const draft: Draft = {
    descr: part('descr', "'[^']*'"),
    order: part('fortran_order', '\\w+'),
    shape: part('shape', '\\([^)]*\\)'),
    data,
    version,
    pad: 64,
  };
  for (let i = random.few(); i > 0; i--) random.one(HEADER_CHANGES)(draft, random, dict);
  return Buffer.concat([headerOf(draft), draft.data]);
}

interface Draft {
  descr: string;
  order: string;
  shape: string;
  text?: string;
  data: Buffer;
  version: number;
  minor?: number;
  newline?: string;
  length?: number;
  pad: number;
}

function headerOf(draft: Draft): Buffer {
  const { descr, order, shape, version, minor, newline, length, pad } = draft;
  const text = draft.text ?? `{'descr': ${descr}, 'fortran_order': ${order}, 'shape': ${shape}, }`;
  const plain = npyHeader(text.length > 65000 && version === 1 ? text.slice(0, 65000) : text, version === 1 ? 1 : 2);
  const start = version === 1 ? 10 : 12;
  const spaces = (pad - (plain.length % pad)) % pad;
  const header = Buffer.concat([
    plain.subarray(0, -1),
    Buffer.alloc(spaces, ' '),
    Buffer.from(newline ?? '\n', 'latin1'),
  ]);
  header[6] = version;
  header[7] = minor ?? 0;
  const said = length ?? header.length - start;
  if (version === 1) header.writeUInt16LE(said & 0xffff, 8);
  else header.writeUInt32LE(said >>> 0, 8);
  return header;
}

type Change = (draft: Draft, random: Random, dict: string) => void;

const entry = ({ descr, order, shape }: Draft) => `'descr': ${descr}, 'fortran_order': ${order}, 'shape': ${shape}`;

const HEADER_CHANGES: readonly Change[] = [
  (d, random) => (d.shape = random.one(shapes(d.data.length))),
  (d, random) => (d.shape = random.one(shapes(d.data.length))),
  (d, random) => (d.descr = random.one(DESCRS)),
  (d, random) => (d.descr = random.one(DESCRS)),
  (d, random) => (d.order = random.one(ORDERS)),
  (d, random) => (d.data = mutateBytes(d.data, random)),
  (d, random) => (d.data = Buffer.concat([d.data, random.bytes(1 + random.below(70))])),
  (d, random) => (d.data = d.data.subarray(0, Math.max(0, d.data.length - 1 - random.below(70)))),
  (d, random) => (d.version = random.one([0, 1, 2, 3, 4, 9, 255])),
  (d, random) => (d.minor = random.one([1, 7, 255])),
  (d, random) => (d.newline = random.one(['', ' ', '\r\n', '\0', '}', '\n\n', '\t'])),
  (d, random) => (d.length = random.one([0, 1, 9, 10000, 10001, 65535, 0xffffffff])),
  (d, random) => (d.pad = random.one([1, 16, 32, 128, 1024, 16384])),
  // keys: twice, hidden in a text, one too many, one too few
  (d, random) => (d.text = `{${entry(d)}, 'shape': ${random.one(shapes(d.data.length))}}`),
  (d, random) => (d.text = `{${entry(d)}, 'descr': ${random.one(DESCRS)}}`),
  (d) => (d.text = `{'x': "'shape': (1,)", ${entry(d)}, }`),
  (d) => (d.text = `{${entry(d)}, 'extra': 1, }`),
  (d) => (d.text = `{'descr': ${d.descr}, 'shape': ${d.shape}, }`),
  (d) => (d.text = `{${entry(d)}, 1: 2}`),
  // spelt in another way
  (d) => (d.text = `{"descr":${d.descr},"fortran_order":${d.order},"shape":${d.shape}}`),
  (d) => (d.text = `dict(descr=${d.descr}, fortran_order=${d.order}, shape=${d.shape})`),
  (d) => (d.text = `{${entry(d).replaceAll(', ', ',\n')}\t}`),
  (d, random) => (d.text = `${' '.repeat(random.below(9))}{${entry(d)}, }`),
  (d, random) =>
    (d.text = `{${entry(d)}, }${random.one([' ;', ' {}', ', {}', ' # x', "['shape']", '\\', '\0', '\f'])}`),
  (d, random) => (d.text = `({${entry(d)}, }${random.one([')', ',)', ''])}`),
  (d, random) => (d.text = `{${entry(d)}, ${"'k': 0, ".repeat(random.one([1, 100, 1200]))}}`),
  (d, random, dict) => (d.text = mutateBytes(Buffer.from(dict, 'latin1'), random).toString('latin1')),
  (d, random) =>
    (d.text = `{'descr': ${'['.repeat(random.one([3, 2000]))}, 'fortran_order': False, 'shape': ${'('.repeat(2000)}`),
];

/** Other numbers in the same header: as a mistake would make them, or any. */
export function mutateValues(file: Buffer, random: Random): Buffer {
  const out = Buffer.from(file);
  if (!isNpy(file)) return out;
  const { dict } = splitNpy(file);
  const data = out.subarray(out.length - splitNpy(file).data.length);
  const size = Number(/'descr': '.\w(\d+)'/.exec(dict)?.[1] ?? 1);
  if (data.length >= size) random.one(size === 1 ? [...ANY_VALUES, ...BYTE_VALUES] : ANY_VALUES)(data, size, random);
  return out;
}

type ValueChange = (data: Buffer, size: number, random: Random) => unknown;

const ANY_VALUES: readonly ValueChange[] = [
  (data, _, random) => {
    for (let i = random.between(1, 8); i > 0; i--) data[random.below(data.length)] = random.below(256);
  },
  (data, _, random) => random.bytes(data.length).copy(data),
  (data, _, random) => void data.fill(random.one([0, 1, 127, 128, 255])),
  (data, size, random) => {
    const rolled = (size * random.between(1, 16)) % data.length;
    Buffer.concat([data.subarray(rolled), data.subarray(0, rolled)]).copy(data);
  },
  (data, size) => {
    const before = Buffer.from(data);
    for (let at = 0; at + size <= data.length; at += size) before.copy(data, data.length - at - size, at, at + size);
  },
  (data, size, random) => {
    if (size < 4) return;
    const numbers = [...NUMBERS, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, random.real()];
    for (let at = 0; at + size <= data.length; at += size) {
      if (size === 4) data.writeFloatLE(random.one(numbers), at);
      else data.writeDoubleLE(random.one(numbers), at);
    }
  },
];

const BYTE_VALUES: readonly ValueChange[] = [
  (data) => Buffer.from(data.map((code) => code + 1)).copy(data),
  (data, _, random) => Buffer.from(data.map((code) => Math.min(255, code + random.below(2)))).copy(data),
  (data) => Buffer.from(data.map((code) => code ^ 128)).copy(data),
  (data) => Buffer.from(data.map((code) => Math.max(code, 128))).copy(data),
  (data, _, random) => {
    const [channels, by] = [random.between(1, 16), random.between(1, 255)];
    for (let i = random.below(channels); i < data.length; i += channels) data[i] += by;
  },
];
