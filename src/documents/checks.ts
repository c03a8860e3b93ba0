import * as z from 'zod/mini';
import { InputError, type Problem, type Warning } from '../nouns/problem.js';
import { counted, printable } from '../text.js';

/** No member of a zip file has a longer name; each is printed and looked for many times. */
const LONGEST_NAME = 65_535;

/** Of a value, a layer, a model. */
export const name = z.string().check(z.minLength(1), z.maxLength(LONGEST_NAME));

/** A place inside a file: keys and list indices from the top. */
export type Place = readonly (string | number)[];

/** Of one file. A list of 300,000 numbers for layers was as many problems. */
const MOST_PROBLEMS = 1000;

const FIRST_ITEMS = 64;

/** A value with no list of more items; itself where it has none. */
function firstItems(value: unknown, most: number): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    const items = value.slice(0, most);
    const parts = items.map((item) => firstItems(item, most));
    return items.length === value.length && parts.every((part, i) => Object.is(part, items[i])) ? value : parts;
  }
  const entries = Object.entries(value);
  const parts = entries.map(([key, own]) => [key, firstItems(own, most)] as const);
  return parts.every(([, part], i) => Object.is(part, entries[i][1])) ? value : Object.fromEntries(parts); // also NaN
}

/** Collects every problem and warning of one file, so that all of them are reported. */
export class Checks {
  readonly problems: Problem[] = [];
  readonly warnings: Warning[] = [];
  private readonly unknownFields = new Map<string, { first: string; count: number }>();

  constructor(private readonly file: string) {}

  /** `model.json layers[2].weight_scale` */
  where(place: Place): string {
    const path = place
      .map((step) => (typeof step === 'number' ? `[${step}]` : `.${printable(step)}`))
      .join('')
      .replace(/^\./, '');
    return path === '' ? printable(this.file) : `${printable(this.file)} ${path}`;
  }

  /** `message`: `expected ..., got ...; what to do`. */
  problem(kind: string, place: Place, message: string): void {
    this.problems.push({ kind, where: this.where(place), message });
  }

  /** Whether nobody would read more: the rest of `place` is not walked then. */
  isFull(place: Place): boolean {
    if (this.problems.length < MOST_PROBLEMS) return false;
    const got = `got ${counted(this.problems.length, 'problem')} before; correct those first`;
    this.problem('too-many', place, `expected a part that is worth reading, ${got}`);
    return true;
  }

  warn(code: string, place: Place, message: string): void {
    this.warnings.push({ code, where: this.where(place), message });
  }

  /** The value as its schema types it, or null after a problem for each wrong field. */
  parse<S extends z.ZodMiniType>(schema: S, value: unknown, place: Place): z.infer<S> | null {
    try {
      return this.parsed(schema, value, place);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      // zod hands on 100,000 problems and more as arguments of a call
      this.problem('field', place, 'expected another value, got one in which too much is wrong to be told');
      return null;
    }
  }

  /** As parse, of a whole file: what is wrong in the first items of its lists is said before the others are walked. */
  parseFile<S extends z.ZodMiniType>(schema: S, value: unknown): z.infer<S> | null {
    for (let most = FIRST_ITEMS; ; most *= 8) {
      const part = firstItems(value, most);
      const parsed = this.parse(schema, part, []);
      if (parsed === null || part === value) return parsed;
    }
  }

  private parsed<S extends z.ZodMiniType>(schema: S, value: unknown, place: Place): z.infer<S> | null {
    const parsed = z.safeParse(schema, value, { error: (issue) => expectedBy(issue as z.core.$ZodIssue) });
    if (parsed.success) return parsed.data;
    const seen = new Set<string>();
    for (const issue of parsed.error.issues) {
      const at = issue.path as (string | number)[];
      if (seen.has(at.join('\0'))) continue;
      seen.add(at.join('\0'));
      const got = at.reduce<unknown>((v, step) => (v as Record<string | number, unknown>)?.[step], value);
      this.problem('field', [...place, ...at], `${issue.message}, got ${described(got)}${hint(at, got)}`);
    }
    return null;
  }

