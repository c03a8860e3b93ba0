import { type ByteSource, readFully } from './bytes.js';
import { crc32 } from './crc32.js';
import { checkCrc, type MemberPlace } from './zipMember.js';

/** Its CRC is taken while it is still in the second-level cache: with 2 MiB all takes a third longer. */
const PIECE_BYTES = 1 << 18;

/** A stored member: ranges of the file. The CRC is followed through reads that go forward without gaps. */
export class StoredMember implements ByteSource {
  readonly size: number;
  private checkedTo = 0;
  private crc = 0;

  constructor(private readonly place: MemberPlace) {
    this.size = place.size;
  }

  async head(length: number): Promise<Uint8Array> {
    const head = new Uint8Array(Math.min(length, this.size));
    await this.readRange(head, 0);
    return head;
  }

  async read(target: Uint8Array, position: number): Promise<void> {
    // The first row lies behind the header, which the CRC covers too.
    if (this.checkedTo === 0 && position > 0 && position <= 1 << 16) await this.followCrc(await this.head(position), 0);
    for (let at = 0; at < target.length; at += PIECE_BYTES) {
      const piece = target.subarray(at, at + PIECE_BYTES);
      await this.readRange(piece, position + at);
      await this.followCrc(piece, position + at);
    }
  }

  private readRange(target: Uint8Array, position: number): Promise<void> {
    return readFully(this.place.file, target, this.place.dataStart + position, this.place.where);
  }

  private async followCrc(bytes: Uint8Array, position: number): Promise<void> {
    if (position === 0) {
      this.checkedTo = 0;
      this.crc = 0;
    }
    const known = this.checkedTo - position;
    if (known < 0 || known >= bytes.length) return;
    this.crc = await crc32(bytes.subarray(known), this.crc);
    this.checkedTo = position + bytes.length;
    if (this.checkedTo === this.size) checkCrc(this.place, this.crc);
  }
}
