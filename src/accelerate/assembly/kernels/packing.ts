/** Operands into the order in which they are multiplied. */
// @ts-nocheck: the types are AssemblyScript's

import { columnSums } from './byteSums';
import { CHUNK, Job } from './job';

/** Eight 16-bit values of a row from k on, less its zero point; lanes from `valid` on are 0. */
// @ts-expect-error: decorator
@inline
export function eight(kind: i32, source: usize, zeroPoint: v128, valid: i32): v128 {
  const values = kind == 0 ? v128.load_ext<u8>(source) : kind == 1 ? v128.load_ext<i8>(source) : v128.load(source);
  const difference = i16x8.sub(values, zeroPoint);
  if (valid >= 8) return difference;
  return v128.and(difference, i16x8.lt_s(i16x8(0, 1, 2, 3, 4, 5, 6, 7), i16x8.splat(<i16>valid)));
}

// @ts-expect-error: decorator
@inline
function ordered(values: v128, paired: i32): v128 {
  return paired ? v128.shuffle<i16>(values, values, 0, 2, 1, 3, 4, 6, 5, 7) : values;
}

/**
 * Packs up to 4 rows. target(chunk) = target + chunk * chunkBytes + (the chunk's length) * perLength; vectors lie `step` apart.
 * zeroPoints: one int32 a row, `zeroPointStep` bytes apart. sums: where not 0, the rows' sums.
 */
export function packQuad(
  job: Job,
  kind: i32,
  source: usize,
  rows: i32,
  zeroPoints: usize,
  zeroPointStep: usize,
  target: usize,
  chunkBytes: usize,
  perLength: usize,
  step: usize,
  sums: usize,
): void {
  const size: i32 = kind == 2 ? 2 : 1;
  const stride: usize = job.inFeatures * size;
  const z0 = i16x8.splat(<i16>load<i32>(zeroPoints));
  const z1 = i16x8.splat(<i16>load<i32>(zeroPoints + zeroPointStep));
  const z2 = i16x8.splat(<i16>load<i32>(zeroPoints + 2 * zeroPointStep));
  const z3 = i16x8.splat(<i16>load<i32>(zeroPoints + 3 * zeroPointStep));
  const ones = i16x8.splat(1);
  const paired = job.paired;
  let s0 = i32x4.splat(0);
  let s1 = i32x4.splat(0);
  let s2 = i32x4.splat(0);
  let s3 = i32x4.splat(0);
  let packed: i32 = 0;
  let to: usize = 0;
  for (let start: i32 = 0; start < job.inFeatures; start += job.blockLength) {
    const length = min(job.blockLength, job.inFeatures - start);
    for (let k: i32 = 0; k < length; k += 8) {
      if (packed % CHUNK == 0) {
        const chunk = packed / CHUNK;
        to = target + <usize>chunk * chunkBytes + <usize>min(CHUNK, job.packedLength - packed) * perLength;
      }
      const from = source + (start + k) * size;
      const valid = length - k;
      let v0 = eight(kind, from, z0, valid);
      let v1 = i32x4.splat(0);
      let v2 = i32x4.splat(0);
      let v3 = i32x4.splat(0);
      if (rows > 1) v1 = eight(kind, from + stride, z1, valid);
      if (rows > 2) v2 = eight(kind, from + 2 * stride, z2, valid);
      if (rows > 3) v3 = eight(kind, from + 3 * stride, z3, valid);
      if (sums != 0) {
        s0 = i32x4.add(s0, i32x4.dot_i16x8_s(v0, ones));
        s1 = i32x4.add(s1, i32x4.dot_i16x8_s(v1, ones));
        s2 = i32x4.add(s2, i32x4.dot_i16x8_s(v2, ones));
        s3 = i32x4.add(s3, i32x4.dot_i16x8_s(v3, ones));
      }
      v0 = ordered(v0, paired);
      v1 = ordered(v1, paired);
      v2 = ordered(v2, paired);
      v3 = ordered(v3, paired);
      storeTransposed(to, step, v0, v1, v2, v3);
      to += 4 * step;
      packed += 8;
    }
  }
  if (sums == 0) return;
  store<i32>(sums, total(s0));
  store<i32>(sums + 4, total(s1));
  store<i32>(sums + 8, total(s2));
  store<i32>(sums + 12, total(s3));
}

