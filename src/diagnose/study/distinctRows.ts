import type { NumericArray } from '../../nouns/array.js';
import { concat } from '../../numeric/array.js';
import type { Scope } from './data.js';
import { pickRows } from './sample.js';

/** Rows for each that is unlike all before it: with fewer nothing is gained. */
const FEWEST_ROWS = 4;
const MOST_WORDS = 1 << 22;
const SLOTS = 1 << 18;
const LAST = SLOTS - 1;
const MOST_ROWS = SLOTS / 4;

/** Of rows that come block by block one of those that read and hold the same: of 16 million in a small file there are some thousand. */
export class DistinctRows {
  private readonly slots = new Int32Array(SLOTS).fill(-1);
  private readonly parts: Scope[] = [];
  /** Every distinct row, one behind the other. */
  private words = new Int32Array(1 << 14);
  private readonly times = new Float64Array(MOST_ROWS);
  private count = 0;
  private seen = 0;
  /** They are too many to be looked for. */
  isGivenUp = false;

  constructor(private readonly width: number) {}

  /** Rows of a block that no row before was equal to; all, where that is given up. */
  add(scope: Scope): Scope {
    if (this.isGivenUp) return scope;
    const { samples, inputs, observed } = scope;
    const rows = this.unlike([...inputs.map(({ data }) => data), observed], samples.length);
    this.seen += samples.length;
    this.isGivenUp = rows === null || this.count * FEWEST_ROWS > this.seen;
    if (rows === null || this.isGivenUp) return scope;
    const part = pickRows(scope, rows, this.width);
    this.parts.push(part);
    return part;
  }

  /** Those of all blocks, of which there is one. */
  all(): Scope {
    const { parts, width } = this;
    const samples = parts.flatMap((part) => part.samples);
    const rows = samples.length;
    const inputs = parts[0].inputs.map(({ cols }, i) => {
      const data = concat(
        parts.map((part) => part.inputs[i].data),
        rows * cols,
      );
      return { rows, cols, data };
    });
    const observed = concat(
      parts.map((part) => part.observed),
      rows * width,
    );
    return { samples, channels: null, inputs, observed, times: this.times.slice(0, rows) };
  }

  private unlike(values: readonly NumericArray[], rows: number): number[] | null {
    const columns = values.map(({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength));
    const width = columns.reduce((sum, { length }) => sum + Math.ceil(length / rows / 4), 0);
    const found: number[] = [];
    for (let row = 0; row < rows; row++) {
      const start = this.count * width;
      if (this.count === MOST_ROWS || start + width > MOST_WORDS) return null;
      this.makeRoom(start + width);
      let at = start;
      for (let n = 0; n < columns.length; n++) at = pack(columns[n], row, columns[n].length / rows, this.words, at);
      if (this.isNew(start, width)) found.push(row);
    }
    return found;
  }

  private makeRoom(length: number): void {
    if (length <= this.words.length) return;
    const more = new Int32Array(2 * length);
    more.set(this.words);
    this.words = more;
  }

  /** Of the row behind the distinct ones, which is then one of them. */
  private isNew(start: number, width: number): boolean {
    const { words, slots, times } = this;
    let hash = 0;
    for (let i = start; i < start + width; i++) {
      hash = Math.imul(hash ^ words[i], 0x9e3779b1);
      hash ^= hash >>> 15;
    }
    for (let slot = hash & LAST; ; slot = (slot + 1) & LAST) {
      const other = slots[slot];
      if (other < 0) {
        times[this.count] = 1;
        slots[slot] = this.count++;
        return true;
      }
      if (!areEqual(words, other * width, start, width)) continue;
      times[other]++;
      return false;
    }
  }
}

/** Four bytes a word: of single bytes hashing takes longer than sums do. */
function pack(bytes: Uint8Array, row: number, each: number, words: Int32Array, start: number): number {
  const end = (row + 1) * each;
  let [i, at] = [end - each, start];
  for (; i + 4 <= end; i += 4, at++)
    words[at] = bytes[i] | (bytes[i + 1] << 8) | (bytes[i + 2] << 16) | (bytes[i + 3] << 24);
  if (i === end) return at;
  let rest = 0;
  for (; i < end; i++) rest = (rest << 8) | bytes[i];
  words[at] = rest;
  return at + 1;
}

function areEqual(words: Int32Array, a: number, b: number, width: number): boolean {
  for (let i = 0; i < width; i++) if (words[a + i] !== words[b + i]) return false;
  return true;
}
