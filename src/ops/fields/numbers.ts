import { type Checks, described, type Place } from '../../documents/checks.js';
import { shapeText } from '../../load/npy.js';
import { collecting } from '../../load/refuse.js';
import type { ArrayFile, ArraySource, NumericArray, StoredDtype } from '../../nouns/array.js';
import { CODE_RANGES } from '../../nouns/value.js';
import { indicesOf, sizeOf } from '../../tensor/shape.js';
import { listed, printable } from '../../text.js';
import { EXPECTED_SCALE, isUsableScale } from './schema.js';

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

export const FLOAT32: NumberRule = {
  expected: 'expected a number that float32 holds',
  accepts: (value) => Number.isFinite(Math.fround(value)),
};

export const SCALES: NumberRule = { expected: EXPECTED_SCALE, accepts: isUsableScale };

/** Codes, or zero points. */
export function codesRule(dtype: keyof typeof CODE_RANGES): NumberRule {
  const [min, max] = CODE_RANGES[dtype];
  return {
    expected: `expected an integer in ${min}..${max} (${dtype})`,
    accepts: (value) => Number.isInteger(value) && value >= min && value <= max,
  };
}

export type WeightDtype = 'int8' | 'uint8';

/** uint8 is kept as int16: sums take both signs. */
const MEMORY = { int8: Int8Array, uint8: Int16Array } as const;

/** Weights whose shape is known and whose values are checked or will be right by their dtype, in C order. */
export interface WeightField {
  readonly shape: readonly number[];
  read(): Promise<Int8Array | Int16Array>;
  /** What a read has given is read by nobody any more. */
  release?(weight: Int8Array | Int16Array): void;
}

/** axes: names of the weight's axes, as they are said to people. Null after a problem. */
export async function weightField(
  raw: unknown,
  wanted: WeightDtype,
  axes: readonly string[],
  place: Place,
  checks: Checks,
  arrays: ModelArrays,
): Promise<WeightField | null> {
  if (!isArrayKey(raw)) return inlineWeight(raw, wanted, axes, place, checks);
  const source = findArray(raw.array, place, checks, arrays);
  if (!source) return null;
  const from = `array ${printable(raw.array)} of ${printable((arrays as ArrayFile).path)}`;
  const { shape, dtype } = source;
  if (shape.length !== axes.length || shape.includes(0)) {
    checks.problem('weight', place, `expected shape (${axes.join(', ')}), got ${shapeText(shape)} in ${from}`);
    return null;
  }
  if (!/^u?int/.test(dtype)) {
    const fix = 'save the integer representation (torch: weight().int_repr())';
    checks.problem('weight', place, `expected ${wanted} weights, got ${dtype} in ${from}; ${fix}`);
    return null;
  }
  if (dtype !== wanted && !(await collecting(checks.problems, () => fits(source, wanted, place, from, checks))))
    return null;
  const read = async () => {
    const values = await source.read();
    return values instanceof MEMORY[wanted] ? values : MEMORY[wanted].from(values);
  };
  return { shape, read, release: (values) => source.release?.(values) };
}

async function fits(
  source: ArraySource,
  wanted: WeightDtype,
  place: Place,
  from: string,
  checks: Checks,
): Promise<boolean> {
  const [min, max] = CODE_RANGES[wanted];
  const [rows, ...row] = source.shape;
  const cols = sizeOf(row);
  const rowsAtOnce = Math.max(1, Math.floor((4 << 20) / cols));
  const outside = new Outside(wanted);
  for (let row = 0; row < rows; row += rowsAtOnce) {
    const values = await source.read(row, Math.min(rows, row + rowsAtOnce));
    for (let i = 0; i < values.length; i++) {
      if (!(values[i] >= min && values[i] <= max)) outside.add(indicesOf(row * cols + i, source.shape), values[i]);
    }
  }
  const stored =
    wanted === 'int8' && source.dtype === 'uint8' ? '; are they int8 stored as uint8? then save .view(np.int8)' : '';
  return outside.report(place, checks, ` in ${from}${stored}`);
}

