/*
 * An npy header is the text of a Python dict: {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }
 * numpy hands it to ast.literal_eval and wants these three keys and no others. Versions 1 and 2 may come from Python 2, which wrote
 * longs as 3L.
 */
import { type Literal, readLiteral } from './pythonLiteral.js';

export interface NpyDict {
  /** Null for anything but the text of one dtype: fields, a part of an array. */
  readonly descr: string | null;
  readonly fortranOrder: boolean;
  readonly shape: readonly number[];
}

/** Of a file of thousands of small arrays most headers are one of a few, and take as long to read as what is in them. */
const recent = new Map<string, NpyDict | null>();
const MOST_RECENT = 16;

/** Null for other text. */
export function readNpyDict(text: string, version: number): NpyDict | null {
  const key = `${version} ${text}`;
  let dict = recent.get(key);
  if (dict === undefined) {
    dict = read(text, version);
    if (recent.size >= MOST_RECENT) recent.clear();
    recent.set(key, dict);
  }
  return dict;
}

function read(text: string, version: number): NpyDict | null {
  const dict = readLiteral(text, version < 3);
  if (!(dict instanceof Map) || dict.size !== 3) return null;
  const [descr, fortranOrder, shape] = ['descr', 'fortran_order', 'shape'].map((key) => dict.get(key));
  if (typeof fortranOrder !== 'boolean' || typeof shape !== 'object' || !('kind' in shape) || shape.kind !== 'tuple')
    return null;
  if (!shape.items.every((n: Literal) => typeof n === 'number')) return null;
  if (typeof descr === 'string') return { descr, fortranOrder, shape: shape.items };
  return typeof descr === 'object' ? { descr: null, fortranOrder, shape: shape.items } : null;
}
