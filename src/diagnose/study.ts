import { productSteps } from '../kernels/kernel.js';
import type { NumericArray } from '../nouns/array.js';
import type { Codes, DynamicStep, Fast, Kernel, Product, ProductSteps } from '../nouns/kernel.js';
import type { QuantParams } from '../nouns/value.js';
import { ulpDistance } from '../numeric/float.js';
import { fastCodes } from '../products/multiply.js';
import { finishProduct, replayFloatProduct } from '../replay/product.js';
import type { At } from './evidence.js';
import { mapCodes, type Setup } from './setup.js';

/** The two sides of a diagnosis: the capture was made by a known runtime from a file that may be wrong; the candidate has the right file. */
export type Side = 'capture' | 'candidate';

/** One linear layer as a diagnosis sees it: what is declared, and its numbers by sample. */
export interface LayerData {
  readonly side: Side;
  /** Steps of every runtime may be tried; otherwise only those of the declared kernel's own. */
  readonly free: boolean;
  readonly kernel: Kernel;
  readonly op: string;
  readonly linear: Product;
  readonly fast: Fast;
  /** Samples [from, to) are judged. */
  readonly from: number;
  readonly to: number;
  /** Codes (floats for a dynamic layer), [rows, inFeatures]. */
  readInput(from: number, to: number): Promise<NumericArray>;
  /** The judged side's values, [rows, outFeatures]. */
  readObserved(from: number, to: number): Promise<NumericArray>;
  /** Some differing values of every differing channel, in sample order. */
  readonly witnesses: readonly At[];
  /** Samples that have refuted what the subset admitted: they are in it from then on. */
  readonly refuting?: readonly number[];
  readonly dynamic: DynamicData | null;
}

export interface DynamicData {
  readonly reduceRange: boolean;
  /** Which batch a sample belongs to, and the range of that batch's input. */
  batchOf(sample: number): number;
  rangeOf(batch: number): { readonly min: number; readonly max: number };
}

/** Some samples and channels of a layer, in memory. */
export interface Scope {
  readonly samples: readonly number[];
  /** Null: all. */
  readonly channels: readonly number[] | null;
  /** Codes, or floats where the layer is dynamic: [samples, inFeatures]. */
  readonly x: { readonly rows: number; readonly cols: number; readonly data: NumericArray };
  /** [samples, channels] */
  readonly observed: NumericArray;
}

interface Outputs {
  readonly data: Int32Array | Uint8Array | Int8Array | Float32Array;
  readonly low: NumericArray | null;
  readonly high: NumericArray | null;
}

/** How a hypothesis fares on every judged sample. */
export interface Outcome {
  /** Values that differ under the reference and equal the observation under the hypothesis. */
  readonly explained: number;
  /** Values that agree under the reference and no longer do. */
  readonly lost: number;
  readonly mismatched: number;
  /** Mismatched under the hypothesis, by channel. */
  readonly byChannel: Float64Array;
  /** Some values that stay mismatched: the subset lacked them. */
  readonly failures: readonly At[];
}

const MOST_MACS = 4e8;
const MOST_VALUES = 1e6;
const MOST_INPUTS = 3.2e7;
const FEWEST_SAMPLES = 32;
const MOST_FAILURES = 64;
const SKETCH_VALUES = 5e3;
const FEWEST_SKETCHED = 8;
/** Values after which most refuted hypotheses are left. */
const CHUNK_VALUES = 1 << 14;
const MOST_DETAIL_CHANNELS = 32;
const MOST_DETAIL_SAMPLES = 2048;
const PROBE_SAMPLES = 24;
const PROBE_CHANNELS = 32;
/** Rows of a block when everything is replayed. */
const BLOCK_VALUES = 2 << 20;

