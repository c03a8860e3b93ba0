/** Convolutions of 3x3 by fewer products. */
// @ts-nocheck: the types are AssemblyScript's

import { eightCells } from './depthwise';
import { Job, TILE_CHANNELS } from './job';
import { eight } from './packing';
import { exactTile } from './tileSums';
import { storeRows } from './tiles';

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
export function runLines(job: Job, index: i32, scratch: usize): void {
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
