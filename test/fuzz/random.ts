/** Numbers that depend on seed and index alone, so that any input can be made again by itself. */
export class Random {
  private state: number;

  constructor(seed: number, index = 0) {
    this.state = mixed(mixed(seed) ^ mixed(index + 0x9e3779b9));
  }

  u32(): number {
    this.state = (this.state + 0x9e3779b9) >>> 0;
    return mixed(this.state);
  }

  /** [0, 1) */
  real(): number {
    return this.u32() / 2 ** 32;
  }

  /** 0 to count - 1; 0 for an empty range. */
  below(count: number): number {
    return Math.floor(this.real() * Math.max(1, count));
  }

  /** Both ends included. */
  between(from: number, to: number): number {
    return from + this.below(to - from + 1);
  }

  chance(probability: number): boolean {
    return this.real() < probability;
  }

  one<T>(list: readonly T[]): T {
    return list[this.below(list.length)];
  }

  weighted<T>(rows: readonly (readonly [weight: number, value: T])[]): T {
    let left = this.real() * rows.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, value] of rows) {
      left -= weight;
      if (left < 0) return value;
    }
    return rows[rows.length - 1][1];
  }

  /** Mostly one, sometimes a few. */
  few(): number {
    return this.weighted([
      [6, 1],
      [3, 2],
      [1, 4],
    ]);
  }

  bytes(count: number): Buffer {
    return Buffer.from(Array.from({ length: count }, () => this.u32() & 255));
  }

  shuffled<T>(list: readonly T[]): T[] {
    return list
      .map((value) => ({ value, key: this.u32() }))
      .sort((a, b) => a.key - b.key)
      .map(({ value }) => value);
  }
}

function mixed(number: number): number {
  let z = number >>> 0;
  z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
  z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
  return (z ^ (z >>> 15)) >>> 0;
}
