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

/** Setups by what they consist of: of the same steps, arrays and numbers is the same key; of equal but other objects another one. */
export class SetupKeys {
  private readonly identities = new Identities();
  /** Of steps and numbers that many hypotheses share: a number for each content. */
  private readonly known = new WeakMap<object, number>();
  private readonly contents = new Map<string, number>();

  of(setup: Setup): string {
    let key = '';
    for (const name in setup) {
      const value = setup[name as keyof Setup];
      key += `${name}:${isPart(name) ? this.parts(value as object) : this.part(value)}|`;
    }
    return key;
  }

  private parts(value: object): number {
    let key = this.known.get(value);
    if (key === undefined) {
      let content = '';
      for (const name in value) content += `${name}=${this.part(value[name as keyof typeof value])},`;
      key = this.contents.get(content) ?? this.contents.size;
      this.contents.set(content, key);
      this.known.set(value, key);
    }
    return key;
  }

  private part(value: unknown): string {
    if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return String(value);
    return `#${this.identities.of(value)}`;
  }
}

const isPart = (name: string) => name === 'steps' || name === 'params' || name === 'reads' || name === 'within';
