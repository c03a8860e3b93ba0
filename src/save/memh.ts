import type { NamedArray } from './npz.js';

const BITS = new Map([
  ['Int8Array', 8],
  ['Uint8Array', 8],
  ['Int16Array', 16],
  ['Int32Array', 32],
  ['Float32Array', 32],
]);

export function bitsOfWord({ data }: Pick<NamedArray, 'data'>): number {
  const bits = BITS.get(data.constructor.name);
  if (bits === undefined) throw new Error(`no word for ${data.constructor.name}`);
  return bits;
}

/**
 * Text for Verilog's $readmemh: a word a value in hexadecimal, two's complement (the bits of a float32), row-major, a row a
 * line. `comment` must be one line.
 */
export function memhText({ shape, data }: NamedArray, comment: string): string {
  const bits = bitsOfWord({ data });
  const words =
    data instanceof Float32Array
      ? new Uint32Array(data.buffer, data.byteOffset, data.length)
      : (data as ArrayLike<number>);
  const rowLength = shape.length > 1 ? shape[shape.length - 1] : 1;
  const lines = [`// ${comment}`];
  for (let at = 0; at < words.length; at += rowLength) {
    const row = Array.from({ length: rowLength }, (_, i) => hex(words[at + i], bits));
    lines.push(row.join(' '));
  }
  return `${lines.join('\n')}\n`;
}

function hex(value: number, bits: number): string {
  const unsigned = value < 0 ? value + 2 ** bits : value;
  return unsigned.toString(16).padStart(bits / 4, '0');
}
