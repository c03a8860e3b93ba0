/**
 * AssemblyScript, 128-bit SIMD: the accumulators and float32 requantizations of `kernels/steps`, faster. One job is a
 * product [rows, K] x [channels, K] cut into tiles of up to 1024 rows and 32 channels, which threads take from a queue.
 *
 * Packed operands hold 16-bit numbers in quads of 4 rows (or channels), zero points subtracted, eight k at a time:
 * exact: 4 vectors (k, k+1) of each row, for k = 0, 2, 4, 6;
 * pairs: (0,2), (1,3), (4,6), (5,7), so that lane-wise products of the first two are pairs (0,1) and (2,3).
 * bytes (only where relaxed SIMD is enabled, see `dotBytes`): codes and weights as they are, four k to the 32 bits of two above;
 * lengths count 16 bits there too.
 * K is cut into chunks of 1024, which keep a panel of 8 channels (16 KiB) in the first-level cache.
 */

// @ts-nocheck: the types are AssemblyScript's

const CHUNK: i32 = 1024;
const TILE_CHANNELS: i32 = 32;
/** Rows that pass over all panels of a tile before the next ones: 256 KiB of a chunk. */
const BLOCK_ROWS: i32 = 128;

/** Written by job.ts, field by field in this order. Pointers are byte addresses. */
@unmanaged
class Job {
  /** Tiles that nobody has taken yet; below 0 where threads came in vain. */
  left: i32;
  done: i32;
  /** Counts jobs: what idle threads wait for. */
  number: i32;
  /** Workers that trapped within a tile, which they count as done: the job is then run again. */
  failed: i32;
  tiles: i32;
  rows: i32;
  channels: i32;
  inFeatures: i32;
  /** 1: pairs saturate at int16. */
  paired: i32;
  /** 1: operands are bytes, and zero points enter as with pairs: by `seed` and `xSums`. */
  bytes: i32;
  /** Tiles of bytes whose sums were wrong: they, and all after them, are summed by `dotBytes` in its portable form. */
  refuted: i32;
  /** Bytes: of each tile of rows, the sums of its codes by k as `columnSums` leaves them. */
  columns: usize;
  /** Pairs restart in each block of this many k; K where they do not. Of tiles: channels that are summed at a time. */
  blockLength: i32;
  /** K with every block padded to a multiple of 8. */
  packedLength: i32;
  tileRows: i32;
  /** Where not 0: a convolution by tiles of 4x4 places, so many to a line of them; `tileRows` counts such lines. */
  tilesOfLine: i32;
  linesOfImage: i32;
  /** Of what is packed, among those of the images that are there; how many; and those whose products are there at a time. */
  firstLine: i32;
  lines: i32;
  linesAtOnce: i32;
  outHeight: i32;
  outWidth: i32;
  /** Bytes from one to the next: channels of all groups. */
  cell: i32;
  x: usize;
  /** Where not 0: the rows' codes are gathered from source + base[row] + offset[k] (in values, int32) to a stage for four rows. */
  base: usize;
  offset: usize;
  stage: usize;
  /** Of each row: the sum of its codes. */
  xSums: usize;
  /** 0: uint8, 1: int8, 2: int16. */
  weightKind: i32;
  weight: usize;
  weightZeroPoints: usize;
  /** Where a zero lies: pairs are of raw weights. */
  noZeroPoint: usize;
  /** Pairs and bytes: the zero point of the codes as they are multiplied. */
  xZeroPoint: i32;
  /** Space of thread t begins at scratch + t * scratchBytes. */
  scratch: usize;
  scratchBytes: i32;
  out: usize;
  /** From one row to the next. */
  outBytes: i32;
  /** 0: the sums are the output, int32. Otherwise codes of one byte. */
  requantize: i32;
  /** Per channel, see `requantize`. */
  biasInt32: usize;
  addend: usize;
  product: usize;
  channelScale: usize;
  realBias: usize;
  fused: i32;
  divides: i32;
  plain: i32;
  inputScale: f32;
  outputScale: f32;
  offsetBefore: f32;
  low: f32;
  high: f32;
  largest: f32;
  offsetAfter: i32;
}

// ---------------------------------------------------------------- packing

