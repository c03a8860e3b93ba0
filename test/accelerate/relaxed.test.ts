import { expect, it, test } from 'vitest';
import { webAssembly } from '../../src/accelerate/accelerator.js';
import * as steps from '../../src/kernels/steps/accumulate.js';
import { cases, compareAll } from './cases.js';
import { amongLeftovers } from './leftovers.js';
import { EXACT, moduleWith } from './meaning.js';

amongLeftovers();

/** What V8 makes of it on x86 without AVX-VNNI: pmaddubsw. */
const SATURATING = `i32x4.add(acc, i32x4.dot_i16x8_s(i16x8.splat(1), i16x8.add_sat_s(
  i16x8.mul(i16x8.shr_s(i16x8.shl(w, 8), 8), v128.and(x, i16x8.splat(255))),
  i16x8.mul(i16x8.shr_s(w, 8), i16x8.shr_u(x, 8)))))`;
/** What dot products of signed bytes make of it, as on ARM. */
const SIGNED = `i32x4.sub(${EXACT}, i32x4.shl(dotBytes(w, v128.and(i8x16.shr_u(x, 7), i8x16.splat(1)), i32x4.splat(0), 0), 8))`;
/** Right throughout the self-test, then wrong in one lane at a time, now and then. */
const FLAKY = `i32x4.add(${EXACT}, fault())`;
const FAULT = `
let calls: i32 = 0;
function fault(): v128 {
  calls++;
  if (calls <= 2 * 256 * 256 || (calls * 0x9e3779b1) >>> 24 != 0) return i32x4.splat(0);
  const lane = (calls * 0x85ebca6b) >>> 30;
  return v128.and(i32x4.splat(calls), i32x4.eq(i32x4(0, 1, 2, 3), i32x4.splat(lane)));
}`;

const RELAXED_DOT = 'webassembly, relaxed dot product';

/** Each exact product on an accelerator of its own: what differs, and how many of them gave the instruction up. */
function eachOnItsOwn(relaxedModule: string): { differing: string[]; refuted: number; compared: number } {
  const differing: string[] = [];
  let [refuted, compared] = [0, 0];
  for (const { name, x, linear } of cases()) {
    if (x.data instanceof Int32Array || x.rows * x.cols * linear.outFeatures < 2 ** 11) continue;
    const fast = webAssembly({ threads: 1, worthStarting: 0, worthProving: 0, relaxedModule });
    const found = fast.accumulate({ pairs: null }, x, linear);
    if (found?.join() !== steps.exact.run(x, linear).data.join()) differing.push(name);
    if (fast.describe() !== RELAXED_DOT) refuted++;
    compared++;
  }
  return { differing, refuted, compared };
}

it('where the instruction is exact, bytes give the sums of the readable form', async () => {
  const relaxedModule = await moduleWith(EXACT);
  const { differing, compared } = compareAll({ threads: 1, relaxedModule });
  expect(differing).toEqual([]);
  expect(compared).toBeGreaterThan(1000);
  const own = eachOnItsOwn(relaxedModule);
  expect(own.differing).toEqual([]);
  expect(own.refuted).toBe(0); // the proof takes right sums for right
});

test.each([
  ['saturating pairs', SATURATING],
  ['signed codes', SIGNED],
])('the self-test refuses %s', async (_name, meaning) => {
  const fast = webAssembly({ threads: 1, worthStarting: 0, worthProving: 0, relaxedModule: await moduleWith(meaning) });
  fast.expect(1);
  expect(fast.describe()).toBe('webassembly');
});

it('the proof of every tile finds a lane that is wrong, and the tile is summed again', async () => {
  const { differing, refuted, compared } = eachOnItsOwn(await moduleWith(FLAKY, FAULT));
  expect(differing).toEqual([]);
  expect(refuted).toBeGreaterThan(compared / 3);
  // without the proof the sums are wrong, save where a fault hits a row or channel that is not stored: the faults are there
  const unproven = eachOnItsOwn(await moduleWith(FLAKY, FAULT, 'return true;'));
  expect(unproven.refuted).toBe(0);
  expect(unproven.differing.length).toBeGreaterThan(compared / 3);
  expect(unproven.differing.length).toBeLessThanOrEqual(refuted);
});

it('this engine gives the same sums, exact instruction or not', () => {
  expect(compareAll({ threads: 1 }).differing).toEqual([]);
});

it('portable means without it', async () => {
  const relaxedModule = await moduleWith(EXACT);
  const fast = webAssembly({ threads: 1, worthStarting: 0, worthProving: 0, portable: true, relaxedModule });
  fast.expect(2 ** 40);
  expect(fast.describe()).toBe('webassembly');
});

it('many small products pay for it as a large one does', async () => {
  const { x, linear } = [...cases()].find(
    ({ x, linear }) => x.data instanceof Uint8Array && x.cols * linear.outFeatures > 99,
  )!;
  const worthProving = 2 * x.rows * x.cols * linear.outFeatures;
  const relaxedModule = await moduleWith(EXACT);
  const fast = webAssembly({ threads: 1, worthStarting: 0, worthProving, relaxedModule });
  const described = [1, 2].map(() => {
    fast.accumulate({ pairs: null }, x, linear);
    return fast.describe();
  });
  expect(described).toEqual(['webassembly', RELAXED_DOT]);
});

it('threads share what a proof finds', async () => {
  const relaxedModule = await moduleWith(FLAKY, FAULT);
  const found = compareAll({ threads: 3, worthThreads: 0, relaxedModule });
  expect(found.differing).toEqual([]);
  expect(found.with).toBe('webassembly');
});