/** A layer under study: a deterministic subset of its samples in memory, hypotheses replayed on it, confirmed on all. */
export class Study {
  /** Every channel of some samples: what estimators read. */
  readonly subset: Scope;
  /** A few samples of every channel: enough to refute most estimates. */
  readonly sketch: Scope;
  /** A few samples and channels, to refute a hypothesis at little cost. */
  readonly probe: Scope;
  /** More samples of the few channels that differ, where the subset had to be small: what a search for single weights reads. */
  readonly detail: Scope;
  /** The reference on the subset. */
  readonly reference: Outputs;
  /** 1 where the subset's observation differs from the reference. */
  readonly differing: Uint8Array;
  readonly declared: Setup;
  private readonly accumulators = new Map<Scope, Map<string, Int32Array>>();
  private readonly declaredOutputs = new Map<Scope, Outputs>();
  private readonly chunks = new Map<Scope, Map<number, Scope>>();
  private readonly parts = new WeakMap<object, Map<Scope, NumericArray>>();
  private readonly quantizedInputs = new WeakMap<Scope, Map<DynamicStep, Codes>>();

  private constructor(
    readonly data: LayerData,
    subset: Scope,
    detail: Scope,
  ) {
    this.subset = subset;
    this.detail = detail;
    this.sketch = sketchOf(subset, data.linear.outFeatures);
    const steps = productSteps(data.kernel, data.op)!;
    this.declared = { steps, linear: data.linear, readX: null, storeY: null, order: null };
    this.reference = this.outputs(this.declared, subset);
    this.differing = this.differences(this.reference, subset);
    this.probe = this.chooseProbe();
  }

  static async open(data: LayerData): Promise<Study> {
    const subset = await readScope(data, chooseSamples(data));
    return new Study(data, subset, (await readDetail(data, subset)) ?? subset);
  }

  get channels(): number {
    return this.data.linear.outFeatures;
  }

  /** Steps of every runtime may be tried. */
  get free(): boolean {
    return this.data.free;
  }

  /** Whether the subset holds every judged sample. */
  get complete(): boolean {
    return this.subset.samples.length === this.data.to - this.data.from;
  }

  /** Refutes most wrong hypotheses on few values. */
  passesProbe(setup: Setup): boolean {
    return setup.order !== null || this.agrees(setup, this.probe);
  }

  /** Whether a hypothesis equals every observed value of the subset. */
  agreesOnSubset(setup: Setup): boolean {
    return this.passesProbe(setup) && this.agrees(setup, this.subset);
  }

  /** Whether two setups compute the same on the subset: a change that changes nothing explains nothing. */
  sameOnSubset(a: Setup, b: Setup): boolean {
    return this.eachChunk(this.subset, (part) => {
      const [one, other] = [
        this.outputs(a, part).data,
        (b === this.declared ? this.declaredOn(part) : this.outputs(b, part)).data,
      ];
      for (let i = 0; i < one.length; i++) if (one[i] !== other[i]) return false;
      return true;
    });
  }

  /** Kept, since many a change is compared with it. */
  private declaredOn(part: Scope): Outputs {
    let outputs = this.declaredOutputs.get(part);
    if (!outputs) {
      outputs = this.outputs(this.declared, part);
      this.declaredOutputs.set(part, outputs);
    }
    return outputs;
  }

  /** Differing values of the probe, or of the whole subset. */
  mismatches(setup: Setup, scope: Scope = this.subset): number {
    return this.differences(this.outputs(setup, scope), scope).reduce((sum, d) => sum + d, 0);
  }

  /** Where the observation is larger (1) or smaller (-1) than what a setup computes; 0: equal. */
  misses(setup: Setup, scope: Scope): Int8Array {
    const outputs = this.outputs(setup, scope);
    const signs = new Int8Array(scope.observed.length);
    for (let i = 0; i < signs.length; i++) {
      if (!sameValue(outputs, scope.observed, i)) signs[i] = scope.observed[i] > outputs.data[i] ? 1 : -1;
    }
    return signs;
  }

  /** Mismatches by channel of the scope. */
  mismatchesByChannel(setup: Setup, scope: Scope = this.subset): Float64Array {
    const counts = new Float64Array(scope.channels?.length ?? this.channels);
    this.differences(this.outputs(setup, scope), scope).forEach((d, i) => {
      counts[i % counts.length] += d;
    });
    return counts;
  }

