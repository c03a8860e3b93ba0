/** Words for people. Names come from files: nothing of them reaches a terminal or a report unescaped. */

const ASCII = /^[\x20-\x7e]*$/;

const SHORT_ESCAPES = new Map([
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
]);

/** A name, path or other text from outside on one line: every character that could steer a terminal is escaped. */
export function printable(text: string): string {
  if (ASCII.test(text)) return text; // the other pattern takes 3 ms to compile, and 0.4 ms to be read
  return text.replace(notPrintable(), (character) => SHORT_ESCAPES.get(character) ?? escaped(character));
}

/** A word of the command line: of an empty one there is something to see. */
export function given(word: string): string {
  return word === '' ? '""' : printable(word);
}

/** C0, C1, DEL, bidi and zero-width controls, lone surrogates, private use, line and paragraph separators. */
const notPrintable = () => /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu;

function escaped(character: string): string {
  const code = character.codePointAt(0)!;
  if (code <= 0xff) return `\\x${code.toString(16).padStart(2, '0')}`;
  return code <= 0xffff ? `\\u${code.toString(16).padStart(4, '0')}` : `\\u{${code.toString(16)}}`;
}

/** No message is longer: what makes it so are names. */
const MOST_CHARACTERS = 300;

/** A line of at most 300 characters: the middle of its longest words is cut out, then of the line itself. */
export function fitted(line: string, most = MOST_CHARACTERS): string {
  const words = line.split(' ');
  for (let length = line.length; length > most; ) {
    const longest = words.reduce((found, word, i) => (word.length > words[found].length ? i : found), 0);
    const word = words[longest];
    if (word.length <= SHORT_WORD) break;
    words[longest] = withoutMiddle(word, Math.max(SHORT_WORD, word.length - (length - most)));
    length -= word.length - words[longest].length;
  }
  return withoutMiddle(words.join(' '), most);
}

const SHORT_WORD = 40;

/** The ends of a text; no character is cut in two. */
function withoutMiddle(text: string, most: number): string {
  if (text.length <= most) return text;
  const head = text.slice(0, Math.ceil((most - 3) / 2)).replace(/[\ud800-\udbff]$/, '');
  const tail = text.slice(text.length - Math.floor((most - 3) / 2)).replace(/^[\udc00-\udfff]/, '');
  return `${head}...${tail}`;
}

/** For reading, not for copying: of a word of more than 300 letters the ends. */
export function withShortWords(text: string): string {
  if (text.length <= MOST_CHARACTERS) return text;
  return text.replace(/\S{301,}/g, (word) => withoutMiddle(word, LONG_WORD));
}

const LONG_WORD = 120;

/** `a, b, c and 4 more`, each name printable. */
export function listed(names: Iterable<string>, most = 5): string {
  const all = [...names];
  const shown = all.slice(0, most).map(printable).join(', ');
  return all.length > most ? `${shown} and ${all.length - most} more` : shown;
}

export function capitalized(sentence: string): string {
  return sentence.slice(0, 1).toUpperCase() + sentence.slice(1);
}

/** `1 array`, `2 arrays`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** Nine digits tell a float32 from its neighbours. */
export function nineDigits(value: number): string {
  return String(Number(value.toPrecision(9)));
}

/** The same, whole numbers in full. */
export function precise(value: number): string {
  return Number.isInteger(value) ? String(value) : nineDigits(value);
}

/** Text for the log of GitHub Actions in which no line can be read as a command, behind colours neither. */
export function harmlessInLog(text: string): string {
  return text.replaceAll(/^((?:[^\S\r\n]|\p{Cc}\[[\d;]*m)*):(?=:)/gmu, '$1: ').replaceAll('##[', '## [');
}

/** The name that a misspelt one is nearest to; null where none is near: a third of its letters may be others. */
export function nearest(typed: string, names: Iterable<string>): string | null {
  let found: string | null = null;
  let least = Math.max(1, Math.floor(typed.length / 3)) + 1;
  for (const name of names) {
    const distance = editDistance(typed.slice(0, 64).toLowerCase(), name.toLowerCase());
    if (distance < least) [least, found] = [distance, name];
  }
  return found;
}

/** Letters put in, left out, changed, or swapped with their neighbour (optimal string alignment). */
function editDistance(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = rows[i - 1][j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped =
        i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? rows[i - 2][j - 2] + 1 : changed;
      row.push(Math.min(changed, swapped, rows[i - 1][j] + 1, row[j - 1] + 1));
    }
    rows.push(row);
  }
  return rows[a.length][b.length];
}
