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

import { Job } from './kernels/job';
import { runTile } from './kernels/tiles';
import { runLines } from './kernels/winograd';
export { largest, transpose } from './kernels/arrange';
export { dotIsExact } from './kernels/byteSums';
export { depthwise, pad, planes } from './kernels/depthwise';
export { finish } from './kernels/finish';
export { lossySums } from './kernels/lossy';
export { packActivations } from './kernels/packing';
export { sumOfSquares } from './kernels/statistics';
export { packTiles } from './kernels/winograd';

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
