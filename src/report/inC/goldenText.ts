/** Arrays and comments in C. */
import type { GoldenArray } from '../../analyze/goldenArrays.js';
import type { NumericArray } from '../../nouns/array.js';
import { sizeOf } from '../../tensor/shape.js';

const C_TYPES = new Map([
  ['Int8Array', 'int8_t'],
  ['Uint8Array', 'uint8_t'],
  ['Int16Array', 'int16_t'],
  ['Int32Array', 'int32_t'],
]);

export function isIntegers({ data }: GoldenArray): boolean {
  return C_TYPES.has(data.constructor.name);
}

export function commented(text: string): string {
  return text
    .replace(/[^\x20-\x7e]/g, '?')
    .replaceAll('*/', '* /')
    .replaceAll('/*', '/ *');
}

export function integerArray({ name, data }: GoldenArray, shape: readonly number[], id: string): string {
  const field = name.slice(name.lastIndexOf('.') + 1);
  const dims = shape.map((n) => `[${n}]`).join('');
  return `static const ${C_TYPES.get(data.constructor.name)} ${id}_${field}${dims} = ${braces(data, shape)};`;
}

function braces(data: NumericArray, [first, ...rest]: readonly number[]): string {
  if (rest.length === 0) return `{${Array.from(data, literal).join(', ')}}`;
  const size = sizeOf(rest);
  const rows = Array.from({ length: first }, (_, i) => braces(data.subarray(i * size, (i + 1) * size), rest));
  return `{\n  ${rows.join(',\n  ')}}`;
}

/** -2147483648 is no literal of int32_t in C. */
function literal(value: number): string {
  return value === -(2 ** 31) ? '(-2147483647 - 1)' : String(value);
}

export function plainArray(type: string, name: string, data: ArrayLike<number>): string {
  return `static const ${type} ${name}[${data.length}] = {${Array.from(data, literal).join(', ')}};`;
}
