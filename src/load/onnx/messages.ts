/** Messages as tables of what to do with each field; a field that a table lacks is skipped. */
import { BYTES, type ByteRange, type Field, type Protobuf, type Visit } from '../protobuf.js';

/** By field number. A message that comes twice is merged, as protobuf has it. */
export type Table = Readonly<Record<number, Visit>>;

export type Pending = void | Promise<void>;

export class Messages {
  readonly text = (field: Field) => this.wire.text(field);
  readonly int = (field: Field) => this.wire.int(field);
  readonly float = (field: Field) => this.wire.float(field);

  constructor(readonly wire: Protobuf) {}

  visit(range: ByteRange, table: Table): Pending {
    return this.wire.message(range, (field) => table[field.number]?.(field));
  }

  message(field: Field, table: Table): Pending {
    this.wire.expect(field, BYTES);
    return this.visit(field, table);
  }

  /** A visit that keeps what it reads. */
  set<T, K extends keyof T>(target: T, key: K, read: (field: Field) => T[K]): Visit {
    return (field) => {
      target[key] = read(field);
    };
  }
}

/** Runs work on a message that has been visited: now, or when it has been. */
export function after(pending: Pending, work: () => void): Pending {
  if (!pending) return work();
  return pending.then(work);
}
