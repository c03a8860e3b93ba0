/** Bytes. zlib takes 2.5 ms to load, as long as the table takes for some hundred thousand. */
const FEW = 1 << 14;

/** CRC-32 of a zip's members, on top of what was `before` them. */
export async function crc32(bytes: Uint8Array, before = 0): Promise<number> {
  if (bytes.length <= FEW) return crc32ByTable(bytes, before);
  const zlib = await import('node:zlib');
  return zlib.crc32(bytes, before);
}

export function crc32ByTable(bytes: Uint8Array, before = 0): number {
  table ??= tableOfBytes();
  let crc = ~before;
  for (const byte of bytes) crc = table[(crc ^ byte) & 255] ^ (crc >>> 8);
  return ~crc >>> 0;
}

let table: Int32Array | null = null;

function tableOfBytes(): Int32Array {
  return Int32Array.from({ length: 256 }, (_, byte) => {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
    return crc;
  });
}
