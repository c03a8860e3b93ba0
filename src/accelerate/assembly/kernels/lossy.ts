/** Sums that lose something: bits of products, or what does not fit. */
// @ts-nocheck: the types are AssemblyScript's

/**
 * Sums of eight channels, in order of k, that stay within [least, most] after every product; of it, first, (product + up, and `inward`
 * more below zero) >> bits. x: int16 [rows, length], one more where they are odd; w: of each k a weight in the lower half of each of
 * eight int32; start: what the channels begin with; out: int32 [rows, 8], one more likewise.
 */
export function lossySums(
  x: usize,
  w: usize,
  start: usize,
  rows: i32,
  length: i32,
  bits: i32,
  up: i32,
  inward: i32,
  least: i32,
  most: i32,
  out: usize,
): void {
  for (let row: i32 = 0; row < rows; row += 2, x += 4 * length, out += 64) {
    if (bits) lossyRows(x, w, start, length, true, bits, up, inward, least, most, out);
    else lossyRows(x, w, start, length, false, 0, 0, 0, least, most, out);
  }
}

// @ts-expect-error: decorator
@inline
function lossyRows(
  x: usize,
  w: usize,
  start: usize,
  length: i32,
  shifts: bool,
  bits: i32,
  up: i32,
  inward: i32,
  least: i32,
  most: i32,
  out: usize,
): void {
  const low = i32x4.splat(least);
  const high = i32x4.splat(most);
  const ups = i32x4.splat(up);
  const inwards = i32x4.splat(inward);
  let a0 = v128.load(start);
  let a1 = v128.load(start, 16);
  let b0 = a0;
  let b1 = a1;
  const end = x + 2 * length;
  for (let other = end; x < end; x += 2, other += 2, w += 32) {
    const w0 = v128.load(w);
    const w1 = v128.load(w, 16);
    let v = v128.load16_splat(x);
    a0 = lossyAdd(a0, i32x4.dot_i16x8_s(v, w0), shifts, bits, ups, inwards, low, high);
    a1 = lossyAdd(a1, i32x4.dot_i16x8_s(v, w1), shifts, bits, ups, inwards, low, high);
    v = v128.load16_splat(other);
    b0 = lossyAdd(b0, i32x4.dot_i16x8_s(v, w0), shifts, bits, ups, inwards, low, high);
    b1 = lossyAdd(b1, i32x4.dot_i16x8_s(v, w1), shifts, bits, ups, inwards, low, high);
  }
  v128.store(out, a0);
  v128.store(out, a1, 16);
  v128.store(out, b0, 32);
  v128.store(out, b1, 48);
}

// @ts-expect-error: decorator
@inline
function lossyAdd(
  sum: v128,
  product: v128,
  shifts: bool,
  bits: i32,
  ups: v128,
  inwards: v128,
  low: v128,
  high: v128,
): v128 {
  let own = product;
  if (shifts) {
    const below = v128.and(i32x4.shr_s(own, 31), inwards);
    own = i32x4.shr_s(i32x4.add(i32x4.add(own, ups), below), bits);
  }
  return i32x4.min_s(high, i32x4.max_s(low, i32x4.add(sum, own)));
}
