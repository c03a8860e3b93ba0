/** Arrays and comments in C. */
import type { GoldenArray } from '../../analyze/goldenArrays.js';
import type { NumericArray } from '../../nouns/array.js';
import { sizeOf } from '../../tensor/shape.js';

/** Takes a text that goes on: numbers are never one string. */
export type Put = (text: string) => void;

const C_TYPES = new Map([
  ['Int8Array', 'int8_t'],
  ['Uint8Array', 'uint8_t'],
  ['Int16Array', 'int16_t'],
  ['Uint16Array', 'uint16_t'],
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

export function integerArray({ name, data }: GoldenArray, shape: readonly number[], id: string, put: Put): void {
  const field = name.slice(name.lastIndexOf('.') + 1);
  const dims = shape.map((n) => `[${n}]`).join('');
  put(`static const ${C_TYPES.get(data.constructor.name)} ${id}_${field}${dims} = `);
  braces(data, 0, shape, put);
  put(';\n');
}

function braces(data: NumericArray, from: number, [first, ...rest]: readonly number[], put: Put): void {
  if (rest.length === 0) {
    listed(first, (i) => literal(data[from + i]), put);
    return;
  }
  const size = sizeOf(rest);
  for (let i = 0; i < first; i++) {
    put(i === 0 ? '{\n  ' : ',\n  ');
    braces(data, from + i * size, rest, put);
  }
  put('}');
}

/** -2147483648 is no literal of int32_t in C. */
function literal(value: number): string {
  return value === -(2 ** 31) ? '(-2147483647 - 1)' : String(value);
}

export function plainArray(type: string, name: string, data: ArrayLike<number>, put: Put): void {
  numberArray(type, name, data.length, (i) => literal(data[i]), put);
}

/** Of numbers as C has them. */
export function numberArray(type: string, name: string, length: number, of: (i: number) => string, put: Put): void {
  put(`static const ${type} ${name}[${length}] = `);
  listed(length, of, put);
  put(';\n');
}

function listed(length: number, of: (i: number) => string, put: Put): void {
  put('{');
  for (let i = 0; i < length; i++) put(i === 0 ? of(i) : `, ${of(i)}`);
  put('}');
}
