/** What was in memory before a product: nothing of it may be in the result. */
import { afterAll, beforeAll } from 'vitest';
import { Machine } from '../../src/accelerate/job.js';
import { giveBack, roomFor } from '../../src/numeric/room.js';
import { random } from '../bench/case.js';

const FILLINGS = [Buffer.of(0xff), Buffer.of(0x80), random(4099, 1)];
/** As earlier results left them: longer than what is asked for next. */
const ROOMS = [16, 17, 18, 19, 20].flatMap((bits) => [1.3, 1.7].map((times) => Math.floor(times * 2 ** bits)));

/** In a file's tests every product begins with memory full of numbers: what it only clears by chance, or has from the one before, shows. */
export function amongLeftovers(): void {
  const { reset, allocate } = Machine.prototype;
  let filled = 0;
  const fill = (bytes: Uint8Array) =>
    Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).fill(FILLINGS[filled++ % 3]);
  beforeAll(() => {
    for (const length of ROOMS) giveBack(roomFor(new Uint8Array(0), length).fill(0x55));
    Machine.prototype.reset = function () {
      reset.call(this);
      const first = allocate.call(this, 0);
      reset.call(this);
      fill(new Uint8Array(this.bytes, first));
    };
    Machine.prototype.allocate = function (bytes) {
      const end = this.bytes.byteLength;
      const address = allocate.call(this, bytes);
      if (this.bytes.byteLength > end) fill(new Uint8Array(this.bytes, end));
      return address;
    };
  });
  afterAll(() => {
    Object.assign(Machine.prototype, { reset, allocate });
  });
}