  /** Accumulators under a setup, [samples, channels] of the scope. */
  accumulator(setup: Setup, scope: Scope = this.subset): Int32Array {
    return this.accumulate(setup, scope);
  }

  /** Activation codes of a scope as a setup reads them; a dynamic layer's kernel makes them. */
  codes(setup: Setup, scope: Scope = this.subset): Codes {
    return mapCodes(this.data.dynamic ? this.quantized(setup.steps, scope) : (scope.x as Codes), setup.readX);
  }

  /** What the activations of each row of a scope were quantized with. */
  inputs({ steps, linear }: Setup, scope: Scope = this.subset): QuantParams[] {
    const inputs = new Array<QuantParams>(scope.samples.length).fill(linear.input);
    if (this.data.dynamic) {
      this.eachBatch(scope, steps, (first, rows, input) => inputs.fill(input, first, first + rows));
    }
    return inputs;
  }

  /** Codes or floats of the subset under a setup. */
  replay(setup: Setup): Outputs['data'] {
    return this.outputs(setup, this.subset).data;
  }

  /** Replays hypotheses that agree on the subset on every judged sample, in blocks. */
  async confirm(setups: readonly Setup[]): Promise<Outcome[]> {
    if (this.complete) return setups.map(() => this.allExplained());
    return this.outcomes(setups);
  }

  private allExplained(): Outcome {
    const explained = this.differing.reduce((sum, d) => sum + d, 0);
    return { explained, lost: 0, mismatched: 0, byChannel: new Float64Array(this.channels), failures: [] };
  }

  /** How hypotheses fare on every judged sample. */
  async outcomes(setups: readonly Setup[]): Promise<Outcome[]> {
    const counts = setups.map(() => ({
      explained: 0,
      lost: 0,
      mismatched: 0,
      byChannel: new Float64Array(this.channels),
      failures: [] as At[],
    }));
    for await (const scope of this.blocks()) {
      const before = this.differences(this.outputs(this.declared, scope), scope);
      setups.forEach((setup, s) => {
        const count = counts[s];
        const after = this.differences(this.outputs(setup, scope), scope);
        for (let i = 0; i < after.length; i++) {
          if (before[i] && !after[i]) count.explained++;
          if (!before[i] && after[i]) count.lost++;
          if (!after[i]) continue;
          const channel = i % this.channels;
          count.mismatched++;
          if (++count.byChannel[channel] <= 2 && count.failures.length < MOST_FAILURES) {
            count.failures.push({ sample: scope.samples[Math.floor(i / this.channels)], channel });
          }
        }
      });
      if (scope !== this.subset) this.accumulators.delete(scope);
    }
    return counts;
  }

  /** Every judged sample, block by block; the subset itself where it is complete. */
  async *blocks(): AsyncGenerator<Scope> {
    if (this.complete) {
      yield this.subset;
      return;
    }
    const { from, to, linear } = this.data;
    const rows = Math.max(1, Math.floor(BLOCK_VALUES / (linear.inFeatures + linear.outFeatures)));
    for (let start = from; start < to; start += rows) {
      const end = Math.min(to, start + rows);
      yield readScope(
        this.data,
        Array.from({ length: end - start }, (_, i) => start + i),
      );
    }
  }

  /** The same layer, had a dynamic engine quantized its input to 7 bits. */
  withReducedRange(): Study {
    const dynamic = this.data.dynamic && { ...this.data.dynamic, reduceRange: true };
    return new Study({ ...this.data, dynamic }, this.subset, this.detail);
  }

  outputs(setup: Setup, scope: Scope): Outputs {
    const linear = this.restrict(setup.linear, scope);
    const { steps } = setup;
    if (steps.float) return replayFloatProduct(steps, linear, mapCodes(scope.x as Codes, setup.readX), this.data.fast);
    const codes = this.accelerated(setup, scope, linear);
    if (codes) return { data: codes, low: null, high: null };
    const accumulator = this.accumulate(setup, scope);
    const data = this.data.dynamic
      ? this.finishDynamic(setup, scope, linear, accumulator)
      : finishProduct(steps, linear, accumulator);
    return { data: setup.storeY ? Int32Array.from(data, setup.storeY.apply) : data, low: null, high: null };
  }

