import { expect, it } from 'vitest';
import { giveBack, roomFor } from '../../src/numeric/room.js';

const LARGE = 1 << 18;

it('gives memory that was given back, once, as whatever type is asked for', () => {
  const first = roomFor(new Uint8Array(0), LARGE);
  giveBack(first);
  giveBack(first);
  const second = roomFor(new Int8Array(0), LARGE - 9);
  expect(second.buffer).toBe(first.buffer);
  expect([second.length, second.constructor]).toEqual([LARGE - 9, Int8Array]);
  expect(roomFor(new Int8Array(0), LARGE - 9).buffer).not.toBe(first.buffer);
});

it('keeps nothing of others: a view of a capture stays as it is', () => {
  const own = new Uint8Array(LARGE);
  giveBack(own.subarray(5));
  giveBack(roomFor(own, 3));
  expect(roomFor(own, LARGE).buffer).not.toBe(own.buffer);
});
