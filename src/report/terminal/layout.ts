/** Text in columns of a terminal: widths, padding, shortening, wrapping. Nothing here knows what a report is. */
import { eastAsianWidth } from 'get-east-asian-width';

/** Columns a text takes: 2 for CJK and emoji, 0 for combining marks. Expects printable text. */
export function displayWidth(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += characterWidth(character);
  return width;
}

function characterWidth(character: string): number {
  const code = character.codePointAt(0)!;
  return (code < FIRST_SYMBOL || code > LAST_SYMBOL) && /\p{M}/u.test(character) ? 0 : eastAsianWidth(code);
}

/** Arrows, boxes, blocks, marks: our own, and no combining mark among them; the pattern for those takes 5 ms to compile. */
const [FIRST_SYMBOL, LAST_SYMBOL] = [0x2190, 0x2bff];

export function padEnd(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - displayWidth(text)));
}

export function padStart(text: string, width: number): string {
  return ' '.repeat(Math.max(0, width - displayWidth(text))) + text;
}

/**
 * A name that is too long, never wider than width: first its leading parts go to their initials and numbers
 * (model.layers.31.self_attn.q_proj, m.l.31.self_attn.q_proj), then the middle goes. head: of what is left, how much is its beginning.
 */
export function shortenName(name: string, width: number, ellipsis: string, head = HEADS[0]): string {
  const parts = name.split(/(?<=[./])/);
  let whole = displayWidth(name);
  for (let i = 0; i < parts.length - 1 && whole > width; i++) {
    const [initial] = parts[i];
    if (!/[a-z]/i.test(initial)) continue;
    const short = initial + numberAt(parts[i]) + parts[i].at(-1);
    whole -= displayWidth(parts[i]) - displayWidth(short);
    parts[i] = short;
  }
  return shortenMiddle(parts.join(''), width, ellipsis, head);
}

/** How much of a shortened name is its beginning, what reads best first. */
const HEADS = [1 / 2, 3 / 4, 1, 1 / 4];

/** Names that stand below each other, as many of them apart as that allows: what all of them begin or end with tells nothing. */
export function shortenNames(names: readonly string[], width: number, ellipsis: string): string[] {
  const different = new Set(names).size;
  let best: { names: string[]; apart: number } | null = null;
  for (const head of HEADS) {
    const short = names.map((name) => shortenName(name, width, ellipsis, head));
    const apart = new Set(short).size;
    if (apart > (best?.apart ?? 0)) best = { names: short, apart };
    if (apart === different) break;
  }
  return best?.names ?? [];
}

/** layer2. and layer3. are two. */
function numberAt(part: string): string {
  return /.(\d*).$/.exec(part)?.[1] ?? '';
}

/** Keeps both ends, unless all is head; never wider than width. */
function shortenMiddle(text: string, width: number, ellipsis: string, share: number): string {
  if (displayWidth(text) <= width) return text;
  const room = width - displayWidth(ellipsis);
  if (room < 2) return takeStart(text, width);
  const head = takeStart(text, Math.floor(room * share));
  return head + ellipsis + takeEnd(text, room - displayWidth(head));
}

function takeStart(text: string, width: number): string {
  let taken = '';
  let used = 0;
  for (const character of text) {
    used += characterWidth(character);
    if (used > width) break;
    taken += character;
  }
  return taken;
}

function takeEnd(text: string, width: number): string {
  const characters = [...text];
  let used = 0;
  let from = characters.length;
  while (from > 0 && used + characterWidth(characters[from - 1]) <= width) used += characterWidth(characters[--from]);
  return characters.slice(from).join('');
}

/** Lines of at most width columns, broken at spaces; a longer word is cut. At least one line. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (let word of text.split(' ')) {
    if (line !== '' && displayWidth(line) + 1 + displayWidth(word) <= width) {
      line += ` ${word}`;
      continue;
    }
    if (line !== '') lines.push(line);
    while (displayWidth(word) > width) {
      const cut = takeStart(word, width) || [...word][0];
      lines.push(cut);
      word = word.slice(cut.length);
    }
    line = word;
  }
  return [...lines, line];
}
