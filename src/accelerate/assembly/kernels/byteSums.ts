/** Sums of bytes, and their proof. */
// @ts-nocheck: the types are AssemblyScript's

import { CHUNK, Job, TILE_CHANNELS } from './job';
import { seeded } from './tileSums';

/**
 * acc[n] + the sum of 4 products w * x, w signed and x unsigned. The relaxed instruction is exact for x below 128; above, its meaning
 * is the engine's: exact with AVX-VNNI in V8 since 13.6, pairs that saturate at int16 elsewhere on x86, signed x on ARM. So it is
 * used only where `dotIsExact` finds it so, and `proven` goes over every tile.
 */
// @ts-expect-error: decorator
@inline
function dotBytes(w: v128, x: v128, acc: v128, relaxed: i32): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) {
    if (relaxed) return i32x4.relaxed_dot_i8x16_i7x16_add_s(w, x, acc);
  }
  const a = i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_s(w), i16x8.extend_low_i8x16_u(x));
  const b = i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_s(w), i16x8.extend_high_i8x16_u(x));
  return i32x4.add(acc, foldTwos(a, b));
}

/** (a0 + a1, a2 + a3, b0 + b1, b2 + b3) */
// @ts-expect-error: decorator
@inline
function foldTwos(a: v128, b: v128): v128 {
  return i32x4.add(v128.shuffle<i32>(a, b, 0, 2, 4, 6), v128.shuffle<i32>(a, b, 1, 3, 5, 7));
}

