import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { LossyForm } from '../nouns/sumForms.js';
import elementwise from './assembly/elementwise.ts?wasm';
import portable from './assembly/kernels.ts?wasm';
import relaxed from './assembly/kernels.ts?wasm-relaxed';
import { COUNTS, FIELDS, FLOATS, type JobFields } from './jobFields.js';

interface Exports {
  packActivations(job: number, kind: number, source: number, zeroPoint: number): void;
  packTiles(job: number, signed: number, source: number): void;
  run(job: number): void;
  finish(job: number, sums: number): void;
  depthwise(job: number, signed: number, seeds: number, sums: number): void;
  planes(
    job: number,
    signed: number,
    source: number,
    plane: number,
    starts: number,
    lines: number,
    line: number,
    width: number,
    step: number,
    seeds: number,
    sums: number,
    most: number,
  ): void;
  transpose(source: number, target: number, outer: number, inner: number): void;
  pad(
    source: number,
    target: number,
    planes: number,
    plane: number,
    starts: number,
    lines: number,
    line: number,
    fill: number,
  ): void;
  largest(
    source: number,
    target: number,
    list: number,
    ends: number,
    windows: number,
    channels: number,
    signed: number,
    least: number,
  ): void;
  lossySums(
    x: number,
    w: number,
    start: number,
    rows: number,
    length: number,
    bits: number,
    up: number,
    inward: number,
    least: number,
    most: number,
    out: number,
  ): void;
  dotIsExact(weight: number): number;
  sumOfSquares(source: number, length: number, signed: number, zeroPoint: number): bigint;
}

/** assembly/elementwise.ts: a module of its own, compiled when it is first needed. */
interface Elementwise {
  pairs(
    kind: number,
    a: number,
    b: number,
    out: number,
    length: number,
    left: number,
    right: number,
    ladder: number,
  ): void;
  climb(source: number, out: number, length: number, ladder: number, reach: number): number;
  lookup(source: number, out: number, length: number, table: number): void;
  limit(source: number, out: number, length: number, low: number, high: number, signed: number): void;
}

const PAGE = 1 << 16;
const JOB = 1024;
/** Where space for arrays begins. */
const FREE = 4096;
/**
 * Multiply-adds that take one thread 60 ms, the relaxed ones half as long: a worker's start takes 20 ms of the CPU, and it comes some
 * 35 ms after this thread began, so that it spares less than it takes where there is less to do.
 */
const WORTH_THREADS = 3e9;
const WORTH_THREADS_RELAXED = 2 * WORTH_THREADS;
/** Those of a run that pay for a second module and its self-test, about 1 ms. */
const WORTH_PROVING = 2 ** 27;
/** A thread's reserve, stack and isolate take some 10 MB: more cores than this wait for memory anyway. */
const MOST_THREADS = 64;

export interface MachineSettings {
  /** How many at most, this one included; default: what the machine has. */
  readonly threads?: number;
  /** Multiply-adds from which workers are started, and from which the relaxed instruction is tried. */
  readonly worthThreads?: number;
  readonly worthProving?: number;
  /** Nothing whose meaning is the engine's. */
  readonly portable?: boolean;
  /** For tests: in place of kernels.ts with relaxed SIMD, base64. */
  readonly relaxedModule?: string;
}

/** The WebAssembly module, its memory and the threads that share it. */
export class Machine {
  /** Address space is reserved up front; where that much is not granted, less. */
  private readonly memory: WebAssembly.Memory;
  private module: WebAssembly.Module;
  private exports: Exports;
  private ofValues: Elementwise | null = null;
  private workers = 0;
  private top = FREE;
  private threads: number;
  /** Whether bytes are multiplied by the relaxed instruction; null: not tried yet. */
  private relaxed: boolean | null;

  /** Throws where WebAssembly, SIMD or shared memory is missing. */
  constructor(private readonly settings: MachineSettings = {}) {
    this.module = new WebAssembly.Module(Buffer.from(portable, 'base64'));
    this.memory = new WebAssembly.Memory({ initial: 16, maximum: 65536, shared: true });
    this.exports = this.instanceOf(this.module);
    this.threads = settings.threads ?? availableParallelism();
    this.relaxed = settings.portable ? false : null;
  }

  private instanceOf(module: WebAssembly.Module): Exports {
    return new WebAssembly.Instance(module, { env: { memory: this.memory } }).exports as never;
  }

