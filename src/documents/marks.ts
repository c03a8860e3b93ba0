/** JSON lacks these numbers, and -0 too; a merged report has to have them back. */
const MARK = '$number';
const MARKED = new Map([
  ['inf', Number.POSITIVE_INFINITY],
  ['-inf', Number.NEGATIVE_INFINITY],
  ['nan', Number.NaN],
  ['-0', -0],
]);

/** A JSON value in which such numbers are marked. */
export function withMarks(value: unknown): unknown {
  if (typeof value === 'number') {
    const mark = [...MARKED].find(([, number]) => Object.is(number, value))?.[0];
    return mark === undefined ? value : { [MARK]: mark };
  }
  return mapped(value, withMarks);
}

/** The numbers themselves. */
export function withoutMarks(value: unknown): unknown {
  return unmarked(value, (mark) => MARKED.get(mark));
}

/** As the report's schema reads them: "inf", "-inf", "nan", 0. */
export function spelled(value: unknown): unknown {
  return unmarked(value, (mark) => (MARKED.get(mark) === 0 ? 0 : mark));
}

function unmarked(value: unknown, numberOf: (mark: string) => unknown): unknown {
  const mark = typeof value === 'object' && value !== null && MARK in value ? value[MARK] : undefined;
  if (typeof mark === 'string' && MARKED.has(mark)) return numberOf(mark);
  return mapped(value, (item) => unmarked(item, numberOf));
}

function mapped(value: unknown, map: (item: unknown) => unknown): unknown {
  if (Array.isArray(value)) return value.map(map);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, map(item)]));
}
