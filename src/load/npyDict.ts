/*
 * An npy header is the text of a Python dict: {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }
 * numpy hands it to ast.literal_eval and wants these three keys and no others. Taken here is what writers write of that: plain
 * strings in single or double quotes, decimal numbers, any order of the keys. A key twice is refused, where Python takes the last.
 */

export interface NpyDict {
  readonly descr: string;
  readonly fortranOrder: boolean;
  /** What stands between the parentheses. */
  readonly shape: string;
}

/** `'key': value` and a comma, or what ends the dict. */
const ENTRY =
  /[ \t\n\r\f]*(['"])(\w+)\1[ \t\n\r\f]*:[ \t\n\r\f]*(?:(['"])([^'"\\\n]*)\3|(True|False)|\(([^()]*)\))[ \t\n\r\f]*(,|(?=\}))/y;

/** Null for other text. */
export function readNpyDict(text: string): NpyDict | null {
  const [all, body] = /^[ \t]*\{(.*)\}[ \t\n\r\f]*$/s.exec(text) ?? [];
  if (all === undefined) return null;
  const found: { descr?: string; fortran_order?: boolean; shape?: string } = {};
  let at = 0;
  for (let fields = 0; fields < 3; fields++) {
    ENTRY.lastIndex = at;
    const [entry, , key, , string, bool, tuple] = ENTRY.exec(`${body}}`) ?? [];
    if (entry === undefined) return null;
    if (key === 'descr' && string !== undefined) found.descr = string;
    else if (key === 'fortran_order' && bool !== undefined) found.fortran_order = bool === 'True';
    else if (key === 'shape' && tuple !== undefined) found.shape = tuple;
    else return null;
    at += entry.length;
  }
  const { descr, fortran_order: fortranOrder, shape } = found;
  if (!/^[ \t\n\r\f]*$/.test(body.slice(at))) return null;
  return descr === undefined || fortranOrder === undefined || shape === undefined
    ? null
    : { descr, fortranOrder, shape };
}

/** A tuple of one number has a comma; Python 2 wrote longs as 3L, which numpy still reads in versions 1 and 2. */
export function tupleOf(text: string, version: number): number[] | null {
  const parts = text.split(',').map((part) => part.replace(/^[ \t\n\r\f]+|[ \t\n\r\f]+$/g, ''));
  const endsInComma = parts.at(-1) === '';
  if (endsInComma) parts.pop();
  if (parts.length === 1 && !endsInComma) return null;
  const number = version < 3 ? /^(?:0+|[1-9]\d*)L?$/ : /^(?:0+|[1-9]\d*)$/;
  return parts.every((part) => number.test(part)) ? parts.map((part) => Number.parseInt(part, 10)) : null;
}
