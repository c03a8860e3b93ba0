/**
 * AssemblyScript, 128-bit SIMD: what is computed of each code, or of two, by itself. A ladder (`numeric/ladder.ts`) gives the code of a
 * number: a guess that is right or one too low, and the number at which the next code begins. All that is read and written at a time is
 * sixteen values: behind source and target are as many to spare.
 */

// @ts-nocheck: the types are AssemblyScript's

/** Written by elementwise.ts; behind it the numbers at which codes begin, then a table of 256 numbers for each operand. */
@unmanaged
class Ladder {
  perStep: f32;
  offset: f32;
  /** The number of steps. */
  last: f32;
  first: i32;
}

/** Codes of pairs of codes. kind: the sum of float32 numbers, their product, the sum of int32 numbers, their product. */
export function pairs(kind: i32, a: usize, b: usize, out: usize, length: i32, left: usize, right: usize, ladder: usize): void {
  const own = changetype<Ladder>(ladder);
  if (kind == 0) pairsOf(0, a, b, out, length, left, right, own);
  else if (kind == 1) pairsOf(1, a, b, out, length, left, right, own);
  else if (kind == 2) pairsOf(2, a, b, out, length, left, right, own);
  else pairsOf(3, a, b, out, length, left, right, own);
}

// @ts-expect-error: decorator
@inline
function pairsOf(kind: i32, a: usize, b: usize, out: usize, length: i32, left: usize, right: usize, ladder: Ladder): void {
  const perStep = f32x4.splat(ladder.perStep);
  const offset = f32x4.splat(ladder.offset);
  const last = f32x4.splat(ladder.last);
  const first = i8x16.splat(<i8>ladder.first);
  const begins = changetype<usize>(ladder) + offsetof<Ladder>();
  for (const end = out + length; out < end; out += 16, a += 16, b += 16) {
    const s0 = climbed(kind, joined(kind, fourOf(left, a), fourOf(right, b)), perStep, offset, last, begins);
    const s1 = climbed(kind, joined(kind, fourOf(left, a + 4), fourOf(right, b + 4)), perStep, offset, last, begins);
    const s2 = climbed(kind, joined(kind, fourOf(left, a + 8), fourOf(right, b + 8)), perStep, offset, last, begins);
    const s3 = climbed(kind, joined(kind, fourOf(left, a + 12), fourOf(right, b + 12)), perStep, offset, last, begins);
    v128.store(out, i8x16.add(first, inBytes(s0, s1, s2, s3)));
  }
}

/** The numbers of four codes. */
// @ts-expect-error: decorator
@inline
function fourOf(table: usize, codes: usize): v128 {
  let four = v128.load32_zero(table + (<usize>load<u8>(codes) << 2));
  four = v128.load32_lane(table + (<usize>load<u8>(codes, 1) << 2), four, 1);
  four = v128.load32_lane(table + (<usize>load<u8>(codes, 2) << 2), four, 2);
  return v128.load32_lane(table + (<usize>load<u8>(codes, 3) << 2), four, 3);
}

// @ts-expect-error: decorator
@inline
function joined(kind: i32, one: v128, other: v128): v128 {
  if (kind == 0) return f32x4.add(one, other);
  if (kind == 1) return f32x4.mul(one, other);
  return kind == 2 ? i32x4.add(one, other) : i32x4.mul(one, other);
}