// @ts-expect-error: decorator
@inline
function bytesTile(x: usize, w: usize, end: usize, c: usize, seed: usize, xSums: usize, relaxed: i32): void {
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
    const w0 = v128.load(w);
    const w1 = v128.load(w, 16);
    let v = v128.load32_splat(x);
    a0 = dotBytes(w0, v, a0, relaxed);
    a1 = dotBytes(w1, v, a1, relaxed);
    v = v128.load32_splat(x, 4);
    b0 = dotBytes(w0, v, b0, relaxed);
    b1 = dotBytes(w1, v, b1, relaxed);
    v = v128.load32_splat(x, 8);
    c0 = dotBytes(w0, v, c0, relaxed);
    c1 = dotBytes(w1, v, c1, relaxed);
    v = v128.load32_splat(x, 12);
    d0 = dotBytes(w0, v, d0, relaxed);
    d1 = dotBytes(w1, v, d1, relaxed);
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

export function relaxedTile(x: usize, w: usize, end: usize, c: usize, seed: usize, xSums: usize): void {
  bytesTile(x, w, end, c, seed, xSums, 1);
}

export function portableTile(x: usize, w: usize, end: usize, c: usize, seed: usize, xSums: usize): void {
  bytesTile(x, w, end, c, seed, xSums, 0);
}

/** Whether the relaxed instruction is exact for all codes with weights w, w + 37 ... of all bytes; and with w in each of them. */
export function dotIsExact(w: i32): i32 {
  if (!ASC_FEATURE_RELAXED_SIMD) return 0;
  const bytes = i8x16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  const w0 = i8x16.splat(<i8>w);
  const w1 = i8x16.add(w0, i8x16(0, 37, 74, 111, -108, -71, -34, 3, 40, 77, 114, -105, -68, -31, 6, 43));
  let wrong = i32x4.splat(0);
  let acc = i32x4(0, 1, i32.MAX_VALUE, i32.MIN_VALUE);
  for (let x: i32 = 0; x < 256; x++) {
    const x0 = i8x16.splat(<i8>x);
    const x1 = i8x16.add(x0, i8x16.add(bytes, v128.shl<i8>(bytes, 3)));
    wrong = v128.or(wrong, v128.xor(dotBytes(w0, x0, acc, 1), dotBytes(w0, x0, acc, 0)));
    const sums = dotBytes(w1, x1, acc, 0);
    wrong = v128.or(wrong, v128.xor(dotBytes(w1, x1, acc, 1), sums));
    acc = sums;
  }
  return v128.any_true(wrong) ? 0 : 1;
}

/** Bytes of the sums of one tile of rows: two int16 for each k. */
// @ts-expect-error: decorator
@inline
function columnBytes(job: Job): usize {
  return 8 * job.packedLength;
}

/** Of the tile of rows from firstRow on: the sums of its packed codes by k; the lowest 7 bits of 4 k, then what lies above of these 4. */
export function columnSums(job: Job, firstRow: i32): void {
  const paddedRows = (job.rows + 3) & ~3;
  const quads = min(job.tileRows, paddedRows - firstRow) / 4;
  let to = job.columns + <usize>(firstRow / job.tileRows) * columnBytes(job);
  for (let chunk: i32 = 0; chunk < job.packedLength; chunk += CHUNK) {
    const length = min(CHUNK, job.packedLength - chunk);
    const chunkX = job.x + <usize>chunk * paddedRows * 2 + <usize>firstRow * length * 2;
    for (let k: i32 = 0; k < length; k += 8, to += 64) {
      let s0 = i32x4.splat(0);
      let s1 = i32x4.splat(0);
      let s2 = i32x4.splat(0);
      let s3 = i32x4.splat(0);
      for (let quad: i32 = 0; quad < quads; quad += 128) {
        // two rows a quad and lane: 128 * 2 * 255 fits 16 bits
        let t0 = i32x4.splat(0);
        let t1 = i32x4.splat(0);
        let t2 = i32x4.splat(0);
        let t3 = i32x4.splat(0);
        const end = min(quads, quad + 128);
        let x = chunkX + <usize>quad * length * 8 + k * 8;
        for (let q = quad; q < end; q++, x += length * 8) {
          t0 = addRows(t0, v128.load(x));
          t1 = addRows(t1, v128.load(x, 16));
          t2 = addRows(t2, v128.load(x, 32));
          t3 = addRows(t3, v128.load(x, 48));
        }
        s0 = addHalves(s0, t0);
        s1 = addHalves(s1, t1);
        s2 = addHalves(s2, t2);
        s3 = addHalves(s3, t3);
      }
      storeColumns(to, s0);
      storeColumns(to + 16, s1);
      storeColumns(to + 32, s2);
      storeColumns(to + 48, s3);
    }
  }
}

// @ts-expect-error: decorator
@inline
function addRows(sum: v128, x: v128): v128 {
  return i16x8.add(sum, i16x8.add(i16x8.extend_low_i8x16_u(x), i16x8.extend_high_i8x16_u(x)));
}

// @ts-expect-error: decorator
@inline
function addHalves(sum: v128, halves: v128): v128 {
  return i32x4.add(sum, i32x4.add(i32x4.extend_low_i16x8_u(halves), i32x4.extend_high_i16x8_u(halves)));
}

// @ts-expect-error: decorator
@inline
function storeColumns(to: usize, sums: v128): void {
  v128.store(to, i16x8.narrow_i32x4_s(v128.and(sums, i32x4.splat(127)), i32x4.shr_u(sums, 7)));
}

/**
 * Whether each channel's sums over the rows of a tile are what the rows' sum gives: sum over m of acc[m, n] =
 * sum over k of (sum over m of x[m, k]) * w[n, k], with the zero points' share; all modulo 2^32, as acc is. That takes one
 * multiplication of each weight, of 16-bit numbers, which every engine must multiply alike.
 */
export function proven(job: Job, firstRow: i32, rows: i32, panels: i32, seed: usize, w: usize, c: usize): bool {
  const columns = job.columns + <usize>(firstRow / job.tileRows) * columnBytes(job);
  let xSum: i32 = 0;
  for (let row: i32 = 0; row < rows; row++) xSum += load<i32>(job.xSums + (firstRow + row) * 4);
  const xSums = i32x4.splat(xSum);
  const count = i32x4.splat(rows);
  let wrong = i32x4.splat(0);
  for (let panel: i32 = 0; panel < panels; panel++) {
    for (let half: i32 = 0; half < 2; half++) {
      const at: usize = panel * 32 + half * 16;
      const products = columnProducts(job, columns, w, panel, half * 16);
      const zeroPoints = i32x4.add(i32x4.mul(count, v128.load(seed + at)), i32x4.mul(xSums, v128.load(seed + at, 128)));
      let sums = i32x4.splat(0);
      for (let row: i32 = 0, from = c + at; row < rows; row++, from += TILE_CHANNELS * 4) {
        sums = i32x4.add(sums, v128.load(from));
      }
      wrong = v128.or(wrong, v128.xor(sums, i32x4.add(products, zeroPoints)));
    }
  }
  return !v128.any_true(wrong);
}

/** Of four channels: the sum over k of columns[k] * w[n, k], modulo 2^32. */
function columnProducts(job: Job, columns: usize, w: usize, panel: i32, offset: usize): v128 {
  let l0 = i32x4.splat(0);
  let l1 = i32x4.splat(0);
  let h0 = i32x4.splat(0);
  let h1 = i32x4.splat(0);
  for (let chunk: i32 = 0; chunk < job.packedLength; chunk += CHUNK) {
    const length = min(CHUNK, job.packedLength - chunk);
    let from = w + chunk * TILE_CHANNELS * 2 + panel * length * 16 + offset;
    const end = from + length * 16;
    for (; from < end; from += 32, columns += 16) {
      const weights = v128.load(from);
      const low = v128.load64_splat(columns);
      const high = v128.load64_splat(columns, 8);
      const w0 = i16x8.extend_low_i8x16_s(weights);
      const w1 = i16x8.extend_high_i8x16_s(weights);
      l0 = i32x4.add(l0, i32x4.dot_i16x8_s(w0, low));
      l1 = i32x4.add(l1, i32x4.dot_i16x8_s(w1, low));
      h0 = i32x4.add(h0, i32x4.dot_i16x8_s(w0, high));
      h1 = i32x4.add(h1, i32x4.dot_i16x8_s(w1, high));
    }
  }
  return i32x4.add(foldTwos(l0, l1), i32x4.shl(foldTwos(h0, h1), 7));
}
