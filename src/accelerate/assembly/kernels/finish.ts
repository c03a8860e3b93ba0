/** Sums to codes. */
// @ts-nocheck: the types are AssemblyScript's

import { Job } from './job';

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
export function storeCodes(job: Job, c: usize, step: usize, rows: i32, channel: i32, channels: i32, out: usize): void {
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
