/** A tile of up to 1024 rows and 32 channels: packed, summed, finished. */
// @ts-nocheck: the types are AssemblyScript's

import { portableTile, proven, relaxedTile } from './byteSums';
import { storeCodes } from './finish';
import { BLOCK_ROWS, CHUNK, Job, TILE_CHANNELS } from './job';
import { packBytes, packQuad } from './packing';
import { exactTile, pairsTile } from './tileSums';

export function runTile(job: Job, index: i32, scratch: usize): void {
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
export function storeRows(job: Job, c: usize, firstRow: i32, rows: i32, firstChannel: i32, channels: i32): void {
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