  /** Whether after so many multiply-adds a product may have `bytes`: where this CPU and this V8 multiply them exactly. */
  multipliesBytes(multiplyAdds: number): boolean {
    const { worthProving = WORTH_PROVING, relaxedModule = relaxed } = this.settings;
    if (this.relaxed === null && this.workers === 0 && multiplyAdds >= worthProving) {
      this.relaxed = this.tryRelaxed(Buffer.from(relaxedModule, 'base64'));
    }
    return this.relaxed === true;
  }

  /** Whether such a product's proof failed: its tiles are then summed with portable instructions. */
  get refuted(): boolean {
    return this.relaxed === false;
  }

  describeDot(): string {
    return this.relaxed ? 'webassembly, relaxed dot product' : 'webassembly';
  }

  private tryRelaxed(bytes: Buffer<ArrayBuffer>): boolean {
    if (!WebAssembly.validate(bytes)) return false;
    const module = new WebAssembly.Module(bytes);
    const exports = this.instanceOf(module);
    for (let weight = 0; weight < 256; weight++) if (!exports.dotIsExact(weight)) return false;
    [this.module, this.exports] = [module, exports];
    return true;
  }

  /** Threads that may work on a job of so many multiply-adds. */
  threadsFor(multiplyAdds: number): number {
    this.multipliesBytes(multiplyAdds); // a worker's module stays
    const worth = this.settings.worthThreads ?? (this.relaxed ? WORTH_THREADS_RELAXED : WORTH_THREADS);
    if (multiplyAdds >= worth) this.startWorkers();
    return this.workers + 1;
  }

  /** What is computed of each value by itself, by this thread alone. */
  get elementwise(): Elementwise {
    this.ofValues ??= this.instanceOf(
      new WebAssembly.Module(Buffer.from(elementwise, 'base64')),
    ) as never as Elementwise;
    return this.ofValues;
  }

  /** Forgets what was allocated. */
  reset(): void {
    this.top = FREE;
  }

  /** Space for so many bytes, 64-byte aligned, with 64 bytes to spare behind; contents are arbitrary. */
  allocate(bytes: number): number {
    const address = this.top;
    this.top = Math.ceil((address + bytes + 64) / 64) * 64;
    const missing = this.top - this.memory.buffer.byteLength;
    if (missing > 0) this.memory.grow(Math.ceil(missing / PAGE));
    return address;
  }

  /** The memory, as long as nothing more is allocated. */
  get bytes(): ArrayBufferLike {
    return this.memory.buffer;
  }

  place(values: Uint8Array | Int8Array | Int16Array | Int32Array | Float32Array | Float64Array): number {
    const address = this.allocate(values.byteLength);
    this.put(values, address);
    return address;
  }

  put(values: Uint8Array | Int8Array | Int16Array | Int32Array | Float32Array | Float64Array, address: number): void {
    new Uint8Array(this.bytes, address, values.byteLength).set(
      new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
    );
  }

  /** Writes fields of the job. No tile of it is left to take before `run`. */
  describe(fields: Partial<JobFields>): void {
    const ints = new Int32Array(this.bytes, JOB, FIELDS.length);
    const floats = new Float32Array(this.bytes, JOB, FIELDS.length);
    for (const [field, value] of Object.entries(fields)) {
      (FLOATS.has(field) ? floats : ints)[FIELDS.indexOf(field as keyof JobFields)] = value;
    }
  }

  packActivations(kind: number, source: number, zeroPoint: number): void {
    this.exports.packActivations(JOB, kind, source, zeroPoint);
  }

  /** The same of a convolution by tiles. */
  packTiles(isSigned: boolean, source: number): void {
    this.exports.packTiles(JOB, isSigned ? 1 : 0, source);
  }

  /** Sums of a described product whose every channel reads one of its own, by this thread alone. */
  depthwise(isSigned: boolean, seeds: number, sums: number): void {
    this.exports.depthwise(JOB, isSigned ? 1 : 0, seeds, sums);
  }

  /** Codes of a described product of planes, plane by plane through the padded one at `plane`; by this thread alone. */
  planes(
    isSigned: boolean,
    source: number,
    plane: number,
    { starts, lines, line }: Record<'starts' | 'lines' | 'line', number>,
    { width, step, seeds, sums, most }: Record<'width' | 'step' | 'seeds' | 'sums' | 'most', number>,
  ): void {
    const signed = isSigned ? 1 : 0;
    this.exports.planes(JOB, signed, source, plane, starts, lines, line, width, step, seeds, sums, most);
  }

