/** Codes in other places: the largest of windows, matrices transposed. */
// @ts-nocheck: the types are AssemblyScript's

/**
 * Of each window the largest code of each channel, and of `least`, in rows of channels. list: places, window by window up to its end.
 * Sixteen channels at a time: what is written behind a row is the start of the next one, which comes later.
 */
export function largest(
  source: usize,
  target: usize,
  list: usize,
  ends: usize,
  windows: i32,
  channels: i32,
  signed: i32,
  least: i32,
): void {
  const leasts = i8x16.splat(<i8>least);
  let begin = list;
  for (let window: i32 = 0; window < windows; window++) {
    const end = list + 4 * load<i32>(ends + 4 * window);
    const to = target + window * channels;
    for (let channel: i32 = 0; channel < channels; channel += 16) {
      const from = source + channel;
      let found = leasts;
      if (signed) for (let at = begin; at < end; at += 4) found = i8x16.max_s(found, v128.load(from + load<i32>(at) * channels));
      else for (let at = begin; at < end; at += 4) found = i8x16.max_u(found, v128.load(from + load<i32>(at) * channels));
      v128.store(to + channel, found);
    }
    begin = end;
  }
}

/** Bytes [outer, inner] to [inner, outer]. Reads to 8 rows behind the last, and writes 7 bytes behind it. */
export function transpose(source: usize, target: usize, outer: i32, inner: i32): void {
  for (let column: i32 = 0; column < inner; column += 16) {
    // backwards: what is written behind the end of a line is the start of the next one, which comes later
    for (let row: i32 = ((outer - 1) >> 3) << 3; row >= 0; row -= 8) {
      transposeEight(source + row * inner + column, target + column * outer + row, outer, inner, inner - column);
    }
  }
}

/** Rows of 16 bytes, `inner` apart, to columns of 8. Interleaving the halves of 128 bytes rotates the 7 bits of their index. */
function transposeEight(from: usize, to: usize, outer: usize, inner: usize, columns: i32): void {
  const a0 = v128.load(from);
  const a1 = v128.load(from + inner);
  const a2 = v128.load(from + 2 * inner);
  const a3 = v128.load(from + 3 * inner);
  from += 4 * inner;
  const a4 = v128.load(from);
  const a5 = v128.load(from + inner);
  const a6 = v128.load(from + 2 * inner);
  const a7 = v128.load(from + 3 * inner);
  const b0 = lowBytes(a0, a4);
  const b1 = highBytes(a0, a4);
  const b2 = lowBytes(a1, a5);
  const b3 = highBytes(a1, a5);
  const b4 = lowBytes(a2, a6);
  const b5 = highBytes(a2, a6);
  const b6 = lowBytes(a3, a7);
  const b7 = highBytes(a3, a7);
  const c0 = lowBytes(b0, b4);
  const c1 = highBytes(b0, b4);
  const c2 = lowBytes(b1, b5);
  const c3 = highBytes(b1, b5);
  const c4 = lowBytes(b2, b6);
  const c5 = highBytes(b2, b6);
  const c6 = lowBytes(b3, b7);
  const c7 = highBytes(b3, b7);
  storeTwoColumns(to, outer, lowBytes(c0, c4), columns);
  storeTwoColumns(to + 2 * outer, outer, highBytes(c0, c4), columns - 2);
  storeTwoColumns(to + 4 * outer, outer, lowBytes(c1, c5), columns - 4);
  storeTwoColumns(to + 6 * outer, outer, highBytes(c1, c5), columns - 6);
  storeTwoColumns(to + 8 * outer, outer, lowBytes(c2, c6), columns - 8);
  storeTwoColumns(to + 10 * outer, outer, highBytes(c2, c6), columns - 10);
  storeTwoColumns(to + 12 * outer, outer, lowBytes(c3, c7), columns - 12);
  storeTwoColumns(to + 14 * outer, outer, highBytes(c3, c7), columns - 14);
}

// @ts-expect-error: decorator
@inline
function lowBytes(a: v128, b: v128): v128 {
  return v128.shuffle<i8>(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}

// @ts-expect-error: decorator
@inline
function highBytes(a: v128, b: v128): v128 {
  return v128.shuffle<i8>(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}

// @ts-expect-error: decorator
@inline
function storeTwoColumns(to: usize, outer: usize, two: v128, columns: i32): void {
  if (columns > 0) v128.store64_lane(to, two, 0);
  if (columns > 1) v128.store64_lane(to + outer, two, 1);
}
