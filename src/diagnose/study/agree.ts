import type { NumericArray } from '../../nouns/array.js';
import { ulpDistance } from '../../numeric/float.js';
import type { Outputs } from './data.js';

/** Whether an observed value is what was computed. */
export function sameValue({ data, low, high }: Outputs, observed: NumericArray, i: number): boolean {
  const value = observed[i];
  if (data[i] === value) return true;
  if (low && high) return value >= low[i] && value <= high[i];
  return data instanceof Float32Array && ulpDistance(value, data[i]) === 0;
}

/** The first observed value that is not what was computed; -1: none. */
export function firstMissOf(outputs: Outputs, observed: NumericArray): number {
  let i = nextOther(outputs.data, observed, 0);
  while (i >= 0 && isLoose(outputs) && sameValue(outputs, observed, i)) i = nextOther(outputs.data, observed, i + 1);
  return i;
}

/** More than one number may be right; of codes there is one, and nothing is to be asked of those that differ. */
function isLoose({ data, low }: Outputs): boolean {
  return low !== null || data instanceof Float32Array;
}

function nextOther(data: Outputs['data'], observed: NumericArray, from: number): number {
  for (let i = from; i < observed.length; i++) if (data[i] !== observed[i]) return i;
  return -1;
}

/** 1 where outputs and observation differ. */
export function differences(outputs: Outputs, observed: NumericArray): Uint8Array {
  const differing = new Uint8Array(observed.length);
  markOthers(outputs.data, observed, differing);
  if (!isLoose(outputs)) return differing;
  for (let i = differing.indexOf(1); i >= 0; i = differing.indexOf(1, i + 1))
    if (sameValue(outputs, observed, i)) differing[i] = 0;
  return differing;
}

function markOthers(data: Outputs['data'], observed: NumericArray, differing: Uint8Array): void {
  for (let i = 0; i < differing.length; i++) if (data[i] !== observed[i]) differing[i] = 1;
}

/** How many differ, by value or by channel. */
export function countOf(differing: Counts): number {
  let count = 0;
  for (let i = 0; i < differing.length; i++) count += differing[i];
  return count;
}

/** In the least memory that holds them: there may be 20 million. */
export type Counts = Uint8Array | Uint16Array | Uint32Array;

/** The same of each column of rows; of one row that is the row. */
export function byColumn(differing: Uint8Array, width: number): Counts {
  const rows = differing.length / width;
  if (rows === 1) return differing;
  const counts =
    rows < 2 ** 8 ? new Uint8Array(width) : rows < 2 ** 16 ? new Uint16Array(width) : new Uint32Array(width);
  for (let i = 0, n = 0; i < differing.length; i++, n = n + 1 === width ? 0 : n + 1) counts[n] += differing[i];
  return counts;
}

/** Where the observation is larger (1) or smaller (-1) than what is computed; 0: equal. */
export function signsOf(outputs: Outputs, observed: NumericArray): Int8Array {
  const { data } = outputs;
  const signs = new Int8Array(observed.length);
  const loose = isLoose(outputs);
  for (let i = 0; i < signs.length; i++) {
    if (data[i] !== observed[i] && !(loose && sameValue(outputs, observed, i)))
      signs[i] = observed[i] > data[i] ? 1 : -1;
  }
  return signs;
}
