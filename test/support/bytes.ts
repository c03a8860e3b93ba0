/** Of the numbers alone: what they lie in may be longer, as memory of earlier results is (src/numeric/room.ts). */
export function bytesOf({ buffer, byteOffset, byteLength }: NodeJS.TypedArray): Buffer {
  return Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength);
}
