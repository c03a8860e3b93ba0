import type { Setup } from '../setup.js';

/** A number for an array object, the same as long as it is the same object. */
export class Identities {
  private readonly known = new WeakMap<object, number>();
  private next = 0;

  of(object: object): number {
    let id = this.known.get(object);
    if (id === undefined) {
      id = this.next++;
      this.known.set(object, id);
    }
    return id;
  }
}

/**
 * Setups by what they consist of: of the same steps, arrays and numbers is the same key; of equal but other objects another one. Some thousands
 * are kept of a search: three characters a field, where its name and value as text took ten times as much.
 */
export class SetupKeys {
  private readonly identities = new Identities();
  private readonly primitives = new Map<unknown, number>();
  private readonly names = new Map<string, number>();
  /** Of steps and numbers that many hypotheses share: a number for each content. */
  private readonly known = new WeakMap<object, number>();
  private readonly contents = new Map<string, number>();

  of(setup: Setup): string {
    const codes: number[] = [];
    for (const name in setup) {
      const value = setup[name as keyof Setup];
      this.add(codes, name, this.ofField(name, value));
    }
    return String.fromCharCode(...codes);
  }

  private parts(value: object): number {
    let key = this.known.get(value);
    if (key === undefined) {
      const codes: number[] = [];
      for (const name in value) this.add(codes, name, this.ofField(name, value[name as keyof typeof value]));
      key = numberOf(this.contents, String.fromCharCode(...codes));
      this.known.set(value, key);
    }
    return key;
  }

  /** A character for the name, two for the number. */
  private add(codes: number[], name: string, part: number): void {
    codes.push(numberOf(this.names, name), part >>> 16, part & 0xffff);
  }

  /** Objects, contents and the rest are numbered by themselves. */
  private ofField(name: string, value: unknown): number {
    if ((typeof value !== 'object' && typeof value !== 'function') || value === null)
      return 3 * numberOf(this.primitives, value);
    return isPart(name) ? 3 * this.parts(value) + 1 : 3 * this.identities.of(value) + 2;
  }
}

function numberOf<T>(known: Map<T, number>, value: T): number {
  let number = known.get(value);
  if (number === undefined) {
    number = known.size;
    known.set(value, number);
  }
  return number;
}

/** What changes make anew of the same objects and numbers. */
const PARTS: ReadonlySet<string> = new Set(['steps', 'params', 'reads', 'within', 'dynamic']);
const isPart = (name: string) => PARTS.has(name);
