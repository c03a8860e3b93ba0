/** Channels by themselves: each reads one of its own. */
// @ts-nocheck: the types are AssemblyScript's

import { storeCodes } from './finish';
import { Job } from './job';

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
export function eightCells(from: usize, signed: bool): v128 {
  return signed ? v128.load_ext<i8>(from) : v128.load_ext<u8>(from);
}

// @ts-expect-error: decorator
@inline
function storePlaces(to: usize, a: v128, b: v128, step: i32): void {
  v128.store(to, step == 1 ? v128.shuffle<i32>(a, b, 0, 4, 1, 5) : a);
  v128.store(to, step == 1 ? v128.shuffle<i32>(a, b, 2, 6, 3, 7) : b, 16);
}
