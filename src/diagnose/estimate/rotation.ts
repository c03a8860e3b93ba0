/**
 * The smallest rotation that maps every row: observed[i] is replayed[i + rotation]. Null if there is none or the rows already agree. One pass,
 * since of rows that are equal by the 100,000 each would be compared with each.
 */
export function rotationOf(observed: readonly string[], replayed: readonly string[]): number | null {
  const count = observed.length;
  const longestBefore = bordersOf(observed);
  let found = count;
  for (let at = 0, matched = 0; at < 2 * count - 1; at++) {
    while (matched > 0 && observed[matched] !== replayed[at % count]) matched = longestBefore[matched - 1];
    if (observed[matched] === replayed[at % count]) matched++;
    if (matched < count) continue;
    const shift = at + 1 - count;
    const [distance, least] = [shift, found].map((own) => Math.min(own, count - own));
    if (shift > 0 && (found === count || distance < least)) found = shift;
    matched = longestBefore[matched - 1];
  }
  return found === count ? null : found;
}

/** Knuth, Morris and Pratt's: of each beginning, how long the longest shorter beginning is that it ends in. */
function bordersOf(texts: readonly string[]): Int32Array {
  const borders = new Int32Array(texts.length);
  for (let at = 1, matched = 0; at < texts.length; at++) {
    while (matched > 0 && texts[matched] !== texts[at]) matched = borders[matched - 1];
    if (texts[matched] === texts[at]) matched++;
    borders[at] = matched;
  }
  return borders;
}
