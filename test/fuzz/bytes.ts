import type { Random } from './random.js';

const EDGES = {
  1: [0, 1, 2, 8, 9, 10, 13, 27, 32, 34, 39, 44, 46, 47, 60, 62, 92, 123, 125, 127, 128, 147, 255],
  2: [0, 1, 7, 8, 9, 12, 14, 20, 45, 63, 93, 95, 99, 0x7fff, 0x8000, 0xfffe, 0xffff],
  4: [0, 1, 2, 8, 22, 46, 1024, 65535, 65536, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff],
} as const;

/** A number of 1, 2 or 4 bytes, little-endian. */
export interface Place {
  readonly at: number;
  readonly bytes: 1 | 2 | 4;
}

/** Another number at one place: an edge, a neighbour, another bit, or a length of this file. */
export function changeNumber(file: Buffer, { at, bytes }: Place, random: Random): void {
  if (at < 0 || at + bytes > file.length) return;
  const before = file.readUIntLE(at, bytes);
  const value = random.weighted([
    [3, () => random.one(EDGES[bytes])],
    [3, () => before + random.one([-64, -8, -2, -1, 1, 2, 8, 64])],
    [2, () => before ^ (1 << random.below(8 * bytes))],
    [1, () => random.below(file.length + 10)],
  ])();
  file.writeUIntLE(Number(BigInt.asUintN(8 * bytes, BigInt(value))), at, bytes);
}

/** Damage that knows nothing of the format; `other` is a file to take pieces of. */
export function mutateBytes(file: Uint8Array, random: Random, other: Uint8Array = file): Buffer {
  let out = Buffer.from(file);
  for (
    let i = random.weighted([
      [6, 1],
      [2, 2],
      [1, 4],
      [1, 12],
    ] as const);
    i > 0;
    i--
  )
    out = damaged(out, other, random);
  return out;
}

function damaged(file: Buffer, other: Uint8Array, random: Random): Buffer<ArrayBuffer> {
  const at = random.below(file.length);
  const length = 1 + random.below(random.one([1, 4, 16, 64, 512]));
  const [before, behind] = [file.subarray(0, at), file.subarray(at)];
  const piece = () => other.subarray(random.below(other.length)).subarray(0, length);
  const inPlace = (change: (copy: Buffer) => void) => {
    const copy = Buffer.from(file);
    if (copy.length > 0) change(copy);
    return copy;
  };
  return random.one([
    () => inPlace((copy) => (copy[at] ^= 1 << random.below(8))),
    () => inPlace((copy) => changeNumber(copy, { at, bytes: random.one([1, 2, 4] as const) }, random)),
    () => inPlace((copy) => (copy[at] = random.below(256))),
    () => inPlace((copy) => copy.subarray(at, at + length).fill(random.one([0, 32, 255]))),
    () => Buffer.concat([before, random.bytes(length), behind]),
    () => Buffer.concat([before, behind.subarray(length)]),
    () => Buffer.concat([before, behind.subarray(0, length), behind]),
    () => Buffer.concat([before, piece(), random.chance(0.5) ? behind : behind.subarray(length)]),
    () => Buffer.from(random.chance(0.5) ? before : file.subarray(0, Math.max(0, file.length - length))),
    () => Buffer.concat(random.chance(0.5) ? [random.bytes(length), file] : [file, random.bytes(length)]),
  ])();
}