/** How many steps four numbers are above the ladder's first code. */
// @ts-expect-error: decorator
@inline
function climbed(kind: i32, numbers: v128, perStep: v128, offset: v128, last: v128, begins: usize): v128 {
  const reals = kind < 2 ? numbers : f32x4.convert_i32x4_s(numbers);
  const steps = f32x4.pmax(f32x4.splat(0), f32x4.pmin(last, f32x4.add(f32x4.mul(reals, perStep), offset)));
  // 2^23: what is added to it is rounded to an integer, half to even, in the lowest bits
  const guessed = v128.and(f32x4.add(steps, f32x4.splat(8388608)), i32x4.splat(511));
  let next = v128.load32_zero(begins + (i32x4.extract_lane(guessed, 0) << 2));
  next = v128.load32_lane(begins + (i32x4.extract_lane(guessed, 1) << 2), next, 1);
  next = v128.load32_lane(begins + (i32x4.extract_lane(guessed, 2) << 2), next, 2);
  next = v128.load32_lane(begins + (i32x4.extract_lane(guessed, 3) << 2), next, 3);
  // true is -1
  return i32x4.sub(guessed, kind < 2 ? f32x4.ge(numbers, next) : i32x4.ge_s(numbers, next));
}

// @ts-expect-error: decorator
@inline
function inBytes(s0: v128, s1: v128, s2: v128, s3: v128): v128 {
  return i8x16.narrow_i16x8_u(i16x8.narrow_i32x4_s(s0, s1), i16x8.narrow_i32x4_s(s2, s3));
}

/** Codes of float32 numbers. Returns 1 where all of them are below `reach` in size: codes of others are arbitrary. */
export function climb(source: usize, out: usize, length: i32, ladder: usize, reach: f32): i32 {
  const own = changetype<Ladder>(ladder);
  const perStep = f32x4.splat(own.perStep);
  const offset = f32x4.splat(own.offset);
  const last = f32x4.splat(own.last);
  const first = i8x16.splat(<i8>own.first);
  const begins = ladder + offsetof<Ladder>();
  const reaches = f32x4.splat(reach);
  let within = i32x4.splat(-1);
  for (const end = out + length; out < end; out += 16, source += 64) {
    const v0 = v128.load(source);
    const v1 = v128.load(source, 16);
    const v2 = v128.load(source, 32);
    const v3 = v128.load(source, 48);
    const largest01 = v128.and(f32x4.lt(f32x4.abs(v0), reaches), f32x4.lt(f32x4.abs(v1), reaches));
    const largest23 = v128.and(f32x4.lt(f32x4.abs(v2), reaches), f32x4.lt(f32x4.abs(v3), reaches));
    within = v128.and(within, v128.and(largest01, largest23));
    const s0 = climbed(0, v0, perStep, offset, last, begins);
    const s1 = climbed(0, v1, perStep, offset, last, begins);
    const s2 = climbed(0, v2, perStep, offset, last, begins);
    const s3 = climbed(0, v3, perStep, offset, last, begins);
    v128.store(out, i8x16.add(first, inBytes(s0, s1, s2, s3)));
  }
  return i32x4.all_true(within) ? 1 : 0;
}

/** Bytes of a table of 256. */
export function lookup(source: usize, out: usize, length: i32, table: usize): void {
  for (const end = out + length; out < end; out += 8, source += 8) {
    store<u8>(out, load<u8>(table + load<u8>(source)));
    store<u8>(out, load<u8>(table + load<u8>(source, 1)), 1);
    store<u8>(out, load<u8>(table + load<u8>(source, 2)), 2);
    store<u8>(out, load<u8>(table + load<u8>(source, 3)), 3);
    store<u8>(out, load<u8>(table + load<u8>(source, 4)), 4);
    store<u8>(out, load<u8>(table + load<u8>(source, 5)), 5);
    store<u8>(out, load<u8>(table + load<u8>(source, 6)), 6);
    store<u8>(out, load<u8>(table + load<u8>(source, 7)), 7);
  }
}

/** Bytes, or where they are less or more the bounds. */
export function limit(source: usize, out: usize, length: i32, low: i32, high: i32, signed: i32): void {
  const least = i8x16.splat(<i8>low);
  const most = i8x16.splat(<i8>high);
  for (const end = out + length; out < end; out += 16, source += 16) {
    const codes = v128.load(source);
    if (signed) v128.store(out, i8x16.min_s(most, i8x16.max_s(least, codes)));
    else v128.store(out, i8x16.min_u(most, i8x16.max_u(least, codes)));
  }
}