/** Of a 4 x 4 matrix of 32 bits, row by row. */
// @ts-expect-error: decorator
@inline
function storeTransposed(to: usize, step: usize, v0: v128, v1: v128, v2: v128, v3: v128): void {
  const a = v128.shuffle<i32>(v0, v1, 0, 4, 1, 5);
  const b = v128.shuffle<i32>(v2, v3, 0, 4, 1, 5);
  const c = v128.shuffle<i32>(v0, v1, 2, 6, 3, 7);
  const d = v128.shuffle<i32>(v2, v3, 2, 6, 3, 7);
  v128.store(to, v128.shuffle<i64>(a, b, 0, 2));
  v128.store(to + step, v128.shuffle<i64>(a, b, 1, 3));
  v128.store(to + 2 * step, v128.shuffle<i64>(c, d, 0, 2));
  v128.store(to + 3 * step, v128.shuffle<i64>(c, d, 1, 3));
}

// @ts-expect-error: decorator
@inline
function total(lanes: v128): i32 {
  return (
    i32x4.extract_lane(lanes, 0) +
    i32x4.extract_lane(lanes, 1) +
    i32x4.extract_lane(lanes, 2) +
    i32x4.extract_lane(lanes, 3)
  );
}

/** Sixteen bytes from k on, their sign bits flipped where `flip` says so; those from `valid` on are 0. */
// @ts-expect-error: decorator
@inline
function sixteen(source: usize, flip: v128, valid: i32): v128 {
  const bytes = v128.xor(v128.load(source), flip);
  if (valid >= 16) return bytes;
  const lanes = i8x16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  return v128.and(bytes, i8x16.lt_s(lanes, i8x16.splat(<i8>valid)));
}

// @ts-expect-error: decorator
@inline
function addBytes(sum: v128, bytes: v128, signed: i32): v128 {
  const twos = signed ? i16x8.extadd_pairwise_i8x16_s(bytes) : i16x8.extadd_pairwise_i8x16_u(bytes);
  return i32x4.add(sum, i32x4.dot_i16x8_s(twos, i16x8.splat(1)));
}

/** `packQuad` for bytes. flip: 0x80 makes unsigned codes of int8 ones, 128 more. */
export function packBytes(
  job: Job,
  signed: i32,
  source: usize,
  rows: i32,
  flip: i32,
  target: usize,
  chunkBytes: usize,
  perLength: usize,
  step: usize,
  sums: usize,
): void {
  const stride: usize = job.inFeatures;
  const flips = i8x16.splat(<i8>flip);
  let s0 = i32x4.splat(0);
  let s1 = i32x4.splat(0);
  let s2 = i32x4.splat(0);
  let s3 = i32x4.splat(0);
  let to: usize = 0;
  for (let packed: i32 = 0; packed < job.packedLength; packed += 8) {
    if (packed % CHUNK == 0) {
      const chunk = packed / CHUNK;
      to = target + <usize>chunk * chunkBytes + <usize>min(CHUNK, job.packedLength - packed) * perLength;
    }
    const from = source + 2 * packed;
    const valid = job.inFeatures - 2 * packed;
    const v0 = sixteen(from, flips, valid);
    let v1 = i32x4.splat(0);
    let v2 = i32x4.splat(0);
    let v3 = i32x4.splat(0);
    if (rows > 1) v1 = sixteen(from + stride, flips, valid);
    if (rows > 2) v2 = sixteen(from + 2 * stride, flips, valid);
    if (rows > 3) v3 = sixteen(from + 3 * stride, flips, valid);
    s0 = addBytes(s0, v0, signed);
    s1 = addBytes(s1, v1, signed);
    s2 = addBytes(s2, v2, signed);
    s3 = addBytes(s3, v3, signed);
    storeTransposed(to, step, v0, v1, v2, v3);
    to += 4 * step;
  }
  store<i32>(sums, total(s0));
  store<i32>(sums + 4, total(s1));
  store<i32>(sums + 8, total(s2));
  store<i32>(sums + 12, total(s3));
}

/** Four rows (or the last few) one after the other in the stage, which is where they then are. */
function gather(job: Job, source: usize, firstRow: i32, rows: i32, size: i32): usize {
  const base = job.base + firstRow * 4;
  if (size == 1 && rows == 4) {
    gatherBytes(job, source, base);
    return job.stage;
  }
  const length = job.inFeatures;
  for (let row: i32 = 0; row < rows; row++) {
    const from = source + load<i32>(base + row * 4) * size;
    const to = job.stage + <usize>row * length * size;
    let offset = job.offset;
    if (size == 1) for (let k: i32 = 0; k < length; k++, offset += 4) store<u8>(to + k, load<u8>(from + load<i32>(offset)));
    else for (let k: i32 = 0; k < length; k++, offset += 4) store<u16>(to + 2 * k, load<u16>(from + 2 * load<i32>(offset)));
  }
  return job.stage;
}