/** Eight 16-bit values of a row from k on, less its zero point; lanes from `valid` on are 0. */
// @ts-expect-error: decorator
@inline
function eight(kind: i32, source: usize, zeroPoint: v128, valid: i32): v128 {
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
function packQuad(
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
function packBytes(
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

// ---------------------------------------------------------------- sums of a tile of 4 rows and 8 channels

/** seed: the corrections a first chunk begins with, or 0; xSums: of these 4 rows. */
function exactTile(x: usize, w: usize, end: usize, c: usize, seed: usize, xSums: usize): void {
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
function seeded(seed: usize, xSum: usize): v128 {
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

function pairsTile(x: usize, w: usize, end: usize, c: usize, seed: usize, xSums: usize): void {
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

// ---------------------------------------------------------------- sums of bytes, and their proof

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

function relaxedTile(x: usize, w: usize, end: usize, c: usize, seed: usize, xSums: usize): void {
  bytesTile(x, w, end, c, seed, xSums, 1);
}

function portableTile(x: usize, w: usize, end: usize, c: usize, seed: usize, xSums: usize): void {
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
function columnSums(job: Job, firstRow: i32): void {
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
function proven(job: Job, firstRow: i32, rows: i32, panels: i32, seed: usize, w: usize, c: usize): bool {
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

// ---------------------------------------------------------------- channels by themselves

/**
 * Sums [rows, channels] of products whose every channel reads one of its own, which stand side by side in x: over pairs of taps at
 * base[row] + offset[tap]. weight: int16, centred, [taps / 2, channels padded to eight, 2]; seeds: what the zero point takes from the
 * sums of each channel, padded likewise. What a row writes behind its last channel the next overwrites.
 */
export function depthwise(address: usize, signed: i32, seeds: usize, sums: usize): void {
  const job = changetype<Job>(address);
  const channels = job.channels;
  const step: usize = ((channels + 7) & ~7) * 4;
  const taps = job.inFeatures;
  for (let row: i32 = 0; row < job.rows; row++, sums += channels * 4) {
    const from = job.x + load<i32>(job.base + row * 4);
    for (let n: i32 = 0; n < channels; n += 8) {
      let low = v128.load(seeds + n * 4);
      let high = v128.load(seeds + n * 4, 16);
      let weight = job.weight + n * 4;
      let offset = job.offset;
      for (let tap: i32 = 0; tap < taps; tap += 2, offset += 8, weight += step) {
        const one = from + load<i32>(offset) + n;
        const other = from + load<i32>(offset, 4) + n;
        const a = signed ? v128.load_ext<i8>(one) : v128.load_ext<u8>(one);
        const b = signed ? v128.load_ext<i8>(other) : v128.load_ext<u8>(other);
        const first = v128.shuffle<i16>(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
        const last = v128.shuffle<i16>(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
        low = i32x4.add(low, i32x4.dot_i16x8_s(first, v128.load(weight)));
        high = i32x4.add(high, i32x4.dot_i16x8_s(last, v128.load(weight, 16)));
      }
      v128.store(sums + n * 4, low);
      v128.store(sums + n * 4, high, 16);
    }
  }
}

/**
 * Codes of planes whose every channel reads one of its own, one after the other: each is copied into the padded one, line by line to
 * plane + starts[i], and its places are summed along a line, sixteen at a time. weight: int16, centred, [channels, taps, 2]: of the cell at
 * offset[tap], and of the next one. Requantizations of a channel stand eight times. What is written behind the end of a line, or of a plane,
 * the next overwrites.
 */
export function planes(
  address: usize,
  signed: i32,
  source: usize,
  plane: usize,
  starts: usize,
  lines: i32,
  line: i32,
  width: i32,
  step: i32,
  seeds: usize,
  sums: usize,
  most: i32,
): void {
  const job = changetype<Job>(address);
  let weight = job.weight;
  let out = job.out;
  for (let n: i32 = 0; n < job.channels; n++, weight += 4 * job.inFeatures, out += job.rows) {
    for (let i: i32 = 0; i < lines; i++, source += line) copyLine(plane + load<i32>(starts + 4 * i), source, line);
    const seed = i32x4.splat(load<i32>(seeds + 4 * n));
    for (let row: i32 = 0, base = job.base; row < job.rows; row += most, base += 4 * (most / width)) {
      const rows = min(most, job.rows - row);
      if (step == 1) {
        if (signed) sumPlane(job, true, 1, plane, base, rows, width, weight, seed, sums);
        else sumPlane(job, false, 1, plane, base, rows, width, weight, seed, sums);
      } else if (signed) sumPlane(job, true, 2, plane, base, rows, width, weight, seed, sums);
      else sumPlane(job, false, 2, plane, base, rows, width, weight, seed, sums);
      storeCodes(job, sums, 32, (rows + 7) >> 3, n * 8, 8, out + row);
    }
  }
}

/** `memory.copy` of so little is a call that takes longer. What is left of a line is copied with what is before it. */
function copyLine(to: usize, from: usize, length: i32): void {
  if (length >= 16) {
    for (let i: i32 = 0; i < length - 16; i += 16) v128.store(to + i, v128.load(from + i));
    v128.store(to + length - 16, v128.load(from + length - 16));
  } else if (length >= 4) {
    for (let i: i32 = 0; i < length - 4; i += 4) store<i32>(to + i, load<i32>(from + i));
    store<i32>(to + length - 4, load<i32>(from + length - 4));
  } else for (let i: i32 = 0; i < length; i++) store<u8>(to + i, load<u8>(from + i));
}

/** Planes of `plane` bytes at target: `fill`, but for lines of the source, one after the other, at starts[i] of each. */
export function pad(
  source: usize,
  target: usize,
  planes: i32,
  plane: i32,
  starts: usize,
  lines: i32,
  line: i32,
  fill: i32,
): void {
  memory.fill(target, <u8>fill, <usize>planes * plane);
  for (; planes > 0; planes--, target += plane) {
    for (let i: i32 = 0; i < lines; i++, source += line) copyLine(target + load<i32>(starts + 4 * i), source, line);
  }
}

/**
 * Taps by twos that lie side by side: of eight cells in a row every other one and its neighbour make a sum. From place to place 1: those
 * of even places, and from the next cell on of odd ones; 2: of four places, and from the eighth cell on of the next four.
 */
// @ts-expect-error: decorator
@inline
function sumPlane(
  job: Job,
  signed: bool,
  step: i32,
  plane: usize,
  base: usize,
  rows: i32,
  width: i32,
  weight: usize,
  seed: v128,
  sums: usize,
): void {
  const end = job.offset + 4 * job.inFeatures;
  const other: usize = step == 1 ? 1 : 8;
  for (let row: i32 = 0; row < rows; row += width, base += 4) {
    const from = plane + load<i32>(base);
    let x: i32 = 0;
    for (; x + 8 < width; x += 16) {
      let a = seed;
      let b = seed;
      let c = seed;
      let d = seed;
      let own = weight;
      for (let offset = job.offset; offset < end; offset += 4, own += 4) {
        const cell = from + x * step + load<i32>(offset);
        const two = v128.load32_splat(own);
        a = i32x4.add(a, i32x4.dot_i16x8_s(eightCells(cell, signed), two));
        b = i32x4.add(b, i32x4.dot_i16x8_s(eightCells(cell + other, signed), two));
        c = i32x4.add(c, i32x4.dot_i16x8_s(eightCells(cell + 8 * step, signed), two));
        d = i32x4.add(d, i32x4.dot_i16x8_s(eightCells(cell + 8 * step + other, signed), two));
      }
      storePlaces(sums + (row + x) * 4, a, b, step);
      storePlaces(sums + (row + x) * 4 + 32, c, d, step);
    }
    if (x >= width) continue;
    let a = seed;
    let b = seed;
    let own = weight;
    for (let offset = job.offset; offset < end; offset += 4, own += 4) {
      const cell = from + x * step + load<i32>(offset);
      const two = v128.load32_splat(own);
      a = i32x4.add(a, i32x4.dot_i16x8_s(eightCells(cell, signed), two));
      b = i32x4.add(b, i32x4.dot_i16x8_s(eightCells(cell + other, signed), two));
    }
    storePlaces(sums + (row + x) * 4, a, b, step);
  }
}

// @ts-expect-error: decorator
@inline
function eightCells(from: usize, signed: bool): v128 {
  return signed ? v128.load_ext<i8>(from) : v128.load_ext<u8>(from);
}

// @ts-expect-error: decorator
@inline
function storePlaces(to: usize, a: v128, b: v128, step: i32): void {
  v128.store(to, step == 1 ? v128.shuffle<i32>(a, b, 0, 4, 1, 5) : a);
  v128.store(to, step == 1 ? v128.shuffle<i32>(a, b, 2, 6, 3, 7) : b, 16);
}

// ---------------------------------------------------------------- sums that lose something

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

// ---------------------------------------------------------------- sums to codes

/** fma(b, 1/aw, acc), one rounding: product = b * (1/aw), exact in float64; the sum is rounded to odd, then to float32. */
function fusedAdd(product: v128, acc: v128): v128 {
  const sum = f64x2.add(product, acc);
  const part = f64x2.sub(sum, product);
  const error = f64x2.add(f64x2.sub(product, f64x2.sub(sum, part)), f64x2.sub(acc, part));
  const zero = f64x2.splat(0);
  const above = f64x2.gt(error, zero);
  const inexact = v128.or(above, f64x2.lt(error, zero));
  const one = i64x2.splat(1);
  const inward = v128.or(i64x2.sub(sum, one), one);
  const odd = v128.bitselect(inward, v128.or(sum, one), v128.xor(above, f64x2.gt(sum, zero)));
  return f32x4.demote_f64x2_zero(v128.bitselect(odd, sum, inexact));
}

/**
 * Eight channels of every row to codes, all float32; sums of one row lie `step` bytes behind those of the one before:
 * v = ((acc + biasInt32) (+ addend, or fused product) * inputScale * channelScale + realBias) (* or /) outputScale + offsetBefore,
 * clamped to [low, high], rounded half to even, + offsetAfter. Beyond `largest`, and NaN: low. Factors that a kernel lacks are 1 or 0.
 */
function storeCodes(job: Job, c: usize, step: usize, rows: i32, channel: i32, channels: i32, out: usize): void {
  if (job.plain && channels >= 8) {
    storePlainCodes(job, c, step, rows, channel, out);
    return;
  }
  const at: usize = channel * 4;
  const bias0 = v128.load(job.biasInt32 + at);
  const bias1 = v128.load(job.biasInt32 + at, 16);
  const addend0 = v128.load(job.addend + at);
  const addend1 = v128.load(job.addend + at, 16);
  const scale0 = v128.load(job.channelScale + at);
  const scale1 = v128.load(job.channelScale + at, 16);
  const real0 = v128.load(job.realBias + at);
  const real1 = v128.load(job.realBias + at, 16);
  const product = job.product + 2 * at;
  const fused = job.fused;
  const divides = job.divides;
  const inputScale = f32x4.splat(job.inputScale);
  const outputScale = f32x4.splat(job.outputScale);
  const offsetBefore = f32x4.splat(job.offsetBefore);
  const low = f32x4.splat(job.low);
  const high = f32x4.splat(job.high);
  const largest = f32x4.splat(job.largest);
  // 1.5 * 2^23: what is added to it below 2^22 is rounded to an integer, half to even, in the lowest bits
  const rounder = f32x4.splat(12582912);
  const offsetAfter = i32x4.splat(job.offsetAfter - 0x4b400000);
  const outBytes = job.outBytes;
  for (let row: i32 = 0; row < rows; row++, c += step, out += outBytes) {
    let v0 = f32x4.convert_i32x4_s(i32x4.add(v128.load(c), bias0));
    let v1 = f32x4.convert_i32x4_s(i32x4.add(v128.load(c, 16), bias1));
    if (fused) {
      v0 = fusedAddFour(product, v0);
      v1 = fusedAddFour(product + 32, v1);
    } else {
      v0 = f32x4.add(v0, addend0);
      v1 = f32x4.add(v1, addend1);
    }
    v0 = f32x4.add(f32x4.mul(f32x4.mul(v0, inputScale), scale0), real0);
    v1 = f32x4.add(f32x4.mul(f32x4.mul(v1, inputScale), scale1), real1);
    if (divides) {
      v0 = f32x4.div(v0, outputScale);
      v1 = f32x4.div(v1, outputScale);
    } else {
      v0 = f32x4.mul(v0, outputScale);
      v1 = f32x4.mul(v1, outputScale);
    }
    v0 = f32x4.add(v0, offsetBefore);
    v1 = f32x4.add(v1, offsetBefore);
    const in0 = f32x4.le(v0, largest);
    const in1 = f32x4.le(v1, largest);
    v0 = v128.bitselect(f32x4.pmin(high, f32x4.pmax(low, v0)), low, in0);
    v1 = v128.bitselect(f32x4.pmin(high, f32x4.pmax(low, v1)), low, in1);
    const codes0 = i32x4.add(f32x4.add(v0, rounder), offsetAfter);
    const codes1 = i32x4.add(f32x4.add(v1, rounder), offsetAfter);
    const codes = v128.shuffle<i8>(codes0, codes1, 0, 4, 8, 12, 16, 20, 24, 28, 0, 0, 0, 0, 0, 0, 0, 0);
    if (channels >= 8) {
      v128.store64_lane(out, codes, 0);
    } else {
      let left = i64x2.extract_lane(codes, 0);
      for (let n: i32 = 0; n < channels; n++, left >>= 8) store<u8>(out + n, <u8>left);
    }
  }
}

/**
 * The same where v = (acc + biasInt32 + addend) * channelScale + offsetBefore is all there is, and never beyond `largest`: half the
 * instructions. Codes are packed as unsigned ones from the lowest on.
 */
function storePlainCodes(job: Job, c: usize, step: usize, rows: i32, channel: i32, out: usize): void {
  const at: usize = channel * 4;
  const bias0 = v128.load(job.biasInt32 + at);
  const bias1 = v128.load(job.biasInt32 + at, 16);
  const addend0 = v128.load(job.addend + at);
  const addend1 = v128.load(job.addend + at, 16);
  const scale0 = v128.load(job.channelScale + at);
  const scale1 = v128.load(job.channelScale + at, 16);
  const offsetBefore = f32x4.splat(job.offsetBefore);
  const low = f32x4.splat(job.low);
  const high = f32x4.splat(job.high);
  const rounder = f32x4.splat(12582912);
  const lowest = i32x4.splat(0x4b400000 + <i32>job.low);
  const first = i8x16.splat(<i8>(<i32>job.low + job.offsetAfter));
  const outBytes = job.outBytes;
  for (let row: i32 = 0; row < rows; row++, c += step, out += outBytes) {
    let v0 = f32x4.convert_i32x4_s(i32x4.add(v128.load(c), bias0));
    let v1 = f32x4.convert_i32x4_s(i32x4.add(v128.load(c, 16), bias1));
    v0 = f32x4.add(f32x4.mul(f32x4.add(v0, addend0), scale0), offsetBefore);
    v1 = f32x4.add(f32x4.mul(f32x4.add(v1, addend1), scale1), offsetBefore);
    v0 = f32x4.add(f32x4.pmin(high, f32x4.pmax(low, v0)), rounder);
    v1 = f32x4.add(f32x4.pmin(high, f32x4.pmax(low, v1)), rounder);
    const twos = i16x8.narrow_i32x4_s(i32x4.sub(v0, lowest), i32x4.sub(v1, lowest));
    v128.store64_lane(out, i8x16.add(i8x16.narrow_i16x8_u(twos, twos), first), 0);
  }
}

function fusedAddFour(product: usize, v: v128): v128 {
  const low = fusedAdd(v128.load(product), f64x2.promote_low_f32x4(v));
  const high = fusedAdd(v128.load(product, 16), f64x2.promote_low_f32x4(v128.shuffle<i64>(v, v, 1, 1)));
  return v128.shuffle<i64>(low, high, 0, 2);
}

/** Codes of sums [rows, channels] that lie there already. */
export function finish(address: usize, sums: usize): void {
  const job = changetype<Job>(address);
  for (let n: i32 = 0; n < job.channels; n += 8) {
    storeCodes(job, sums + n * 4, job.channels * 4, job.rows, n, job.channels - n, job.out + n);
  }
}

// ---------------------------------------------------------------- tiles

function runTile(job: Job, index: i32, scratch: usize): void {
  const strips = (job.channels + TILE_CHANNELS - 1) / TILE_CHANNELS;
  const firstChannel = (index % strips) * TILE_CHANNELS;
  const channels = min(TILE_CHANNELS, job.channels - firstChannel);
  const panels = (channels + 7) / 8;
  const firstRow = (index / strips) * job.tileRows;
  const paddedRows = (job.rows + 3) & ~3;
  const rows = min(job.tileRows, paddedRows - firstRow);
  const seed = scratch;
  const w = seed + 3 * TILE_CHANNELS * 4;
  const c = w + job.packedLength * TILE_CHANNELS * 2;
  packWeights(job, firstChannel, channels, panels, seed, w);
  const relaxed: bool = ASC_FEATURE_RELAXED_SIMD && job.bytes != 0 && job.refuted == 0; // read once: another thread may refute meanwhile
  sumTiles(job, firstRow, rows, panels, seed, w, c, relaxed);
  if (ASC_FEATURE_RELAXED_SIMD && relaxed && !proven(job, firstRow, rows, panels, seed, w, c)) {
    atomic.store<i32>(changetype<usize>(job), 1, offsetof<Job>('refuted'));
    sumTiles(job, firstRow, rows, panels, seed, w, c, false);
  }

  storeRows(job, c, firstRow, min(rows, job.rows - firstRow), firstChannel, channels);
}

/** Sums [rows, 32] to rows and channels of the output: codes, or the sums themselves. */
function storeRows(job: Job, c: usize, firstRow: i32, rows: i32, firstChannel: i32, channels: i32): void {
  if (job.requantize) {
    // rows whose sums stay in the first-level cache while all their channels are stored
    for (let row: i32 = 0; row < rows; row += BLOCK_ROWS) {
      const rowsOfBlock = min(BLOCK_ROWS, rows - row);
      const codes = job.out + <usize>(firstRow + row) * job.outBytes + firstChannel;
      const sums = c + row * TILE_CHANNELS * 4;
      for (let n: i32 = 0; n < channels; n += 8) {
        storeCodes(job, sums + n * 4, TILE_CHANNELS * 4, rowsOfBlock, firstChannel + n, channels - n, codes + n);
      }
    }
    return;
  }
  let out = job.out + <usize>firstRow * job.outBytes + firstChannel * 4;
  for (let row: i32 = 0; row < rows; row++, out += job.outBytes) {
    memory.copy(out, c + row * TILE_CHANNELS * 4, channels * 4);
  }
}

/** The sums of all tiles of 4 rows and 8 channels of a tile. */
function sumTiles(
  job: Job,
  firstRow: i32,
  rows: i32,
  panels: i32,
  seed: usize,
  w: usize,
  c: usize,
  relaxed: bool,
): void {
  const paddedRows = (job.rows + 3) & ~3;
  for (let chunk: i32 = 0; chunk < job.packedLength; chunk += CHUNK) {
    const length = min(CHUNK, job.packedLength - chunk);
    const chunkX = job.x + <usize>chunk * paddedRows * 2;
    const chunkW = w + chunk * TILE_CHANNELS * 2;
    const panelBytes = length * 16;
    for (let block: i32 = 0; block < rows; block += BLOCK_ROWS) {
      const end = min(rows, block + BLOCK_ROWS);
      for (let panel: i32 = 0; panel < panels; panel++) {
        const panelW = chunkW + panel * panelBytes;
        const first = chunk == 0 ? seed + panel * 32 : 0;
        for (let row = block; row < end; row += 4) {
          const tileX = chunkX + (firstRow + row) * length * 2;
          const tileC = c + (row * TILE_CHANNELS + panel * 8) * 4;
          const xSums = job.xSums + (firstRow + row) * 4;
          const endW = panelW + panelBytes;
          if (ASC_FEATURE_RELAXED_SIMD && relaxed) relaxedTile(tileX, panelW, endW, tileC, first, xSums);
          else if (ASC_FEATURE_RELAXED_SIMD && job.bytes) portableTile(tileX, panelW, endW, tileC, first, xSums);
          else if (job.paired) pairsTile(tileX, panelW, endW, tileC, first, xSums);
          else exactTile(tileX, panelW, endW, tileC, first, xSums);
        }
      }
    }
  }
}

/** seed: -xz * (sum of w - wz * K) and -wz, 32 of each, then room for the sums. (Not where sums are exact and 16 bits wide: w - wz is packed.) */
function packWeights(job: Job, firstChannel: i32, channels: i32, panels: i32, seed: usize, w: usize): void {
  const size: i32 = job.weightKind == 2 ? 2 : 1;
  const seeds = job.paired || (ASC_FEATURE_RELAXED_SIMD && job.bytes);
  const sums = seeds ? seed + 2 * TILE_CHANNELS * 4 : 0;
  const zeroPoints = job.paired ? job.noZeroPoint : job.weightZeroPoints + firstChannel * 4;
  for (let quad: i32 = 0; quad < 2 * panels; quad++) {
    const rows = channels - quad * 4;
    const from = job.weight + <usize>(firstChannel + quad * 4) * job.inFeatures * size;
    const panelOffset = (quad >> 1) * 16;
    const to = w + (quad & 1) * 16;
    if (ASC_FEATURE_RELAXED_SIMD && job.bytes) {
      if (rows > 0) packBytes(job, 1, from, rows, 0, to, CHUNK * TILE_CHANNELS * 2, panelOffset, 32, sums + quad * 16);
    } else if (rows > 0) {
      const own = job.paired ? zeroPoints : zeroPoints + quad * 16;
      const step = job.paired ? 0 : 4;
      const quadSums = sums ? sums + quad * 16 : 0;
      packQuad(job, job.weightKind, from, rows, own, step, to, CHUNK * TILE_CHANNELS * 2, panelOffset, 32, quadSums);
    }
  }
  if (!seeds) return;
  for (let n: i32 = 0; n < channels; n++) {
    const zeroPoint = load<i32>(job.weightZeroPoints + (firstChannel + n) * 4);
    const sum = load<i32>(sums + n * 4);
    store<i32>(seed + n * 4, -job.xZeroPoint * (sum - zeroPoint * job.inFeatures));
    store<i32>(seed + (TILE_CHANNELS + n) * 4, -zeroPoint);
  }
}

// ---------------------------------------------------------------- convolutions by fewer products

/**
 * Convolutions of 3x3 whose windows stand side by side, by Winograd's F(4x4, 3x3): a tile of 4x4 places takes 36 products of a channel,
 * not 144. Y = A^T [sum over channels of (G g G^T) (B^T d B)] A in integers: G is multiplied by 24, its last row by 12 and the last column
 * of A^T by 2; the second and third row have the other sign in both G and B^T. So 576 Y comes out, modulo 2^32 as every sum here is.
 * 576 is 9 * 2^6: Y is known modulo 2^26, and exact within 2^25, which is why no more than `blockLength` channels are summed at a time.
 * B^T d B is at most 100 times the largest code, G g G^T 144 times the largest weight: both have to fit int16.
 */
const PLACES: i32 = 36;

/** Bytes from one of the 36 matrices to the next: their first rows do not all go to the same lines of a cache. */
// @ts-expect-error: decorator
@inline
function tilesMatrix(job: Job): usize {
  return ((job.lines * job.tilesOfLine + 3) & ~3) * job.packedLength * 2 + 192;
}

// @ts-expect-error: decorator
@inline
function kernelsMatrix(job: Job): usize {
  return job.packedLength * TILE_CHANNELS * 2 + 192;
}

/** Eight numbers of a row (or channel) where they are packed, two by two, `step` apart; step 0: as they are. */
// @ts-expect-error: decorator
@inline
function put(to: usize, v: v128, step: usize): void {
  if (step == 0) {
    v128.store(to, v);
  } else {
    v128.store32_lane(to, v, 0);
    v128.store32_lane(to + step, v, 1);
    v128.store32_lane(to + 2 * step, v, 2);
    v128.store32_lane(to + 3 * step, v, 3);
  }
}

/** B^T d, numbers `next` apart. Only its second row has numbers whose sum is not 0: 6, and zero is so many zero points. */
// @ts-expect-error: decorator
@inline
function spreadCells(
  d0: v128,
  d1: v128,
  d2: v128,
  d3: v128,
  d4: v128,
  d5: v128,
  zero: v128,
  to: usize,
  next: usize,
  step: usize,
): void {
  const e = i16x8.sub(d4, d2);
  const f = i16x8.sub(d3, d1);
  const g = i16x8.shl(f, 1);
  put(to, i16x8.add(i16x8.shl(i16x8.sub(d0, d2), 2), e), step);
  const sums = i16x8.sub(i16x8.shl(i16x8.add(d1, d2), 2), i16x8.add(d3, d4));
  put(to + next, i16x8.sub(sums, zero), step);
  put(to + 2 * next, i16x8.add(i16x8.shl(i16x8.sub(d2, d1), 2), i16x8.sub(d3, d4)), step);
  put(to + 3 * next, i16x8.add(e, g), step);
  put(to + 4 * next, i16x8.sub(e, g), step);
  put(to + 5 * next, i16x8.sub(i16x8.sub(d5, d3), i16x8.shl(f, 2)), step);
}

/** Packs tiles, matrix by matrix. source: images [lines, cells, channels], padded to all that tiles read. */
export function packTiles(address: usize, signed: i32, source: usize): void {
  const job = changetype<Job>(address);
  const cell: usize = job.cell;
  const line: usize = (4 * job.tilesOfLine + 2) * cell;
  const image: usize = (4 * job.linesOfImage + 2) * line;
  const matrix = tilesMatrix(job);
  const zero = i16x8.splat(<i16>(6 * job.xZeroPoint));
  let tile: i32 = 0;
  for (let n = job.firstLine; n < job.firstLine + job.lines; n++) {
    let from = source + (n / job.linesOfImage) * image + (n % job.linesOfImage) * 4 * line;
    for (let x: i32 = 0; x < job.tilesOfLine; x++, tile++, from += 4 * cell) {
      const to = job.x + (tile >> 2) * job.packedLength * 8 + (tile & 3) * 4;
      for (let c: i32 = 0; c < job.packedLength; c += 8) {
        if (signed) packTile(job.stage, true, from + c, cell, line, zero, to + c * 8, matrix);
        else packTile(job.stage, false, from + c, cell, line, zero, to + c * 8, matrix);
      }
    }
  }
}

/** Eight channels of a tile. */
function packTile(
  stage: usize,
  signed: bool,
  from: usize,
  cell: usize,
  line: usize,
  zero: v128,
  to: usize,
  matrix: usize,
): void {
  for (let at = stage; at < stage + 96; at += 16, from += cell) {
    let cells = from;
    const d0 = eightCells(cells, signed);
    const d1 = eightCells((cells += line), signed);
    const d2 = eightCells((cells += line), signed);
    const d3 = eightCells((cells += line), signed);
    const d4 = eightCells((cells += line), signed);
    const d5 = eightCells((cells += line), signed);
    spreadCells(d0, d1, d2, d3, d4, d5, zero, at, 96, 0);
  }
  const none = i16x8.splat(0);
  for (let at = stage; at < stage + 576; at += 96, to += 6 * matrix) {
    const d0 = v128.load(at);
    const d1 = v128.load(at, 16);
    const d2 = v128.load(at, 32);
    const d3 = v128.load(at, 48);
    const d4 = v128.load(at, 64);
    const d5 = v128.load(at, 80);
    spreadCells(d0, d1, d2, d3, d4, d5, none, to, matrix, 16);
  }
}

/** G g, numbers `next` apart. */
// @ts-expect-error: decorator
@inline
function spreadWeights(g0: v128, g1: v128, g2: v128, to: usize, next: usize, step: usize): void {
  const s = i16x8.add(g0, g2);
  const r = i16x8.add(g0, i16x8.shl(g2, 2));
  const twice = i16x8.shl(g1, 1);
  put(to, i16x8.shl(i16x8.add(g0, i16x8.shl(g0, 1)), 1), step);
  put(to + next, i16x8.shl(i16x8.add(s, g1), 2), step);
  put(to + 2 * next, i16x8.shl(i16x8.sub(s, g1), 2), step);
  put(to + 3 * next, i16x8.add(r, twice), step);
  put(to + 4 * next, i16x8.sub(r, twice), step);
  put(to + 5 * next, i16x8.shl(i16x8.add(g2, i16x8.shl(g2, 1)), 2), step);
}

/** Of 32 channels, in panels of eight as `packWeights` has them, matrix by matrix. */
function packKernels(job: Job, firstChannel: i32, channels: i32, stage: usize, w: usize): void {
  const size: i32 = job.weightKind == 2 ? 2 : 1;
  const cells = job.inFeatures / 9;
  const matrix = kernelsMatrix(job);
  for (let first: i32 = 0; first < channels; first += 8) {
    const panel = w + first * job.packedLength * 2;
    const end = min(channels, first + 8);
    for (let c: i32 = 0; c < cells; c += 8) {
      for (let n = first; n < end; n++) {
        const from = job.weight + (<usize>(firstChannel + n) * job.inFeatures + c) * size;
        const zeroPoint = i16x8.splat(<i16>load<i32>(job.weightZeroPoints + (firstChannel + n) * 4));
        const to = panel + c * 16 + (n & 7) * 4;
        packKernel(stage, job.weightKind, from, cells * size, zeroPoint, cells - c, to, matrix);
      }
    }
  }
}

/** Eight channels of a kernel. */
function packKernel(
  stage: usize,
  kind: i32,
  from: usize,
  tap: usize,
  zeroPoint: v128,
  valid: i32,
  to: usize,
  matrix: usize,
): void {
  for (let at = stage; at < stage + 48; at += 16, from += tap) {
    const g0 = eight(kind, from, zeroPoint, valid);
    const g1 = eight(kind, from + 3 * tap, zeroPoint, valid);
    const g2 = eight(kind, from + 6 * tap, zeroPoint, valid);
    spreadWeights(g0, g1, g2, at, 48, 0);
  }
  for (let at = stage; at < stage + 288; at += 48, to += 6 * matrix) {
    spreadWeights(v128.load(at), v128.load(at, 16), v128.load(at, 32), to, matrix, 32);
  }
}

/** A^T m, of numbers `next` apart to places `step` apart. */
// @ts-expect-error: decorator
@inline
function gatherPlaces(from: usize, next: usize, to: usize, step: usize, last: bool, add: bool): void {
  const m1 = v128.load(from + next);
  const m2 = v128.load(from + 2 * next);
  const m3 = v128.load(from + 3 * next);
  const m4 = v128.load(from + 4 * next);
  const t0 = i32x4.add(m1, m2);
  const t1 = i32x4.sub(m1, m2);
  const t2 = i32x4.add(m3, m4);
  const t3 = i32x4.sub(m3, m4);
  const m5 = v128.load(from + 5 * next);
  putPlace(to, i32x4.add(i32x4.add(v128.load(from), t0), t2), last, add);
  putPlace(to + step, i32x4.add(t1, i32x4.shl(t3, 1)), last, add);
  putPlace(to + 2 * step, i32x4.add(t0, i32x4.shl(t2, 2)), last, add);
  putPlace(to + 3 * step, i32x4.add(t1, i32x4.shl(i32x4.add(i32x4.shl(t3, 2), m5), 1)), last, add);
}

/** last: it is 576 times a sum, and 0x38e38e39 * 9 is 1 modulo 2^32. */
// @ts-expect-error: decorator
@inline
function putPlace(to: usize, v: v128, last: bool, add: bool): void {
  if (last) {
    const sums = i32x4.shr_s(i32x4.mul(v, i32x4.splat(0x38e38e39)), 6);
    v128.store(to, add ? i32x4.add(sums, v128.load(to)) : sums);
  } else v128.store(to, v);
}

/** The sums of four channels of a tile from their 36 products; lines of places lie `line` apart. */
function sumPlaces(products: usize, stage: usize, to: usize, line: usize, add: bool): void {
  for (let j: i32 = 0; j < 6; j++) gatherPlaces(products + j * 512, 6 * 512, stage + j * 16, 96, false, false);
  for (let i: i32 = 0; i < 4; i++, to += line) gatherPlaces(stage + i * 96, 16, to, TILE_CHANNELS * 4, true, add);
}

/** A tile of the job: lines of tiles, and 32 channels. */
function runLines(job: Job, index: i32, scratch: usize): void {
  const strips = (job.channels + TILE_CHANNELS - 1) / TILE_CHANNELS;
  const firstChannel = (index % strips) * TILE_CHANNELS;
  const channels = min(TILE_CHANNELS, job.channels - firstChannel);
  const firstLine = (index / strips) * job.tileRows;
  const end = min(job.lines, firstLine + job.tileRows);
  const stage = scratch;
  const w = stage + 576;
  const products = w + PLACES * kernelsMatrix(job);
  const sums = products + ((job.linesAtOnce * job.tilesOfLine + 3) & ~3) * PLACES * TILE_CHANNELS * 4;
  packKernels(job, firstChannel, channels, stage, w);
  for (let line = firstLine; line < end; line += job.linesAtOnce) {
    const lines = min(job.linesAtOnce, end - line);
    for (let k: i32 = 0; k < job.packedLength; k += job.blockLength) {
      multiplyTiles(job, line, lines, channels, k, w, products);
      if (k == 0) sumLines(job, lines, channels, products, stage, sums, false);
      else sumLines(job, lines, channels, products, stage, sums, true);
    }
    storeLines(job, line, lines, firstChannel, channels, sums);
  }
}

/** The products of channels from k on: [tiles by fours, 36, 4, 32]. */
function multiplyTiles(job: Job, line: i32, lines: i32, channels: i32, k: i32, w: usize, products: usize): void {
  const panels = (channels + 7) / 8;
  const length = min(job.blockLength, job.packedLength - k);
  const quads = (lines * job.tilesOfLine + 3) >> 2;
  const perQuad: usize = job.packedLength * 8;
  const matrix = tilesMatrix(job);
  let x = job.x + ((line * job.tilesOfLine) >> 2) * perQuad + k * 8;
  w += k * 16;
  for (let p: i32 = 0; p < PLACES; p++, x += matrix, products += 512) {
    for (let panel: i32 = 0; panel < panels; panel++, w += job.packedLength * 16) {
      for (let quad: i32 = 0; quad < quads; quad++) {
        const to = products + quad * PLACES * 512 + panel * 32;
        exactTile(x + quad * perQuad, w, w + length * 16, to, 1, 0);
      }
    }
    w += kernelsMatrix(job) - panels * job.packedLength * 16;
  }
}

/** To sums [lines of tiles, 4, cells of a line of tiles, 32]. */
// @ts-expect-error: decorator
@inline
function sumLines(job: Job, lines: i32, channels: i32, products: usize, stage: usize, sums: usize, add: bool): void {
  const width: usize = 4 * job.tilesOfLine * TILE_CHANNELS * 4;
  let tile: i32 = 0;
  for (let line: i32 = 0; line < lines; line++, sums += 4 * width) {
    for (let x: i32 = 0; x < job.tilesOfLine; x++, tile++) {
      const from = products + (tile >> 2) * PLACES * 512 + (tile & 3) * 128;
      const to = sums + x * 4 * TILE_CHANNELS * 4;
      for (let n: i32 = 0; n < channels; n += 4) sumPlaces(from + n * 4, stage, to + n * 4, width, add);
    }
  }
}

/** Those that are places of the output. */
function storeLines(job: Job, line: i32, lines: i32, firstChannel: i32, channels: i32, sums: usize): void {
  const first = firstPlace(job, job.firstLine);
  for (let n = job.firstLine + line; lines > 0; n++, lines--) {
    const row = firstPlace(job, n) - first;
    const height = min(4, job.outHeight - 4 * (n % job.linesOfImage));
    for (let i: i32 = 0; i < 4; i++, sums += 4 * job.tilesOfLine * TILE_CHANNELS * 4) {
      if (i < height) storeRows(job, sums, row + i * job.outWidth, job.outWidth, firstChannel, channels);
    }
  }
}

/** Of a line of tiles: the first place of the output. */
// @ts-expect-error: decorator
@inline
function firstPlace(job: Job, line: i32): i32 {
  return ((line / job.linesOfImage) * job.outHeight + 4 * (line % job.linesOfImage)) * job.outWidth;
}

// ---------------------------------------------------------------- the queue

/**
 * Takes tiles until none is left. A tile is taken by counting down, so whoever gets one, however late, gets one of the job
 * whose fields stand there: the next job is not written before this one's tiles are done.
 */
function runTiles(address: usize, thread: i32): void {
  const job = changetype<Job>(address);
  for (let tile = takeTile(address); tile >= 0; tile = takeTile(address)) {
    const scratch = job.scratch + thread * job.scratchBytes;
    if (job.tilesOfLine) runLines(job, tile, scratch);
    else runTile(job, tile, scratch);
    const tiles = job.tiles; // before the count: then the fields may be another job's
    if (atomic.add<i32>(address, 1, offsetof<Job>('done')) + 1 == tiles) atomic.notify(address + offsetof<Job>('done'), 1);
  }
}

@inline
function takeTile(address: usize): i32 {
  return atomic.sub<i32>(address, 1, offsetof<Job>('left')) - 1;
}

/** Works on the job until all of its tiles are done, by this thread or by others. */
export function run(address: usize): void {
  runTiles(address, 0);
  const tiles = changetype<Job>(address).tiles;
  while (true) {
    const done = atomic.load<i32>(address, offsetof<Job>('done'));
    if (done == tiles) return;
    atomic.wait<i32>(address + offsetof<Job>('done'), done, -1);
  }
}

/** A worker's life: works on job after job, asleep in between. Does not return. */
export function serve(address: usize, thread: i32): void {
  while (true) {
    const number = atomic.load<i32>(address, offsetof<Job>('number'));
    runTiles(address, thread);
    atomic.wait<i32>(address + offsetof<Job>('number'), number, -1);
  }
}

// ---------------------------------------------------------------- layout

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

// ---------------------------------------------------------------- statistics

/** The sum of (code - zeroPoint)^2 over `length` bytes, at most 32768 of them, padded to 16 with the zero point. */
export function sumOfSquares(source: usize, length: i32, signed: i32, zeroPoint: i32): i64 {
  const zero = i16x8.splat(<i16>zeroPoint);
  let low = i64x2.splat(0);
  for (let i: i32 = 0; i < length; i += 16) {
    const codes = v128.load(source + i);
    const a = i16x8.sub(signed ? i16x8.extend_low_i8x16_s(codes) : i16x8.extend_low_i8x16_u(codes), zero);
    const b = i16x8.sub(signed ? i16x8.extend_high_i8x16_s(codes) : i16x8.extend_high_i8x16_u(codes), zero);
    const squares = i32x4.add(i32x4.dot_i16x8_s(a, a), i32x4.dot_i16x8_s(b, b));
    low = i64x2.add(low, i64x2.add(i64x2.extend_low_i32x4_u(squares), i64x2.extend_high_i32x4_u(squares)));
  }
  return i64x2.extract_lane(low, 0) + i64x2.extract_lane(low, 1);
}
