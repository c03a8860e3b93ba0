/** Bytes. zlib takes 2.5 ms to load, as long as the table takes for some ten thousand. */
const FEW = 1 << 14;

/** CRC-32 of a zip's members, on top of what was `before` them. */
export async function crc32(bytes: Uint8Array, before = 0): Promise<number> {
  if (bytes.length <= FEW) return crc32ByTable(bytes, before);
  const zlib = await import('node:zlib');
  return zlib.crc32(bytes, before);
}

/** V8 compiles a loop of a thousand rounds while it runs, which takes longer than what is left of it. */
const AT_ONCE = 64;

export function crc32ByTable(bytes: Uint8Array, before = 0): number {
  let crc = ~before;
  for (let from = 0; from < bytes.length; from += AT_ONCE) crc = followed(crc, bytes, from, from + AT_ONCE);
  return ~crc >>> 0;
}

function followed(crc: number, bytes: Uint8Array, from: number, to: number): number {
  let left = crc;
  for (let i = from; i < to && i < bytes.length; i++) {
    left ^= bytes[i];
    left = HALVES[left & 15] ^ (left >>> 4);
    left = HALVES[left & 15] ^ (left >>> 4);
  }
  return left;
}

/** Of four bits: a table of eight takes a small run longer than it saves. */
const HALVES = Int32Array.of(
  ...[0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c],
  ...[0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c],
);