/**
 * Four rows of bytes. Where their cells are neighbours, as of a convolution of stride 1, or every other one, those of a k are read at
 * once, and four k transposed.
 */
function gatherBytes(job: Job, source: usize, base: usize): void {
  const length = job.inFeatures;
  const row0 = job.stage;
  const row1 = row0 + length;
  const row2 = row1 + length;
  const row3 = row2 + length;
  const step = stepOf(base);
  const from = source + load<i32>(base);
  let offset = job.offset;
  let k: i32 = 0;
  if (step == 1 || step == 2) {
    for (; k + 4 <= length; k += 4, offset += 16) {
      const cells = step == 1 ? neighbours(from, offset) : everyOther(from, offset);
      v128.store32_lane(row0 + k, cells, 0);
      v128.store32_lane(row1 + k, cells, 1);
      v128.store32_lane(row2 + k, cells, 2);
      v128.store32_lane(row3 + k, cells, 3);
    }
  }
  const from1 = source + load<i32>(base, 4);
  const from2 = source + load<i32>(base, 8);
  const from3 = source + load<i32>(base, 12);
  for (; k < length; k++, offset += 4) {
    const at = load<i32>(offset);
    store<u8>(row0 + k, load<u8>(from + at));
    store<u8>(row1 + k, load<u8>(from1 + at));
    store<u8>(row2 + k, load<u8>(from2 + at));
    store<u8>(row3 + k, load<u8>(from3 + at));
  }
}

/** From one of four rows to the next, where they are as far apart; otherwise 0. */
// @ts-expect-error: decorator
@inline
function stepOf(base: usize): i32 {
  const first = load<i32>(base);
  const step = load<i32>(base, 4) - first;
  return load<i32>(base, 8) == first + 2 * step && load<i32>(base, 12) == first + 3 * step ? step : 0;
}

/**
 * Four rows as `gather` and then `packBytes` or `packQuad` would pack them, where their cells are neighbours or every other one: what
 * is read for four k is then what lies there packed. Behind the last offset are three that are read and not used.
 */
function packCells(job: Job, kind: i32, source: usize, row: i32, subtracted: i32): bool {
  const step = stepOf(job.base + row * 4);
  if (step != 1 && step != 2) return false;
  const from = source + load<i32>(job.base + row * 4);
  const bytes: bool = ASC_FEATURE_RELAXED_SIMD && job.bytes != 0;
  if (bytes && step == 1) packChunks(job, from, row, true, 1, subtracted, kind);
  else if (bytes) packChunks(job, from, row, true, 2, subtracted, kind);
  else if (step == 1) packChunks(job, from, row, false, 1, subtracted, kind);
  else packChunks(job, from, row, false, 2, subtracted, kind);
  return true;
}

/** In a form for each kind of operands and step: the loops have no branch. */
// @ts-expect-error: decorator
@inline
function packChunks(job: Job, from: usize, row: i32, bytes: bool, step: i32, subtracted: i32, kind: i32): void {
  const paddedRows = (job.rows + 3) & ~3;
  const perLength: i32 = bytes ? 2 : 1;
  const zeroPoint = i16x8.splat(<i16>subtracted);
  const flips = i8x16.splat(<i8>subtracted);
  const signs = i8x16.splat(kind == 1 ? -128 : 0);
  let sums = i32x4.splat(0);
  let offset = job.offset;
  let k: i32 = 0;
  for (let packed: i32 = 0; packed < job.packedLength; packed += CHUNK) {
    const length = min(CHUNK, job.packedLength - packed);
    let to = job.x + <usize>packed * paddedRows * 2 + <usize>length * row * 2;
    const end = (packed + length) * perLength;
    const whole = min(end, job.inFeatures & ~3);
    for (; k < whole; k += 4, offset += 16) {
      const cells = step == 1 ? neighbours(from, offset) : everyOther(from, offset);
      if (bytes) {
        const flipped = v128.xor(cells, flips);
        sums = addBytes(sums, flipped, 0);
        v128.store(to, flipped);
        to += 16;
      } else {
        const twos = v128.shuffle<i8>(cells, cells, 0, 1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15);
        v128.store(to, i16x8.sub(lowCodes(twos, signs), zeroPoint));
        v128.store(to, i16x8.sub(highCodes(twos, signs), zeroPoint), 16);
        to += 32;
      }
    }
    for (; k < end; k += 4, offset += 16) {
      const valid = max(job.inFeatures - k, 0);
      let cells = i32x4.splat(0);
      if (valid > 0) cells = step == 1 ? neighbours(from, offset) : everyOther(from, offset);
      if (bytes) {
        const used = i8x16.lt_s(i8x16(0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3), i8x16.splat(<i8>valid));
        const flipped = v128.and(v128.xor(cells, flips), used);
        sums = addBytes(sums, flipped, 0);
        v128.store(to, flipped);
        to += 16;
      } else {
        const twos = v128.shuffle<i8>(cells, cells, 0, 1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15);
        const used = i16x8.lt_s(i16x8(0, 1, 0, 1, 0, 1, 0, 1), i16x8.splat(<i16>valid));
        const others = i16x8.lt_s(i16x8(2, 3, 2, 3, 2, 3, 2, 3), i16x8.splat(<i16>valid));
        v128.store(to, v128.and(i16x8.sub(lowCodes(twos, signs), zeroPoint), used));
        v128.store(to, v128.and(i16x8.sub(highCodes(twos, signs), zeroPoint), others), 16);
        to += 32;
      }
    }
  }
  if (bytes) v128.store(job.xSums + row * 4, sums);
}

