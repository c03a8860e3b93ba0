import { type Checks, described, type Place } from '../../documents/checks.js';
import { shapeText } from '../../load/npy.js';
import { collecting } from '../../load/refuse.js';
import type { ArrayFile, ArraySource, NumericArray, StoredDtype } from '../../nouns/array.js';
import type { WeightSource } from '../../nouns/model.js';
import { listed, printable } from '../../text.js';

/** The npz that {"array": KEY} looks into: none is declared, or it could not be read and its own problems are known. */
export type ModelArrays = ArrayFile | 'none' | 'unreadable';

/** Numbers of model.json, inline or in an npz, before they are read. */
export interface NumberField {
  /** The field's, e.g. weight_scale. */
  readonly name: string;
  readonly place: Place;
  /** Empty for one number. */
  readonly shape: readonly number[];
  /** As stored in an npz; null for inline numbers. */
  readonly dtype: StoredDtype | null;
  /** `` or ` (array KEY of model.npz)`, for messages. */
  readonly from: string;
  load(): Promise<NumericArray>;
}

/** What numbers of a field must be. */
export interface NumberRule {
  /** `expected ...` */
  readonly expected: string;
  accepts(value: number): boolean;
}

/** One number, a list of numbers or {"array": KEY}; null after a problem. */
export function numberField(raw: unknown, place: Place, checks: Checks, arrays: ModelArrays): NumberField | null {
  const name = String(place.at(-1));
  if (typeof raw === 'number') {
    return { name, place, shape: [], dtype: null, from: '', load: async () => Float64Array.of(raw) };
  }
  if (Array.isArray(raw)) {
    const wrong = raw.findIndex((value) => typeof value !== 'number');
    if (wrong < 0) {
      return { name, place, shape: [raw.length], dtype: null, from: '', load: async () => Float64Array.from(raw) };
    }
    checks.problem('number', [...place, wrong], `expected a number, got ${described(raw[wrong])}`);
    return null;
  }
  if (!isArrayKey(raw)) {
    checks.problem('number', place, `expected a number, a list of numbers or {"array": KEY}, got ${described(raw)}`);
    return null;
  }
  const source = findArray(raw.array, place, checks, arrays);
  if (!source) return null;
  const from = ` (array ${printable(raw.array)} of ${printable((arrays as ArrayFile).path)})`;
  return { name, place, shape: source.shape, dtype: source.dtype, from, load: () => source.read() };
}

/** Reads the numbers and checks each; null after a problem for every wrong one. */
export async function loadNumbers(field: NumberField, rule: NumberRule, checks: Checks): Promise<NumericArray | null> {
  const values = await collecting(checks.problems, () => field.load());
  if (!values) return null;
  let wrong = 0;
  for (let i = 0; i < values.length; i++) {
    if (rule.accepts(values[i])) continue;
    wrong++;
    const inline = field.dtype === null;
    const place = inline && field.shape.length > 0 ? [...field.place, i] : field.place;
    const at = inline || field.shape.length === 0 ? '' : ` at [${i}]`;
    checks.problem('number', place, `${rule.expected}, got ${values[i]}${at}${field.from}`);
  }
  return wrong === 0 ? values : null;
}

/** Weights whose shape is known and whose values are checked or will be int8 by their dtype. */
export async function weightField(
  raw: unknown,
  place: Place,
  checks: Checks,
  arrays: ModelArrays,
): Promise<WeightSource | null> {
  if (!isArrayKey(raw)) return inlineWeight(raw, place, checks);
  const source = findArray(raw.array, place, checks, arrays);
  if (!source) return null;
  const from = `array ${printable(raw.array)} of ${printable((arrays as ArrayFile).path)}`;
  const { shape, dtype } = source;
  if (shape.length !== 2 || shape.includes(0)) {
    checks.problem('weight', place, `expected shape (out_features, in_features), got ${shapeText(shape)} in ${from}`);
    return null;
  }
  if (!/^u?int/.test(dtype)) {
    const fix = 'save the integer representation (torch: weight().int_repr())';
    checks.problem('weight', place, `expected int8 weights, got ${dtype} in ${from}; ${fix}`);
    return null;
  }
  if (dtype !== 'int8' && !(await collecting(checks.problems, () => fitsInt8(source, place, from, checks))))
    return null;
  const read = async () => {
    const values = await source.read();
    return values instanceof Int8Array ? values : Int8Array.from(values);
  };
  return { outFeatures: shape[0], inFeatures: shape[1], read };
}