  private accelerated(setup: Setup, scope: Scope, linear: Product): Uint8Array | Int8Array | null {
    if (this.data.dynamic || setup.readX || setup.storeY || this.hasAccumulator(setup, scope)) return null;
    return fastCodes(setup.steps, linear, scope.x as Codes, this.data.fast);
  }

  /** 1 where outputs and observation differ. */
  private differences(outputs: Outputs, scope: Scope): Uint8Array {
    const differing = new Uint8Array(scope.observed.length);
    for (let i = 0; i < differing.length; i++) differing[i] = sameValue(outputs, scope.observed, i) ? 0 : 1;
    return differing;
  }

  private agrees(setup: Setup, scope: Scope): boolean {
    if (setup.order) return this.agreesInOrder(setup, setup.order);
    return this.eachChunk(scope, (part) => this.agreesOnChunk(setup, part));
  }

  /** Sums are made for the whole chunk, which is faster; what follows them by pieces, to leave at the first that differs. */
  private agreesOnChunk(setup: Setup, chunk: Scope): boolean {
    const { steps, storeY } = setup;
    const linear = this.restrict(setup.linear, chunk);
    const rows = this.rowsOfChunk(chunk);
    if (this.data.dynamic || steps.float || storeY || rows >= chunk.samples.length) {
      return equalAll(this.outputs(setup, chunk), chunk.observed);
    }
    const codes = this.accelerated(setup, chunk, linear);
    if (codes) return equalAll({ data: codes, low: null, high: null }, chunk.observed);
    const accumulator = this.accumulate(setup, chunk);
    const length = rows * linear.outFeatures;
    for (let from = 0; from < accumulator.length; from += length) {
      const data = finishProduct(steps, linear, accumulator.subarray(from, from + length));
      if (!equalAll({ data, low: null, high: null }, chunk.observed.subarray(from, from + length))) return false;
    }
    return true;
  }

  /** Rows in another order can be compared only where all of them are in memory. */
  private agreesInOrder(setup: Setup, order: readonly number[]): boolean {
    if (!this.complete) return false;
    const { data, low, high } = this.outputs({ ...setup, order: null }, this.subset);
    const width = this.channels;
    const moved = (values: NumericArray) => rowsOf(values, order, width);
    const outputs = { data: moved(data) as Outputs['data'], low: low && moved(low), high: high && moved(high) };
    return equalAll(outputs, this.subset.observed);
  }

  /** Whether a test holds for all chunks of rows: a small one, in which most hypotheses fail, then ever larger ones. */
  private eachChunk(scope: Scope, test: (part: Scope) => boolean): boolean {
    const fewest = this.rowsOfChunk(scope);
    if (this.data.dynamic || fewest >= scope.samples.length) return test(scope);
    for (let from = 0, to = fewest; from < scope.samples.length; from = to, to *= 4) {
      if (!test(this.chunk(scope, from, Math.min(scope.samples.length, to)))) return false;
    }
    return true;
  }

  private rowsOfChunk({ channels }: Scope): number {
    return Math.max(1, Math.floor(CHUNK_VALUES / (channels?.length ?? this.channels)));
  }

  /** The same object for the same rows, so that accumulators are shared. */
  private chunk(scope: Scope, from: number, to: number): Scope {
    let chunks = this.chunks.get(scope);
    if (!chunks) {
      chunks = new Map();
      this.chunks.set(scope, chunks);
    }
    let chunk = chunks.get(from);
    if (!chunk) {
      const { cols, data } = scope.x;
      const width = scope.channels?.length ?? this.channels;
      chunk = {
        samples: scope.samples.slice(from, to),
        channels: scope.channels,
        x: { rows: to - from, cols, data: data.subarray(from * cols, to * cols) },
        observed: scope.observed.subarray(from * width, to * width),
      };
      chunks.set(from, chunk);
    }
    return chunk;
  }