/** Nested lists of integers: one loop over 10^7 numbers, one problem for all that are outside. */
function inlineWeight(
  raw: unknown,
  wanted: WeightDtype,
  axes: readonly string[],
  place: Place,
  checks: Checks,
): WeightField | null {
  const shape = shapeOfLists(raw, axes.length);
  if (!shape) {
    const depth = axes.map((axis) => `[${axis}]`).join('');
    const got = Array.isArray(raw) && raw.length > 0 ? `a list that begins with ${described(raw[0])}` : described(raw);
    checks.problem('weight', place, `expected lists of integers ${depth} or {"array": KEY}, got ${got}`);
    return null;
  }
  const rows = innermost(raw as readonly unknown[], shape, axes, place, checks);
  if (!rows) return null;
  const cols = shape.at(-1)!;
  const data = new MEMORY[wanted](rows.length * cols);
  const [min, max] = CODE_RANGES[wanted];
  const outside = new Outside(wanted);
  for (let row = 0, at = 0; row < rows.length; row++) {
    const values = rows[row];
    for (let col = 0; col < cols; col++, at++) {
      const value = values[col];
      // The array wraps and rounds: what comes back unchanged is an integer.
      data[at] = typeof value === 'number' ? value : 0;
      if (data[at] !== value || data[at] < min || data[at] > max) outside.add(indicesOf(at, shape), value);
    }
  }
  if (!outside.report(place, checks, '')) return null;
  return { shape, read: async () => data };
}

/** By the first of each list; null where they are not so deep, or empty. */
function shapeOfLists(raw: unknown, depth: number): number[] | null {
  const shape: number[] = [];
  let first = raw;
  for (let axis = 0; axis < depth; axis++) {
    if (!Array.isArray(first) || first.length === 0) return null;
    shape.push(first.length);
    first = first[0];
  }
  return shape;
}

/** The lists of numbers in C order; null after a problem for every list of another length than the first. */
function innermost(
  raw: readonly unknown[],
  shape: readonly number[],
  axes: readonly string[],
  place: Place,
  checks: Checks,
): (readonly unknown[])[] | null {
  let lists: { readonly list: readonly unknown[]; readonly place: Place }[] = [{ list: raw, place }];
  let ragged = 0;
  for (let axis = 1; axis < shape.length; axis++) {
    const next: typeof lists = [];
    for (const { list, place: of } of lists) {
      for (const [i, inner] of list.entries()) {
        if (Array.isArray(inner) && inner.length === shape[axis]) {
          next.push({ list: inner, place: [...of, i] });
          continue;
        }
        ragged++;
        const got = Array.isArray(inner) ? inner.length : described(inner);
        const expected = `expected ${shape[axis]} values as in row 0 (${axes[axis]})`;
        checks.problem('weight', [...of, i], `${expected}, got ${got}`);
      }
    }
    lists = next;
  }
  return ragged === 0 ? lists.map(({ list }) => list) : null;
}

/** Of a million wrong weights the first is named and the others are counted. */
class Outside {
  constructor(private readonly wanted: WeightDtype) {}

  private first: { at: readonly number[]; value: unknown } | null = null;
  private count = 0;

  add(at: readonly number[], value: unknown): void {
    this.first ??= { at, value };
    this.count++;
  }

  /** Whether there was none. */
  report(place: Place, checks: Checks, from: string): boolean {
    if (!this.first) return true;
    const { at, value } = this.first;
    const more = this.count > 1 ? `, and ${this.count - 1} more like it` : '';
    checks.problem(
      'weight',
      [...place, ...at],
      `expected an integer in ${CODE_RANGES[this.wanted].join('..')}, got ${described(value)}${more}${from}`,
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
    const got = `got ${listed(arrays.arrays.keys()) || 'nothing'}`;
    checks.problem('array', place, `expected array ${printable(key)} in ${printable(arrays.path)}, ${got}`);
  }
  return source ?? null;
}
