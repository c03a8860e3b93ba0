import type { NamedArray } from './npz.js';

const BITS = new Map([
  ['Int8Array', 8],
  ['Uint8Array', 8],
  ['Int16Array', 16],
  ['Uint16Array', 16],
  ['Int32Array', 32],
  ['Float32Array', 32],
]);

export function bitsOfWord({ data }: Pick<NamedArray, 'data'>): number {
  const bits = BITS.get(data.constructor.name);
  if (bits === undefined) throw new Error(`no word for ${data.constructor.name}`);
  return bits;
}

const DIGITS = Buffer.from('0123456789abcdef');
const [SPACE, NEWLINE] = Buffer.from(' \n');

/**
 * Text for Verilog's $readmemh: a word a value in hexadecimal, two's complement (the bits of a float32), row-major, a row a
 * line. `comment` must be one line of ASCII. As bytes: of 16 million words as strings it took 6 s and 800 MB.
 */
export function memhText({ shape, data }: NamedArray, comment: string): Uint8Array {
  const digits = bitsOfWord({ data }) / 4;
  const words =
    data instanceof Float32Array
      ? new Uint32Array(data.buffer, data.byteOffset, data.length)
      : (data as ArrayLike<number>);
  const rowLength = shape.length > 1 ? shape[shape.length - 1] : 1;
  const head = Buffer.from(`// ${comment}\n`);
  const text = Buffer.allocUnsafe(head.length + words.length * (digits + 1));
  head.copy(text);
  for (let i = 0, at = head.length, inRow = rowLength; i < words.length; i++, at += digits + 1) {
    for (let digit = digits - 1, rest = words[i]; digit >= 0; digit--, rest >>= 4) text[at + digit] = DIGITS[rest & 15];
    const isLast = --inRow === 0;
    if (isLast) inRow = rowLength;
    text[at + digits] = isLast ? NEWLINE : SPACE;
  }
  return text;
}
