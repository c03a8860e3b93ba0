/** Writes FlatBuffers, and remembers where everything lies, so that tests can break it. */

type Scalar = 'i8' | 'u8' | 'i32' | 'u32' | 'f32' | 'u64';
const WIDTHS: Readonly<Record<Scalar, number>> = { i8: 1, u8: 1, i32: 4, u32: 4, f32: 4, u64: 8 };

export type Field =
  | { readonly [Kind in Scalar]?: number | bigint }
  | { readonly i32s: readonly number[] }
  | { readonly f32s: readonly number[] }
  | { readonly i64s: readonly (number | bigint)[] }
  | { readonly bytes: Uint8Array }
  | { readonly text: string }
  | { readonly table: Fields }
  | { readonly tables: readonly Fields[] };

/** By id; undefined: left out. */
export type Fields = readonly (Field | undefined)[];

export interface Written {
  readonly bytes: Buffer;
  /** Where a table, a vector's count or a scalar lies: `0` is field 0 of the root, `2[1].3` field 3 of the second of its tables. */
  at(path: string): number;
  /** Where the uint32 lies that leads there. */
  slot(path: string): number;
}

export function flatbuffer(identifier: string, root: Fields): Written {
  const writer = new Writer();
  writer.file(identifier, root);
  const find = (places: ReadonlyMap<string, number>) => (path: string) => {
    const place = places.get(path);
    if (place === undefined) throw new Error(`nothing at ${path}: ${[...places.keys()].join(' ')}`);
    return place;
  };
  return { bytes: Buffer.from(writer.data), at: find(writer.places), slot: find(writer.slots) };
}

class Writer {
  readonly data: number[] = [];
  readonly places = new Map<string, number>();
  readonly slots = new Map<string, number>();

  file(identifier: string, root: Fields): void {
    this.number('u32', 0);
    this.data.push(...Buffer.from(identifier, 'latin1'));
    this.link(0, this.table(root, ''));
  }

  private table(fields: Fields, path: string): number {
    const offsets: number[] = [];
    let size = 4;
    for (const [id, field] of fields.entries()) {
      if (!field) continue;
      const width = WIDTHS[Object.keys(field)[0] as Scalar] ?? 4;
      size = Math.ceil(size / width) * width;
      offsets[id] = size;
      size += width;
    }
    this.align(2);
    const vtable = this.data.length;
    for (const part of [4 + 2 * fields.length, size]) this.number('u16', part);
    for (let id = 0; id < fields.length; id++) this.number('u16', offsets[id] ?? 0);
    this.align(8);
    const start = this.data.length;
    this.places.set(path, start);
    this.number('i32', start - vtable);
    this.data.push(...new Uint8Array(size - 4));
    for (const [id, field] of fields.entries()) {
      if (field) this.field(field, start + offsets[id], path === '' ? `${id}` : `${path}.${id}`);
    }
    return start;
  }

  private field(field: Field, at: number, path: string): void {
    const [[kind, value]] = Object.entries(field);
    if (kind in WIDTHS) {
      this.places.set(path, at);
      this.number(kind as Scalar, value, at);
      return;
    }
    this.slots.set(path, at);
    if (kind === 'table') this.link(at, this.table(value, path));
    else this.link(at, this.vector(kind, value, path));
  }

  private vector(kind: string, value: unknown, path: string): number {
    const items: readonly unknown[] =
      kind === 'text' ? [...Buffer.from(String(value), 'utf8')] : [...(value as unknown[])];
    this.align(4);
    if (kind === 'i64s' && this.data.length % 8 === 0) this.number('u32', 0);
    const start = this.data.length;
    this.places.set(path, start);
    this.number('u32', items.length);
    const scalar = { i32s: 'i32', f32s: 'f32', i64s: 'u64', tables: 'u32' }[kind] ?? 'u8';
    for (const item of items) this.number(scalar as Scalar, kind === 'tables' ? 0 : (item as number));
    if (kind !== 'tables') return start;
    for (const [i, fields] of items.entries()) {
      const slot = start + 4 + 4 * i;
      this.slots.set(`${path}[${i}]`, slot);
      this.link(slot, this.table(fields as Fields, `${path}[${i}]`));
    }
    return start;
  }

  private link(slot: number, target: number): void {
    this.number('u32', target - slot, slot);
  }

  private align(width: number): void {
    while (this.data.length % width !== 0) this.data.push(0);
  }

  private number(kind: Scalar | 'u16', value: number | bigint, at = this.data.length): void {
    const view = new DataView(new ArrayBuffer(8));
    if (kind === 'u64') view.setBigUint64(0, BigInt.asUintN(64, BigInt(value)), true);
    else if (kind === 'f32') view.setFloat32(0, Number(value), true);
    else view.setUint32(0, Number(value) >>> 0, true);
    const width = kind === 'u16' ? 2 : WIDTHS[kind];
    for (let i = 0; i < width; i++) this.data[at + i] = view.getUint8(i);
  }
}