  private hasAccumulator(setup: Setup, scope: Scope): boolean {
    return this.accumulators.get(scope)?.has(this.accumulatorKey(setup)) ?? false;
  }

  private accumulatorKey({ steps, linear, readX }: Setup): string {
    const dynamicKey = this.data.dynamic ? `${steps.dynamic?.name}` : linear.input.zeroPoint;
    const parts = [
      steps.accumulate.name,
      readX?.name,
      identity(linear.weight),
      dynamicKey,
      identity(linear.weightZeroPoint),
    ];
    return parts.join('|');
  }

  private accumulate(setup: Setup, scope: Scope): Int32Array {
    let cache = this.accumulators.get(scope);
    if (!cache) {
      cache = new Map();
      this.accumulators.set(scope, cache);
    }
    const { steps, linear } = setup;
    const key = this.accumulatorKey(setup);
    let accumulator = cache.get(key);
    if (!accumulator) {
      accumulator = this.data.dynamic
        ? this.accumulateDynamic(setup, scope)
        : steps.accumulate.run(this.codes(setup, scope), this.restrict(linear, scope), this.data.fast).data;
      // wide layers: an accumulator is some MB, and patched weights come by the dozen
      if (cache.size >= 24) cache.delete(cache.keys().next().value!);
      cache.set(key, accumulator);
    }
    return accumulator;
  }

  private accumulateDynamic(setup: Setup, scope: Scope): Int32Array {
    const linear = this.restrict(setup.linear, scope);
    const accumulator = new Int32Array(scope.observed.length);
    const { cols, data } = this.codes(setup, scope);
    this.eachBatch(scope, setup.steps, (first, rows, input) => {
      const codes = { rows, cols, data: data.subarray(first * cols, (first + rows) * cols) };
      const part = setup.steps.accumulate.run(codes, { ...linear, input }, this.data.fast).data;
      accumulator.set(part, first * linear.outFeatures);
    });
    return accumulator;
  }

  /** The same object as long as the kernel quantizes in the same way. */
  private quantized({ dynamic }: ProductSteps, scope: Scope): Codes {
    let known = this.quantizedInputs.get(scope);
    if (!known) {
      known = new Map();
      this.quantizedInputs.set(scope, known);
    }
    let codes = known.get(dynamic!);
    if (!codes) {
      const { rows, cols, data } = scope.x;
      codes = { rows, cols, data: new Uint8Array(data.length) };
      const steps = { ...this.declared.steps, dynamic };
      this.eachBatch(scope, steps, (first, count, input) => {
        const quantize = dynamic!.quantize.prepare(input);
        for (let i = first * cols; i < (first + count) * cols; i++) codes!.data[i] = quantize(data[i]);
      });
      known.set(dynamic!, codes);
    }
    return codes;
  }

  private finishDynamic(setup: Setup, scope: Scope, linear: Product, accumulator: Int32Array): Float32Array {
    const data = new Float32Array(accumulator.length);
    this.eachBatch(scope, setup.steps, (first, rows, input) => {
      const from = first * linear.outFeatures;
      const part = accumulator.subarray(from, from + rows * linear.outFeatures);
      data.set(finishProduct(setup.steps, { ...linear, input }, part), from);
    });
    return data;
  }

  private eachBatch(
    scope: Scope,
    steps: ProductSteps,
    visit: (first: number, rows: number, input: QuantParams) => void,
  ): void {
    const dynamic = this.data.dynamic!;
    for (let first = 0; first < scope.samples.length; ) {
      const batch = dynamic.batchOf(scope.samples[first]);
      let end = first + 1;
      while (end < scope.samples.length && dynamic.batchOf(scope.samples[end]) === batch) end++;
      const { min, max } = dynamic.rangeOf(batch);
      visit(first, end - first, steps.dynamic!.chooseQuantParams(min, max, dynamic.reduceRange));
      first = end;
    }
  }

