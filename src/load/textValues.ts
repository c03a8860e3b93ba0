/** Numbers of one layer as text: numpy.savetxt, a CSV, what a printf or $fdisplay wrote. */
import type { ArraySource, NumericArray } from '../nouns/array.js';
import type { FileSystem } from '../nouns/file.js';
import { INT32_MAX, INT32_MIN } from '../numeric/integer.js';
import { sizeOf } from '../tensor/shape.js';
import { printable } from '../text.js';
import { whichSamples } from './memhFolder.js';
import { plainText } from './plainText.js';
import { refuse } from './refuse.js';

const SEPARATORS = /[\s,;[\](){}]+/;

/** Decimal numbers in C order, between white space, commas, semicolons and brackets; # begins a comment. Throws InputError. */
export async function openText(
  fs: FileSystem,
  path: string,
  key: string,
  shape: readonly number[],
): Promise<ArraySource> {
  const numbers = numbersIn(await plainText(fs, path), path);
  const [count, each] = [sizeOf(shape), sizeOf(shape.slice(1))];
  if (numbers.length !== count) {
    const isFewer = numbers.length > 0 && numbers.length < count && numbers.length % each === 0;
    const fix = isFewer
      ? `, ${numbers.length / each} of ${shape[0]} samples; ${whichSamples(numbers.length / each)}`
      : '';
    const expected = `expected ${count} numbers (shape ${shape.join(' x ')})`;
    throw refuse('text', printable(path), `${expected}, got ${numbers.length}${fix}`);
  }
  const areCodes = numbers.every((value) => Number.isInteger(value) && value >= INT32_MIN && value <= INT32_MAX);
  const data: NumericArray = areCodes ? Int32Array.from(numbers) : Float32Array.from(numbers);
  const read = async (from = 0, to = shape[0]) => data.slice(from * each, to * each);
  return { key, dtype: areCodes ? 'int32' : 'float32', shape, fortranOrder: false, read };
}

function numbersIn(text: string, path: string): number[] {
  return text.split('\n').flatMap((line, i) => {
    const words = line.replace(/#.*/, '').split(SEPARATORS).filter(Boolean);
    return words.map((word) => {
      const value = Number(word);
      if (Number.isFinite(value) || /^[+-]?(?:nan|inf(?:inity)?)$/i.test(word)) return toFloat(word, value);
      const got = `got ${printable(word.slice(0, 40))}; numpy.savetxt(FILE, values.reshape(len(values), -1), fmt="%d")`;
      throw refuse('text', `${printable(path)} line ${i + 1}`, `expected a decimal number, ${got} writes such a file`);
    });
  });
}

/** As Python and C print what is no number. */
function toFloat(word: string, value: number): number {
  if (!/[a-df-z]/i.test(word)) return value;
  if (/nan/i.test(word)) return Number.NaN;
  return word.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}