  /** Sums of eight channels that lose something after every product, as assembly/kernels/lossy.ts has them; by this thread alone. */
  lossySums(
    { bits, up, inward, least, most }: LossyForm,
    { x, w, start, rows, length, out }: Record<'x' | 'w' | 'start' | 'rows' | 'length' | 'out', number>,
  ): void {
    this.exports.lossySums(x, w, start, rows, length, bits, up, inward, least, most, out);
  }

  /** Codes of sums that lie at an address, by this thread alone. */
  finish(sums: number): void {
    this.exports.finish(JOB, sums);
  }

  /** Planes with `fill` around their lines, which begin at starts. */
  pad(
    source: number,
    target: number,
    { planes, plane, starts, lines, line }: Record<'planes' | 'plane' | 'starts' | 'lines' | 'line', number>,
    fill: number,
  ): void {
    this.exports.pad(source, target, planes, plane, starts, lines, line, fill);
  }

  /** Bytes [outer, inner] to [inner, outer]; behind the source is room for 8 more rows. */
  transpose(source: number, target: number, outer: number, inner: number): void {
    this.exports.transpose(source, target, outer, inner);
  }

  /** Of each window the largest of the rows of codes that it lists, [windows, channels]; behind source and target are 16 bytes to spare. */
  largest(
    source: number,
    target: number,
    { list, ends, count }: { readonly list: number; readonly ends: number; readonly count: number },
    channels: number,
    isSigned: boolean,
    least: number,
  ): void {
    this.exports.largest(source, target, list, ends, count, channels, isSigned ? 1 : 0, least);
  }

  /** Runs all tiles of the described job, with the workers that are up. */
  run(): void {
    const ints = new Int32Array(this.bytes, JOB, FIELDS.length);
    const [left, done, number, failed] = COUNTS.map((field) => FIELDS.indexOf(field));
    let before: number;
    do {
      before = Atomics.load(ints, failed);
      Atomics.store(ints, done, 0);
      Atomics.store(ints, left, ints[FIELDS.indexOf('tiles')]);
      Atomics.add(ints, number, 1);
      if (this.workers > 0) Atomics.notify(ints, number);
      this.exports.run(JOB);
    } while (Atomics.load(ints, failed) > before); // a worker left a tile behind, and is gone
    if (ints[FIELDS.indexOf('refuted')]) this.relaxed = false;
  }

  /** How many workers ended within a tile, which was then done by others. */
  get failures(): number {
    return Atomics.load(new Int32Array(this.bytes, JOB, FIELDS.length), FIELDS.indexOf('failed'));
  }

  sumOfSquares(codes: Uint8Array | Int8Array, zeroPoint: number): number {
    this.reset();
    const piece = 1 << 15;
    const address = this.allocate(piece);
    let total = 0;
    for (let start = 0; start < codes.length; start += piece) {
      const part = codes.subarray(start, start + piece);
      this.put(part, address);
      new Uint8Array(this.bytes, address + part.length, 16).fill(zeroPoint);
      const signed = codes instanceof Int8Array ? 1 : 0;
      total += Number(this.exports.sumOfSquares(address, part.length, signed, zeroPoint));
    }
    return total;
  }

  /** Workers come up on their own while this thread already works; they neither keep the process alive nor need its event loop. */
  private startWorkers(): void {
    const wanted = Math.min(this.threads, MOST_THREADS) - 1;
    const counts = JOB / Int32Array.BYTES_PER_ELEMENT;
    const [done, failed] = [counts + FIELDS.indexOf('done'), counts + FIELDS.indexOf('failed')];
    while (this.workers < wanted) {
      const thread = this.workers + 1;
      const workerData = { module: this.module, memory: this.memory, job: JOB, thread, done, failed };
      let worker: Worker;
      try {
        worker = new Worker(SERVE, { eval: true, workerData, execArgv: [] });
      } catch {
        this.threads = thread; // the system grants no more
        return;
      }
      worker.on('error', () => {}); // it takes no tile before it runs: the others do the work
      worker.unref();
      this.workers = thread;
    }
  }
}

// Growing by 0 is needed: V8 gives a new instance a size of the memory that may be older than a growth by another thread, and
// what copies memory then traps, about once in 100 starts on a busy machine. A trap counts as a tile, lest the others wait for it.
const SERVE = `
const { workerData: { module, memory, job, thread, done, failed } } = require('node:worker_threads');
const { exports } = new WebAssembly.Instance(module, { env: { memory } });
memory.grow(0);
try {
  exports.serve(job, thread);
} catch {
  const ints = new Int32Array(memory.buffer);
  Atomics.add(ints, failed, 1);
  Atomics.add(ints, done, 1);
  Atomics.notify(ints, done);
}`;