  /** The scope's channels of a layer; parts are kept, so that equal arrays stay identical and share accumulators. */
  restrict(linear: Product, scope: Scope): Product {
    const { channels } = scope;
    if (!channels) return linear;
    const pick = <A extends NumericArray>(values: A, width: number): A => {
      let parts = this.parts.get(values);
      if (!parts) {
        parts = new Map();
        this.parts.set(values, parts);
      }
      let part = parts.get(scope);
      if (!part) {
        part = rowsOf(values, channels, width);
        parts.set(scope, part);
      }
      return part as A;
    };
    return {
      ...linear,
      outFeatures: channels.length,
      weight: pick(linear.weight, linear.inFeatures),
      weightScale: linear.weightScale.length > 1 ? pick(linear.weightScale, 1) : linear.weightScale,
      weightZeroPoint: linear.weightZeroPoint.length > 1 ? pick(linear.weightZeroPoint, 1) : linear.weightZeroPoint,
      bias: linear.bias && pick(linear.bias, 1),
      biasInt32: linear.biasInt32 && pick(linear.biasInt32, 1),
    };
  }

  private chooseProbe(): Scope {
    const channels = this.probeChannels();
    const rows = this.probeRows(channels);
    const { cols, data } = this.subset.x;
    return {
      samples: rows.map((row) => this.subset.samples[row]),
      channels: channels.length === this.channels ? null : channels,
      x: { rows: rows.length, cols, data: rowsOf(data, rows, cols) },
      observed: columnsOf(rowsOf(this.subset.observed, rows, this.channels), rows.length, this.channels, channels),
    };
  }

  private probeChannels(): number[] {
    const all = Array.from({ length: this.channels }, (_, n) => n);
    if (all.length <= PROBE_CHANNELS) return all;
    const differs = new Uint8Array(this.channels);
    this.differing.forEach((d, i) => {
      if (d) differs[i % this.channels] = 1;
    });
    const differing = spread(
      all.filter((n) => differs[n]),
      (PROBE_CHANNELS * 3) / 4,
    );
    const agreeing = spread(
      all.filter((n) => !differs[n]),
      PROBE_CHANNELS - differing.length,
    );
    return [...differing, ...agreeing].sort((a, b) => a - b);
  }

  private probeRows(channels: readonly number[]): number[] {
    const all = this.subset.samples.map((_, row) => row);
    if (all.length <= PROBE_SAMPLES) return all;
    const differing = all.filter((row) => channels.some((n) => this.differing[row * this.channels + n]));
    const chosen = new Set([...spread(differing, PROBE_SAMPLES / 2), ...spread(all, PROBE_SAMPLES / 2)]);
    return [...chosen].sort((a, b) => a - b);
  }
}

const identities = new WeakMap<object, number>();
let nextIdentity = 0;

/** A number for an array object, the same as long as it is the same object. */
function identity(object: object): number {
  let id = identities.get(object);
  if (id === undefined) {
    id = nextIdentity++;
    identities.set(object, id);
  }
  return id;
}

function equalAll(outputs: Outputs, observed: NumericArray): boolean {
  for (let i = 0; i < observed.length; i++) if (!sameValue(outputs, observed, i)) return false;
  return true;
}

function sameValue({ data, low, high }: Outputs, observed: NumericArray, i: number): boolean {
  const value = observed[i];
  if (data[i] === value) return true;
  if (low && high) return value >= low[i] && value <= high[i];
  return data instanceof Float32Array && ulpDistance(value, data[i]) === 0;
}

/** All samples if that is affordable; otherwise evenly spaced ones and some that are known to differ. */
function chooseSamples(data: LayerData): number[] {
  const { outFeatures, inFeatures } = data.linear;
  const judged = data.to - data.from;
  const affordable = Math.min(
    MOST_MACS / (outFeatures * inFeatures),
    MOST_VALUES / outFeatures,
    MOST_INPUTS / inFeatures,
  );
  const count = Math.min(judged, Math.max(FEWEST_SAMPLES, Math.floor(affordable)));
  const all = Array.from({ length: judged }, (_, i) => data.from + i);
  if (count === judged) return all;
  const witnesses = [...new Set(data.witnesses.map((w) => w.sample))];
  const chosen = new Set([...spread(witnesses, count / 2), ...spread(all, count / 2), ...(data.refuting ?? [])]);
  return [...chosen].sort((a, b) => a - b);
}

