/** The order in which ATen adds float32 numbers: cascades of blocks, partial sums promoted level by level. Source: SumKernel.cpp. */
import { f32 } from '../../numeric/float.js';
import { floor } from '../../numeric/round.js';

const LEVELS = 4;

/** The numbers that are added, by index. */
type Terms = (index: number) => number;

function cascade(x: Terms, count: number): number {
  const power = Math.max(4, count > 1 ? floor(Math.ceil(Math.log2(count)) / 4) : 0);
  const step = 2 ** power;
  const sums = new Float32Array(LEVELS);
  let i = 0;
  while (i + step <= count) {
    for (const end = i + step; i < end; i++) sums[0] += x(i);
    promote(sums, i, step);
  }
  for (; i < count; i++) sums[0] += x(i);
  return sums.reduce((sum, part) => f32(sum + part));
}

/** Every step of a level fills one of the next. */
function promote(sums: Float32Array, added: number, step: number): void {
  for (let level = 1, blocks = added / step; level < LEVELS; level++, blocks /= step) {
    sums[level] += sums[level - 1];
    sums[level - 1] = 0;
    if (blocks % step !== 0) return;
  }
}

/** Four cascades side by side; what is left of four goes to the first. */
function interleaved(x: Terms, count: number): number {
  const each = floor(count / 4);
  const parts = [0, 1, 2, 3].map((k) => cascade((i) => x(4 * i + k), each));
  for (let i = each * 4; i < count; i++) parts[0] = f32(parts[0] + x(i));
  return parts.reduce((sum, part) => f32(sum + part));
}

/** Of a column among columns that lie side by side in memory: those that fill vectors are one cascade each. */
export function sumOfColumn(x: Terms, count: number, column: number, columns: number): number {
  const inVectors = columns >= 8 ? floor(columns / 32) * 32 : floor(columns / 4) * 4;
  return column < inVectors ? cascade(x, count) : interleaved(x, count);
}

/** Along the fastest axis: eight lanes, and before them what does not fill them. */
export function sumOfRow(x: Terms, count: number): number {
  const lanes = count >= 8 ? 8 : 1;
  const each = floor(count / lanes);
  let sum = 0;
  for (let i = each * lanes; i < count; i++) sum = f32(sum + x(i));
  for (let lane = 0; lane < lanes; lane++) sum = f32(sum + interleaved((i) => x(i * lanes + lane), each));
  return sum;
}
