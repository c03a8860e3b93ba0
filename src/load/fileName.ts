import { createHash } from 'node:crypto';

/** Every file system takes 255 bytes; the extension, and a longer folder's path, have to fit too. */
const MOST_CHARACTERS = 120;

/**
 * A name from a file as the name of a file: characters other than A-Za-z0-9._- as %XX of their UTF-8; what is longer than 120
 * characters is cut, and ends in ~ and 8 digits of the name's SHA-256. load/npyFolder.ts reads the %XX back.
 */
export function fileName(name: string): string {
  const start = name.slice(0, 2 * (MOST_CHARACTERS + 1)); // a longer one is cut, whatever follows
  const plain = Array.from(start, (character) => (/[A-Za-z0-9._-]/.test(character) ? character : escaped(character)));
  if (plain.join('').length <= MOST_CHARACTERS) return plain.join('');
  return marked(plain, name);
}

/** File names by name, no two alike, also where case does not tell files apart: the later one ends in its digits too. */
export function fileNames(names: readonly string[]): Map<string, string> {
  const used = new Set<string>();
  return new Map(
    names.map((name) => {
      const own = fileName(name);
      const file = used.has(own.toLowerCase()) ? marked([own], name) : own;
      used.add(file.toLowerCase());
      return [name, file];
    }),
  );
}

function escaped(character: string): string {
  return [...Buffer.from(character)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');
}

/** As many whole characters as there is room for, and the digits. */
function marked(parts: readonly string[], name: string): string {
  // UTF-16: what a lone surrogate is, its UTF-8 does not tell
  const digits = createHash('sha256')
    .update(isWhole(name) ? name : Buffer.from(name, 'utf16le'))
    .digest('hex');
  const end = `~${digits.slice(0, 8)}`;
  let head = '';
  for (const part of parts.flatMap((text) => text.match(/(?:%..)+|./g) ?? [])) {
    if (head.length + part.length + end.length > MOST_CHARACTERS) break;
    head += part;
  }
  return head + end;
}

function isWhole(name: string): boolean {
  return !/\p{Cs}/u.test(name);
}
