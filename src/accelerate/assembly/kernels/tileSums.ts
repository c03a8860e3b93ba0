/** Sums of a tile of 4 rows and 8 channels. */
// @ts-nocheck: the types are AssemblyScript's

/** seed: the corrections a first chunk begins with, or 0; xSums: of these 4 rows. */
export function exactTile(x: usize, w: usize, end: usize, c: usize, seed: usize, xSums: usize): void {
  let a0: v128, a1: v128, b0: v128, b1: v128, c0: v128, c1: v128, d0: v128, d1: v128;
  if (seed) {
    a0 = a1 = b0 = b1 = c0 = c1 = d0 = d1 = i32x4.splat(0);
  } else {
    a0 = v128.load(c, 0);
    a1 = v128.load(c, 16);
    b0 = v128.load(c, 128);
    b1 = v128.load(c, 144);
    c0 = v128.load(c, 256);
    c1 = v128.load(c, 272);
    d0 = v128.load(c, 384);
    d1 = v128.load(c, 400);
  }
  do {
    const w0 = v128.load(w);
    const w1 = v128.load(w, 16);
    let v = v128.load32_splat(x);
    a0 = i32x4.add(a0, i32x4.dot_i16x8_s(v, w0));
    a1 = i32x4.add(a1, i32x4.dot_i16x8_s(v, w1));
    v = v128.load32_splat(x, 4);
    b0 = i32x4.add(b0, i32x4.dot_i16x8_s(v, w0));
    b1 = i32x4.add(b1, i32x4.dot_i16x8_s(v, w1));
    v = v128.load32_splat(x, 8);
    c0 = i32x4.add(c0, i32x4.dot_i16x8_s(v, w0));
    c1 = i32x4.add(c1, i32x4.dot_i16x8_s(v, w1));
    v = v128.load32_splat(x, 12);
    d0 = i32x4.add(d0, i32x4.dot_i16x8_s(v, w0));
    d1 = i32x4.add(d1, i32x4.dot_i16x8_s(v, w1));
    w += 32;
    x += 16;
  } while (w < end);
  v128.store(c, a0, 0);
  v128.store(c, a1, 16);
  v128.store(c, b0, 128);
  v128.store(c, b1, 144);
  v128.store(c, c0, 256);
  v128.store(c, c1, 272);
  v128.store(c, d0, 384);
  v128.store(c, d1, 400);
}

/** Zero points' share of one row: seed[n] - w_zero_point[n] * (sum of the row's codes). */
// @ts-expect-error: decorator
@inline
export function seeded(seed: usize, xSum: usize): v128 {
  return i32x4.add(v128.load(seed), i32x4.mul(v128.load(seed, 128), v128.load32_splat(xSum)));
}

/** p: products of even k, q: of odd k; their sums saturate at int16 and are added in twos. */
// @ts-expect-error: decorator
@inline
function addPairs(sum: v128, p: v128, even: v128, q: v128, odd: v128, ones: v128): v128 {
  return i32x4.add(
    sum,
    i32x4.dot_i16x8_s(i16x8.add_sat_s(i16x8.mul(p, even), i16x8.mul(q, odd)), ones),
  );
}

export function pairsTile(x: usize, w: usize, end: usize, c: usize, seed: usize, xSums: usize): void {
  const ones = i16x8.splat(1);
  let a0: v128, a1: v128, b0: v128, b1: v128, c0: v128, c1: v128, d0: v128, d1: v128;
  if (seed) {
    a0 = seeded(seed, xSums);
    a1 = seeded(seed + 16, xSums);
    b0 = seeded(seed, xSums + 4);
    b1 = seeded(seed + 16, xSums + 4);
    c0 = seeded(seed, xSums + 8);
    c1 = seeded(seed + 16, xSums + 8);
    d0 = seeded(seed, xSums + 12);
    d1 = seeded(seed + 16, xSums + 12);
  } else {
    a0 = v128.load(c, 0);
    a1 = v128.load(c, 16);
    b0 = v128.load(c, 128);
    b1 = v128.load(c, 144);
    c0 = v128.load(c, 256);
    c1 = v128.load(c, 272);
    d0 = v128.load(c, 384);
    d1 = v128.load(c, 400);
  }
  do {
    const e0 = v128.load(w);
    const e1 = v128.load(w, 16);
    const o0 = v128.load(w, 32);
    const o1 = v128.load(w, 48);
    let p = v128.load32_splat(x);
    let q = v128.load32_splat(x, 16);
    a0 = addPairs(a0, p, e0, q, o0, ones);
    a1 = addPairs(a1, p, e1, q, o1, ones);
    p = v128.load32_splat(x, 4);
    q = v128.load32_splat(x, 20);
    b0 = addPairs(b0, p, e0, q, o0, ones);
    b1 = addPairs(b1, p, e1, q, o1, ones);
    p = v128.load32_splat(x, 8);
    q = v128.load32_splat(x, 24);
    c0 = addPairs(c0, p, e0, q, o0, ones);
    c1 = addPairs(c1, p, e1, q, o1, ones);
    p = v128.load32_splat(x, 12);
    q = v128.load32_splat(x, 28);
    d0 = addPairs(d0, p, e0, q, o0, ones);
    d1 = addPairs(d1, p, e1, q, o1, ones);
    w += 64;
    x += 32;
  } while (w < end);
  v128.store(c, a0, 0);
  v128.store(c, a1, 16);
  v128.store(c, b0, 128);
  v128.store(c, b1, 144);
  v128.store(c, c0, 256);
  v128.store(c, c1, 272);
  v128.store(c, d0, 384);
  v128.store(c, d1, 400);
}
