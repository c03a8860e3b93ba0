/** What came of all inputs: counts, faults by kind, messages by template. */
export class Tally {
  done = 0;
  #began = Date.now();
  #codes = {};
  #kinds = {};
  #faults = new Map();
  #stricter = new Map();
  #messages = new Map();
  #slowest = [];

  constructor(run) {
    this.run = run;
  }

  add(index, { ended, detail, code, kind, ms = 0, bytes = 0, messages = [], faults = [] }) {
    this.done++;
    this.#codes[ended ?? code] = (this.#codes[ended ?? code] ?? 0) + 1;
    this.#kinds[kind ?? '?'] = (this.#kinds[kind ?? '?'] ?? 0) + 1;
    this.#slowest = [...this.#slowest, [Math.round(ms), index]].sort((a, b) => b[0] - a[0]).slice(0, 30);
    for (const fault of ended ? [{ kind: ended, detail }] : faults) {
      const key = `${fault.kind} ${template(fault.detail)}`;
      noted(fault.kind === 'stricter' ? this.#stricter : this.#faults, key, { index, bytes, ...fault });
    }
    for (const message of messages) noted(this.#messages, template(message), { index, bytes, detail: message });
  }

  /** Those seen most first. */
  faults() {
    return byCount(this.#faults).map(({ smallest, ...rest }) => ({ kind: smallest.kind, ...rest, smallest }));
  }

  summary() {
    const { run, done } = this;
    const parts = { codes: this.#codes, kinds: this.#kinds, slowest: this.#slowest };
    return {
      ...run,
      done,
      seconds: this.#seconds(),
      ...parts,
      faults: this.faults(),
      stricter: byCount(this.#stricter),
    };
  }

  messageLines() {
    return byCount(this.#messages).map(({ count, smallest }) => `${count}\t${smallest.index}\t${smallest.detail}`);
  }

  line() {
    const codes = Object.entries(this.#codes).map(([code, count]) => `${code}: ${count}`);
    return `${this.done} inputs in ${this.#seconds()} s, exit codes ${codes.join(', ')}; ${this.#faults.size} kinds of faults`;
  }

  #seconds() {
    return Math.round((Date.now() - this.#began) / 1000);
  }
}

function noted(map, key, one) {
  const known = map.get(key) ?? { key, count: 0, indexes: [], smallest: one };
  known.count++;
  if (known.indexes.length < 40) known.indexes.push(one.index);
  if (one.bytes < known.smallest.bytes) known.smallest = one;
  map.set(key, known);
}

function byCount(map) {
  return [...map.values()].sort((a, b) => b.count - a.count);
}

/** What is quoted, numbered or named differs from one input to the next. */
function template(text) {
  return text
    .split('\n', 1)[0]
    .replace(/"(?:[^"\\]|\\.)*"/g, '"…"')
    .replace(/\([^()]*\)/g, '(…)')
    .replace(/-?\d[\d.e+-]*/g, '#')
    .replace(/[^\x20-\x7e]+/g, '~')
    .slice(0, 160);
}
