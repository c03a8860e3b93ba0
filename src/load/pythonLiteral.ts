/*
 * A Python literal as ast.literal_eval reads it: strings, whole numbers, True and False, in dicts, tuples and lists; comments and
 * lines that go on are passed over. None, bytes, sets and floats, which no npy header may hold, are no literals here.
 */

export type Literal = string | number | boolean | Sequence | ReadonlyMap<Literal, Literal>;

export interface Sequence {
  readonly kind: 'tuple' | 'list';
  readonly items: readonly Literal[];
}

/** Null for other text. `longs`: 3L is 3, as Python 2 wrote it. */
export function readLiteral(text: string, longs: boolean): Literal | null {
  // behind blank lines nothing may be indented, and Python knows no NUL
  const lines = text.replace(/\r\n?/g, '\n').replace(/^[ \t]+/, '');
  const from = /^(?:[ \t\f]*(?:#[^\n]*|\\)?\n)*\f*/.exec(lines)![0].length;
  try {
    return new Reader(lines, from, longs).whole();
  } catch (error) {
    if (error instanceof NoLiteral) return null;
    throw error;
  }
}

class NoLiteral extends Error {}

/** What stands between tokens within brackets. */
const SPACE = /(?:[ \t\f\n]|\\\n|#[^\n]*)*/y;
const WORD = /(?:True|False)(?!\w)/y;
const SIGN = /[+-]/y;
const DIGITS = '(0[xX](?:_?[\\da-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+|0(?:_?0)*|[1-9](?:_?\\d)*)';
const NUMBER = new RegExp(`${DIGITS}(?![\\w.])`, 'y');
const LONG = new RegExp(`${DIGITS}[ \\t\\f]*L(?!\\w)`, 'y');
const STRING = /([ur]?)('''|"""|'|")/iy;
const BODIES: Readonly<Record<string, RegExp>> = {
  "'": /((?:[^'\\\n]|\\[\s\S])*)'/y,
  '"': /((?:[^"\\\n]|\\[\s\S])*)"/y,
  "'''": /((?:[^\\]|\\[\s\S])*?)'''/y,
  '"""': /((?:[^\\]|\\[\s\S])*?)"""/y,
};

/** Python's own limit. */
const MOST_BRACKETS = 200;

class Reader {
  private depth = 0;

  constructor(
    private readonly text: string,
    private at: number,
    private readonly longs: boolean,
  ) {}

  whole(): Literal {
    const literal = this.literal();
    if (this.at < this.text.length || this.text.endsWith('\\\n')) throw new NoLiteral();
    return literal;
  }

  /** And the space behind it. */
  private literal(): Literal {
    const word = this.take(WORD);
    if (word) return this.behind(word[0] === 'True');
    if (this.peek(STRING)) return this.string();
    const sign = this.take(SIGN);
    if (sign) this.take(SPACE);
    const number = (this.longs ? this.take(LONG) : null) ?? this.take(NUMBER);
    if (number) return this.behind(numberOf(number[1]) * (sign?.[0] === '-' ? -1 : 1));
    if (sign) throw new NoLiteral();
    if (this.depth++ >= MOST_BRACKETS) throw new NoLiteral();
    const literal = this.brackets();
    this.depth--;
    return this.behind(literal);
  }

  private string(): string {
    let joined = '';
    for (let start = this.take(STRING); start; start = this.take(STRING)) {
      const [, prefix, quotes] = start;
      const body = this.take(BODIES[quotes])?.[1];
      if (body === undefined) throw new NoLiteral();
      joined += /r/i.test(prefix) ? body : unescaped(body);
      this.take(SPACE);
    }
    return joined;
  }

  private brackets(): Literal {
    if (this.is('{')) return this.dict();
    if (this.is('[')) return { kind: 'list', items: this.items(']').items };
    if (!this.is('(')) throw new NoLiteral();
    const { items, commas } = this.items(')');
    return items.length === 1 && commas === 0 ? items[0] : { kind: 'tuple', items };
  }

  private items(end: string) {
    const items: Literal[] = [];
    let commas = 0;
    while (!this.is(end)) {
      if (items.length > commas) throw new NoLiteral();
      items.push(this.literal());
      if (this.is(',')) commas++;
    }
    return { items, commas };
  }

  /** A key twice: the last counts. */
  private dict(): ReadonlyMap<Literal, Literal> {
    const dict = new Map<Literal, Literal>();
    for (let isNext = true; !this.is('}'); isNext = this.is(',')) {
      if (!isNext) throw new NoLiteral();
      const key = this.literal();
      if (!this.is(':')) throw new NoLiteral();
      dict.set(key, this.literal());
    }
    return dict;
  }

  /** Whether this sign follows; then it and the space behind it are taken. */
  private is(sign: string): boolean {
    if (this.text[this.at] !== sign) return false;
    this.at++;
    return this.behind(true);
  }

  private behind<T>(taken: T): T {
    this.take(SPACE);
    return taken;
  }

  private take(pattern: RegExp): RegExpExecArray | null {
    const found = this.peek(pattern);
    if (found) this.at += found[0].length;
    return found;
  }

  private peek(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.at;
    return pattern.exec(this.text);
  }
}

const numberOf = (digits: string) => Number(digits.replaceAll('_', ''));

const ESCAPES: Readonly<Record<string, string>> = {
  ...{ '\n': '', a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' },
  ...{ '\\': '\\', "'": "'", '"': '"' },
};

const ESCAPE = /\\(?:([0-7]{1,3})|(x[\da-fA-F]{2}|u[\da-fA-F]{4}|U00(?:10|0[\da-fA-F])[\da-fA-F]{4})|([\s\S]))/g;

function unescaped(body: string): string {
  return body.replace(ESCAPE, (all, octal, hex, other) => {
    if (octal) return String.fromCharCode(Number.parseInt(octal, 8));
    if (hex) return String.fromCodePoint(Number.parseInt(hex.slice(1), 16));
    if ('xuUN'.includes(other)) throw new NoLiteral();
    return ESCAPES[other] ?? all;
  });
}