/** Evenly spaced rows of a scope. */
function sketchOf(scope: Scope, outFeatures: number): Scope {
  const all = scope.samples.map((_, row) => row);
  const rows = spread(all, Math.max(FEWEST_SKETCHED, SKETCH_VALUES / outFeatures));
  if (rows.length === all.length) return scope;
  const { cols, data } = scope.x;
  return {
    samples: rows.map((row) => scope.samples[row]),
    channels: null,
    x: { rows: rows.length, cols, data: rowsOf(data, rows, cols) },
    observed: rowsOf(scope.observed, rows, outFeatures),
  };
}

/** Null where the subset is all there is, or where too many channels differ for this to be their own matter. */
async function readDetail(data: LayerData, subset: Scope): Promise<Scope | null> {
  const { outFeatures, inFeatures } = data.linear;
  const judged = data.to - data.from;
  const channels = [...new Set(data.witnesses.map(({ channel }) => channel))].sort((a, b) => a - b);
  const few = Math.min(MOST_DETAIL_CHANNELS, Math.max(4, outFeatures / 4));
  if (subset.samples.length === judged || channels.length === 0 || channels.length > few) return null;
  const affordable = Math.min(
    MOST_MACS / (channels.length * inFeatures),
    MOST_INPUTS / inFeatures,
    MOST_DETAIL_SAMPLES,
  );
  const all = Array.from({ length: judged }, (_, i) => data.from + i);
  const known = spread([...new Set(data.witnesses.map(({ sample }) => sample))], affordable / 2);
  const samples = [...new Set([...known, ...spread(all, affordable / 2)])].sort((a, b) => a - b);
  const whole = await readScope(data, samples);
  return { ...whole, channels, observed: columnsOf(whole.observed, samples.length, outFeatures, channels) };
}

async function readScope(data: LayerData, samples: readonly number[]): Promise<Scope> {
  const { inFeatures, outFeatures } = data.linear;
  const inputs: NumericArray[] = [];
  const outputs: NumericArray[] = [];
  for (let i = 0; i < samples.length; ) {
    let end = i + 1;
    while (end < samples.length && samples[end] === samples[end - 1] + 1) end++;
    const [from, to] = [samples[i], samples[end - 1] + 1];
    inputs.push(await data.readInput(from, to));
    outputs.push(await data.readObserved(from, to));
    i = end;
  }
  return {
    samples,
    channels: null,
    x: { rows: samples.length, cols: inFeatures, data: concat(inputs, samples.length * inFeatures) },
    observed: concat(outputs, samples.length * outFeatures),
  };
}

function concat(parts: readonly NumericArray[], length: number): NumericArray {
  if (parts.length === 1) return parts[0];
  const whole = emptyLike(parts[0], length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** At most `count` items, evenly spaced, first and last included. */
export function spread<T>(items: readonly T[], count: number): T[] {
  const most = Math.floor(count);
  if (items.length <= most) return [...items];
  if (most <= 1) return items.slice(0, most);
  return Array.from({ length: most }, (_, i) => items[Math.floor((i * (items.length - 1)) / (most - 1))]);
}

function rowsOf<A extends NumericArray>(values: A, rows: readonly number[], width: number): A {
  const picked = emptyLike(values, rows.length * width);
  rows.forEach((row, i) => {
    picked.set(values.subarray(row * width, (row + 1) * width), i * width);
  });
  return picked;
}

function columnsOf(values: NumericArray, rows: number, width: number, columns: readonly number[]): NumericArray {
  const picked = emptyLike(values, rows * columns.length);
  for (let row = 0; row < rows; row++) {
    columns.forEach((column, i) => {
      picked[row * columns.length + i] = values[row * width + column];
    });
  }
  return picked;
}

function emptyLike<A extends NumericArray>(values: A, length: number): A {
  return new (values.constructor as new (length: number) => A)(length);
}
