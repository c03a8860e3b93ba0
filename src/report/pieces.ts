/** Characters that are written at once. */
const PIECE = 2 ** 16;

/** Hands a long text on piece by piece; `end` what is left. */
export function inPieces(write: (piece: string) => void): { put: (text: string) => void; end: () => void } {
  let piece = '';
  const end = () => {
    if (piece !== '') write(piece);
    piece = '';
  };
  const put = (text: string) => {
    piece += text;
    if (piece.length >= PIECE) end();
  };
  return { put, end };
}

/** Of a long text its bytes: a string that grew holds 32 for each part. */
export function bytesOf(make: (write: (piece: string) => void) => void): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  make((piece) => pieces.push(Buffer.from(piece)));
  return pieces;
}
