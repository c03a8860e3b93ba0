/** The colours of a terminal, of the 16 that each has: so little that a package for it takes longer to load than to write. */
import type { Paint } from './columns.js';

/** Select Graphic Rendition: what begins a look, and what ends it. */
const LOOKS = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
} as const;

export type Ink = Readonly<Record<keyof typeof LOOKS, Paint>>;

/** Each paints one line, which may hold painted parts; without colour it stays as it is. */
export function inkOf({ color }: { readonly color: number }): Ink {
  const paints = Object.entries(LOOKS).map(([name, [begin, end]]) => [name, color === 0 ? plain : painter(begin, end)]);
  return Object.fromEntries(paints) as Ink;
}

const plain: Paint = (text) => text;

function painter(begin: number, end: number): Paint {
  const [on, off] = [`\x1b[${begin}m`, `\x1b[${end}m`];
  return (text) => (text === '' ? '' : on + text.replaceAll(off, on) + off); // what ends a part would end the whole
}