async function fitsInt8(source: ArraySource, place: Place, from: string, checks: Checks): Promise<boolean> {
  const [rows, cols] = source.shape;
  const rowsAtOnce = Math.max(1, Math.floor((4 << 20) / cols));
  const outside = new OutsideInt8();
  for (let row = 0; row < rows; row += rowsAtOnce) {
    const values = await source.read(row, Math.min(rows, row + rowsAtOnce));
    for (let i = 0; i < values.length; i++) {
      if (!(values[i] >= -128 && values[i] <= 127)) outside.add(row + Math.floor(i / cols), i % cols, values[i]);
    }
  }
  const stored = source.dtype === 'uint8' ? '; are they int8 stored as uint8? then save .view(np.int8)' : '';
  return outside.report(place, checks, ` in ${from}${stored}`);
}

/** Nested lists of integers: one loop over 10^7 numbers, one problem for all that are outside. */
function inlineWeight(raw: unknown, place: Place, checks: Checks): WeightSource | null {
  const lists: readonly unknown[] = Array.isArray(raw) ? raw : [];
  const rows = lists.length;
  const cols = Array.isArray(lists[0]) ? lists[0].length : 0;
  if (cols === 0) {
    const got = rows > 0 ? `a list that begins with ${described(lists[0])}` : described(raw);
    checks.problem(
      'weight',
      place,
      `expected lists of integers [out_features][in_features] or {"array": KEY}, got ${got}`,
    );
    return null;
  }
  let ragged = 0;
  for (let row = 0; row < rows; row++) {
    const values = lists[row];
    if (Array.isArray(values) && values.length === cols) continue;
    ragged++;
    const got = Array.isArray(values) ? values.length : described(values);
    checks.problem('weight', [...place, row], `expected ${cols} values as in row 0 (in_features), got ${got}`);
  }
  if (ragged > 0) return null;
  const data = new Int8Array(rows * cols);
  const outside = new OutsideInt8();
  for (let row = 0, at = 0; row < rows; row++) {
    const values = lists[row] as unknown[];
    for (let col = 0; col < cols; col++, at++) {
      const value = values[col];
      // An Int8Array wraps and rounds: what comes back unchanged is an integer in its range.
      data[at] = typeof value === 'number' ? value : 0;
      if (data[at] !== value) outside.add(row, col, value);
    }
  }
  if (!outside.report(place, checks, '')) return null;
  return { outFeatures: rows, inFeatures: cols, read: async () => data };
}

/** Of a million wrong weights the first is named and the others are counted. */
class OutsideInt8 {
  private first: { row: number; col: number; value: unknown } | null = null;
  private count = 0;

  add(row: number, col: number, value: unknown): void {
    this.first ??= { row, col, value };
    this.count++;
  }

  /** Whether there was none. */
  report(place: Place, checks: Checks, from: string): boolean {
    if (!this.first) return true;
    const { row, col, value } = this.first;
    const more = this.count > 1 ? `, and ${this.count - 1} more like it` : '';
    checks.problem(
      'weight',
      [...place, row, col],
      `expected an integer in -128..127, got ${described(value)}${more}${from}`,
    );
    return false;
  }
}

function isArrayKey(raw: unknown): raw is { array: string } {
  return typeof raw === 'object' && raw !== null && 'array' in raw && typeof raw.array === 'string';
}

function findArray(key: string, place: Place, checks: Checks, arrays: ModelArrays): ArraySource | null {
  if (arrays === 'unreadable') return null;
  if (arrays === 'none') {
    const fix = 'name the npz beside the model in its field "arrays"';
    checks.problem('array', place, `expected an npz that holds array ${printable(key)}, got none; ${fix}`);
    return null;
  }
  const source = arrays.arrays.get(key);
  if (!source) {
    const got = `got ${listed(arrays.arrays.keys())}`;
    checks.problem('array', place, `expected array ${printable(key)} in ${printable(arrays.path)}, ${got}`);
  }
  return source ?? null;
}