  /** As parse, where its problems are known already. */
  silently<S extends z.ZodMiniType>(schema: S, value: unknown): z.infer<S> | null {
    const parsed = z.safeParse(schema, value);
    return parsed.success ? parsed.data : null;
  }

  /** Fields that the schema lacks are ignored, with one warning for each name. */
  noteUnknownFields(schema: z.ZodMiniObject, value: unknown, place: Place): void {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return;
    for (const field of Object.keys(value)) {
      if (Object.hasOwn(schema.shape, field)) continue;
      const noted = this.unknownFields.get(field);
      if (noted) noted.count++;
      else this.unknownFields.set(field, { first: this.where([...place, field]), count: 1 });
    }
  }

  /** All warnings; throws InputError if there was a problem. */
  finish(): readonly Warning[] {
    if (this.problems.length > 0) throw new InputError(this.problems);
    const unknown = [...this.unknownFields.values()].map(({ first, count }) => ({
      code: 'unknown-field',
      where: first,
      message: `a field that this version does not know is ignored${count > 1 ? ` (${counted(count, 'place')})` : ''}`,
    }));
    return [...unknown, ...this.warnings];
  }
}

const EXPECTED_TYPES = new Map([
  ['string', 'text'],
  ['number', 'a number'],
  ['int', 'an integer'],
  ['boolean', 'true or false'],
  ['object', 'an object'],
  ['record', 'an object'],
  ['array', 'a list'],
  ['nonoptional', 'numbers, or {"array": KEY}'],
]);

function expectedBy(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `expected ${EXPECTED_TYPES.get(issue.expected) ?? issue.expected}`;
    case 'invalid_value':
      return `expected ${issue.values.map((value) => JSON.stringify(value)).join(' or ')}`;
    case 'too_small':
      return issue.origin === 'string' ? 'expected text that is not empty' : 'expected at least one';
    case 'too_big':
      return issue.origin === 'string'
        ? `expected text of at most ${issue.maximum} characters`
        : 'expected a smaller integer';
    case 'invalid_union':
      return expectedOfEither(issue.errors);
    default:
      return 'expected another value';
  }
}

/** What each of the forms that a value may have expects of it; of one that is wrong further in nothing is said. */
function expectedOfEither(forms: readonly (readonly z.core.$ZodIssue[])[]): string {
  const outer = forms.flatMap(([issue]) => (issue && issue.path.length === 0 ? [expectedBy(issue)] : []));
  return outer.length === 0 ? 'expected another value' : outer.join(' or ').replaceAll(' or expected ', ' or ');
}

/** A value for `got ...`, short and printable. */
export function described(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return describedList(value);
  if (typeof value === 'object' && value !== null) return 'an object';
  if (typeof value !== 'string') return String(value);
  const shown = value.length > 60 ? `${value.slice(0, 60)}...` : value;
  return `"${printable(shown)}"`;
}

/** Of few numbers, these. */
function describedList(values: readonly unknown[]): string {
  if (values.length === 0) return 'an empty list';
  const isShort = values.length <= 4 && values.every((value) => typeof value === 'number');
  return isShort ? `[${values.join(', ')}]` : `a list of ${values.length}`;
}

const DTYPE_SYNONYMS = new Map([
  ['quint8', 'uint8'],
  ['qint8', 'int8'],
  ['qint32', 'int32'],
  ['torch.quint8', 'uint8'],
  ['torch.qint8', 'int8'],
  ['float', 'float32'],
]);

function hint(place: readonly (string | number)[], got: unknown): string {
  const synonym = String(place.at(-1)).endsWith('dtype') && typeof got === 'string' && DTYPE_SYNONYMS.get(got);
  return synonym ? `; write "${synonym}", the dtype of what is stored` : '';
}
