import type { RandomAccessFile } from '../nouns/file.js';
import { refuse } from './refuse.js';

/** Where a member lies and what it must be, as the zip directory says. */
export interface MemberPlace {
  readonly file: RandomAccessFile;
  readonly where: string;
  readonly dataStart: number;
  readonly compressedSize: number;
  readonly size: number;
  readonly crc32: number;
}

export function checkCrc({ crc32: expected, where }: MemberPlace, got: number): void {
  if (got === expected) return;
  const hex = (crc: number) => crc.toString(16).padStart(8, '0');
  throw refuse(
    'crc',
    where,
    `expected CRC-32 ${hex(expected)}, got ${hex(got)}; the file is damaged: copy or write it again`,
  );
}
