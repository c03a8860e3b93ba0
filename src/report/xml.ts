/** XML as text. */
import { printable } from '../text.js';

type Attributes = Readonly<Record<string, string | number>>;

/** The start of an element. */
export function open(tag: string, attributes: Attributes): string {
  const text = Object.entries(attributes).map(([key, value]) => ` ${key}="${xml(String(value))}"`);
  return `<${tag}${text.join('')}>`;
}

/** An element without content. */
export function empty(tag: string, attributes: Attributes): string {
  return open(tag, attributes).replace(/>$/, '/>');
}

const ENTITIES = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&quot;'],
]);

/** A line of text, or an attribute's value; characters that XML 1.0 cannot hold are spelled as on a terminal. */
export function xml(line: string): string {
  return printable(line)
    .replace(/[\ufffe\uffff]/g, (character) => `\\u${character.charCodeAt(0).toString(16)}`)
    .replace(/[&<>"]/g, (character) => ENTITIES.get(character)!);
}
