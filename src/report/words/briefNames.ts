/** Names that a converter joined of many: "a/Relu;a/batch_normalization/mul;a/Conv2D". */
import { printable } from '../../text.js';

const LONG = 40;

/** Text in which such names of a report go to their first parts, as many as tell them apart. Commands to copy keep them whole. */
export function briefly(names: readonly string[], ellipsis: string): (text: string) => string {
  const all = new Set(names);
  const pairs = [...all]
    .flatMap((name) => {
      const brief = name.length > LONG ? firstParts(name, all) : null;
      return brief === null ? [] : [[printable(name), printable(brief) + ellipsis] as const];
    })
    .sort(([one], [other]) => other.length - one.length); // a name may begin another
  return (text) => pairs.reduce((left, [name, brief]) => left.replaceAll(name, brief), text);
}

/** Null: they are nearly all of it. */
function firstParts(name: string, all: ReadonlySet<string>): string | null {
  for (let end = name.indexOf(';') + 1; end > 0; end = name.indexOf(';', end) + 1) {
    const first = name.slice(0, end);
    const others = [...all].some((other) => other !== name && `${other};`.startsWith(first));
    if (!others) return end > 1 && end < name.length / 1.5 ? first : null;
  }
  return null;
}
