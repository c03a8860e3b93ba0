/** Values that have broken readers of files before. */

/** The mark of markup that must never arrive as markup: the oracle looks for it. */
export const MARKUP = '<qx';

export const NAMES: readonly string[] = [
  // markup of html, XML, markdown
  '<qx onload=1>',
  '</script><qx>',
  '<!--<script><qx>',
  '"><qx>',
  "'><qx a='",
  ']]><qx>',
  '&lt;qx&gt;<qx>',
  '|x|',
  '\\|x',
  '``` x',
  '`@everyone`',
  '[x](javascript:alert(1))',
  '![x](http://example.invalid/x)',
  // terminals
  '\u001b[31mred\u001b[0m',
  '\u001b]0;title\u0007',
  '\u009b31m',
  '\u0007',
  'a\nb',
  '\0',
  // direction, width, nothing to see
  '\u202eevil\u202c',
  '\u2066i\u2069',
  '\u200bzero',
  '\ufeffbom',
  '\u00ad',
  '\u061c',
  '\u2028',
  '\u2029',
  '\u0300\u0301\u0302',
  // beyond one UTF-16 unit, half of it, outside of Unicode's characters
  '\u{1d4b3}',
  '\ud800',
  '\udc00\ud800',
  '\ufffe',
  '\uffff',
  '\ue000',
  '\u{e0041}',
  '\u{f0000}',
  // logs of CI
  'a\r\n::error::x',
  '::error file=x::pwn',
  '##[error]x',
  '::set-output name=a::b',
  '%0A::error::',
  // JavaScript's objects and replacements
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  '$&',
  "$'",
  '$1',
  '{{7*7}}',
  // the formats' own names
  'fc1',
  'fc1.input',
  'fc1.accumulator',
  'batch_sizes',
  'quant',
  '*',
  'a=b',
  // options, paths, shells, sources
  '-',
  '--help',
  '-v',
  ' ',
  '../x',
  '/etc/passwd',
  'C:\\x',
  'con',
  '.',
  '..',
  '$(touch x)',
  "'; touch x #",
  '*/ int x; /*',
  '"""\nimport os\n"""',
  '\\',
  'x\\',
  "x'",
  '層',
  '🙂',
  'a'.repeat(5000),
];

export const NUMBERS: readonly number[] = [
  ...[0, -0, 1, -1, 2, 0.5, -0.5, 0.1, 1e-7],
  // float32's and float64's edges: subnormal, smallest normal, largest, the first that rounds to infinity
  ...[1e-45, 1.4e-45, 5e-324, 2.938737e-39, 1.17549435e-38, 2.2250738585072014e-308, 1e-38],
  ...[1e38, 3.4028234e38, 3.4028235677973366e38, 1e308, 1e21],
  // integers' edges
  ...[127, 128, -128, -129, 255, 256, 32767, 65536, 16777217],
  ...[2147483647, 2147483648, -2147483648, -2147483649, 4294967295, 4294967296, 9007199254740991, 9007199254740992],
];

const nested = (depth: number, open: string, close: string) => open.repeat(depth) + close.repeat(depth);

/** JSON values as text that no serializer writes, and text that is no JSON. */
export const TOKENS: readonly string[] = [
  ...['1e400', '-1e400', '-0', '-0.0', '1E+2', '1e-400', 'NaN', 'Infinity', '-Infinity', `1${'0'.repeat(400)}`],
  ...['0x10', '01', '+1', '.5', '1.', "'a'", 'True', 'None', 'undefined', '', '/* c */ 1', '1,', '"\t"', '"\\x41"'],
  ...['"\\ud800"', '"\\u0000"', '{}', '[]', '[[]]', 'null', 'true', '"1"', '[1, [2, [3]]]'],
  ...['{"array": "x"}', '{"array": "fc1.weight"}', '{"array": 1}', '{"array": "../x"}'],
  ...['{"__proto__": {"a": 1}}', '{"a": 1, "a": 2}', '{"$number": "inf"}', '{"$number": "x"}'],
  ...[50, 2000, 20_000].flatMap((depth) => [nested(depth, '[', ']'), nested(depth, '{"a":', '}'), '['.repeat(depth)]),
  `${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`,
];
