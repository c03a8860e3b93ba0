/** Which runs of bytes stand anywhere in some values: asked of each value that is not right before it is looked for in a thousand others. */

export const WINDOW = 8;
/** Bits for each run of bytes, and at most: 32 MB. */
const [BITS, MOST_BITS] = [16, 2 ** 28];

/** What is not in it stands nowhere; a few of those that are do not either. */
export class WrittenBytes {
  private readonly bits: Uint8Array;

  constructor(values: readonly Buffer[]) {
    const count = values.reduce((sum, { length }) => sum + length, 1);
    this.bits = new Uint8Array(Math.min(MOST_BITS, 2 ** Math.ceil(Math.log2(count * BITS))) / 8);
    for (const bytes of values) this.add(bytes);
  }

  has(window: Buffer): boolean {
    const at = this.placeOf(window.readInt32LE(0), window.readInt32LE(4));
    return (this.bits[at >>> 3] & (1 << (at & 7))) !== 0;
  }

  private add(bytes: Buffer): void {
    let [first, last] = [0, 0];
    for (let i = 0; i < bytes.length; i++) {
      first = (first >>> 8) | ((last & 255) << 24);
      last = (last >>> 8) | (bytes[i] << 24);
      if (i < WINDOW - 1) continue;
      const at = this.placeOf(first, last);
      this.bits[at >>> 3] |= 1 << (at & 7);
    }
  }

  private placeOf(first: number, last: number): number {
    const mixed = Math.imul(Math.imul(first, 0x9e3779b1) ^ last, 0x85ebca6b);
    return ((mixed ^ (mixed >>> 15)) >>> 0) % (8 * this.bits.length);
  }
}