/** Bytes as 16 bits; signs: 0x80 where they are signed, otherwise 0. */
// @ts-expect-error: decorator
@inline
function lowCodes(bytes: v128, signs: v128): v128 {
  return i16x8.sub(i16x8.extend_low_i8x16_u(v128.xor(bytes, signs)), i16x8.extend_low_i8x16_u(signs));
}

// @ts-expect-error: decorator
@inline
function highCodes(bytes: v128, signs: v128): v128 {
  return i16x8.sub(i16x8.extend_high_i8x16_u(v128.xor(bytes, signs)), i16x8.extend_high_i8x16_u(signs));
}

/** Of four k each: four cells in a row; row by row. */
// @ts-expect-error: decorator
@inline
function neighbours(from: usize, offset: usize): v128 {
  let cells = v128.load32_zero(from + load<i32>(offset));
  cells = v128.load32_lane(from + load<i32>(offset, 4), cells, 1);
  cells = v128.load32_lane(from + load<i32>(offset, 8), cells, 2);
  cells = v128.load32_lane(from + load<i32>(offset, 12), cells, 3);
  return v128.shuffle<i8>(cells, cells, 0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
}

/** The same of every other cell. */
// @ts-expect-error: decorator
@inline
function everyOther(from: usize, offset: usize): v128 {
  const a = v128.load64_lane(from + load<i32>(offset, 4), v128.load64_zero(from + load<i32>(offset)), 1);
  const b = v128.load64_lane(from + load<i32>(offset, 12), v128.load64_zero(from + load<i32>(offset, 8)), 1);
  return v128.shuffle<i8>(a, b, 0, 8, 16, 24, 2, 10, 18, 26, 4, 12, 20, 28, 6, 14, 22, 30);
}

/** Packs all rows of the activations, [rows, K] at source. zeroPoint: the address of the one int32 to subtract; of bytes: to flip. */
export function packActivations(address: usize, kind: i32, source: usize, zeroPoint: usize): void {
  const job = changetype<Job>(address);
  const size: i32 = kind == 2 ? 2 : 1;
  const paddedRows = (job.rows + 3) & ~3;
  for (let row: i32 = 0; row < job.rows; row += 4) {
    const sums = job.paired ? job.xSums + row * 4 : 0;
    const rows = job.rows - row;
    if (job.base && !job.paired && size == 1 && rows >= 4 && packCells(job, kind, source, row, load<i32>(zeroPoint))) continue;
    const from = job.base ? gather(job, source, row, min(4, rows), size) : source + <usize>row * job.inFeatures * size;
    if (ASC_FEATURE_RELAXED_SIMD) {
      if (job.bytes) {
        const flip = load<i32>(zeroPoint);
        packBytes(job, 0, from, rows, flip, job.x, CHUNK * paddedRows * 2, row * 2, 16, job.xSums + row * 4);
        continue;
      }
    }
    packQuad(job, kind, from, rows, zeroPoint, 0, job.x, CHUNK * paddedRows * 2, row * 2, 16, sums);
  }
  if (ASC_FEATURE_RELAXED_SIMD) {
    if (job.bytes) for (let row: i32 = 0; row < paddedRows; row += job.tileRows) columnSums(job, row);
  }
}
