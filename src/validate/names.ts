import type { Checks, Place } from '../documents/checks.js';
import { field } from '../load/json.js';
import type { Value } from '../ops/op.js';
import { listed, printable } from '../text.js';

/** Searching for a cycle walks the whole model: past so many values read too early, all are called that. */
const CYCLE_SEARCHES = 20;

/** The names of inputs and layers: each once, and read only after it was computed. */
export class Names {
  private readonly values = new Map<string, Value & { readonly place: Place }>();
  private readonly indexOfLayer = new Map<string, number>();
  private readonly inCycle = new Set<number>();
  private cycleSearches = 0;

  /** layers: as in the file. They are known from the start, so that a value read too early is told from a missing one. */
  constructor(
    private readonly checks: Checks,
    private readonly layers: readonly unknown[],
  ) {
    layers.forEach((layer, i) => {
      const name = nameOf(layer);
      if (name !== null && !this.indexOfLayer.has(name)) this.indexOfLayer.set(name, i);
    });
  }

  /** `raw` is an input or a layer; from now on its value can be read. */
  declare(raw: unknown, params: Value['params'], place: Place): void {
    const name = nameOf(raw);
    if (name === null) return;
    const before = this.values.get(name);
    if (!before) {
      this.values.set(name, { name, params, place });
      return;
    }
    const first = `${before.place[0]}[${before.place[1]}]`;
    const got = `got ${printable(name)}, the name of ${first}; a module called twice is NAME and NAME@2`;
    this.checks.problem('duplicate-name', [...place, 'name'], `expected a name of its own, ${got}`);
  }

  /** The value that layers[reader] reads; undefined after a problem. */
  read(name: string, reader: number, place: Place): Value | undefined {
    const value = this.values.get(name);
    if (value) return value;
    const later = this.indexOfLayer.get(name);
    if (later === undefined) {
      const known = listed(this.values.keys(), 8) || 'there is none';
      const expected = `expected the name of an input or of an earlier layer (${known})`;
      this.checks.problem('dangling-name', place, `${expected}, got ${printable(name)}`);
      return undefined;
    }
    const cycle = this.cycleSearches++ < CYCLE_SEARCHES ? this.cycle(later, reader) : null;
    if (!cycle) {
      const got = `got ${printable(name)}, which layers[${later}] computes later; put layers in execution order`;
      this.checks.problem('order', place, `expected a value computed before, ${got}`);
    } else if (!this.inCycle.has(reader)) {
      for (const index of cycle) this.inCycle.add(index);
      const names = cycle.map((index) => printable(nameOf(this.layers[index])!)).join(' -> ');
      this.checks.problem('cycle', place, `expected a value computed before, got a cycle: ${names}`);
    }
    return undefined;
  }

  /** Layers in the order of the data from `reader` through `later`, which it reads, back to itself; null if there is no way. */
  private cycle(later: number, reader: number): number[] | null {
    const readBy = new Map([[later, reader]]);
    // The map grows while it is walked: layers are visited in the order they are found.
    for (const index of readBy.keys()) {
      for (const name of inputsOf(this.layers[index])) {
        const producer = this.indexOfLayer.get(name);
        if (producer !== undefined && !readBy.has(producer)) readBy.set(producer, index);
      }
    }
    if (!readBy.has(reader)) return null;
    const path = [reader];
    for (let index = readBy.get(reader)!; index !== reader; index = readBy.get(index)!) path.push(index);
    return [...path, reader];
  }
}

/** The names in a layer's `input` (or `inputs`): one, or a list. */
export function inputsOf(layer: unknown): string[] {
  const input = field(layer, 'input') ?? field(layer, 'inputs');
  return (Array.isArray(input) ? input : [input]).filter((name) => typeof name === 'string');
}

export function nameOf(raw: unknown): string | null {
  const name = field(raw, 'name');
  return typeof name === 'string' && name !== '' ? name : null;
}

/** A field that says something of a value: it stands in the input or layer, or in its output. Null where neither has it. */
export function fieldOfValue(raw: unknown, name: string): unknown {
  return field(raw, name) ?? field(field(raw, 'output'), name) ?? null;
}
