import type {
  Capture,
  DynamicStep,
  Kernel,
  Layer,
  LinearDynamicLayer,
  Matrix,
  Model,
  NumericArray,
  QuantParams,
  ValueParams,
} from '../types.js';
import { type ReadyLayer, replayLayer, whyNotReplayed } from './layer.js';
import { isQuantized, type Replayed } from './linear.js';

export type Mode = 'isolated' | 'propagated';

/** Where a value's numbers come from, [samples, features], read in blocks of samples. */
export interface ValueReader {
  readonly features: number;
  read(fromSample: number, toSample: number): Promise<NumericArray>;
}

/** One layer opened for replay: weights in memory until the next layer's turn. */
export interface LayerRun {
  readonly ready: ReadyLayer;
  readonly input: ValueReader;
  /** Replays samples [from, to) of the capture under the session's kernel, or under another one. */
  replay(fromSample: number, toSample: number, kernel?: Kernel): Promise<Replayed>;
  /** Parameters that a dynamic layer chose for the batch of this sample; null for the others. */
  dynamicInput(sample: number, kernel?: Kernel): Promise<QuantParams | null>;
}

/** About 32 MiB of input and output values in a block. */
const BLOCK_VALUES = 4 << 20;

export function blockRows(features: number): number {
  return Math.max(1, Math.floor(BLOCK_VALUES / Math.max(1, features)));
}

/**
 * Replays the layers of a model one at a time. Isolated: each on its captured input, or on the replayed value before it
 * where that was not captured. Propagated: each on the replay's own output.
 */
export class ReplaySession {
  private readonly params = new Map<string, ValueParams | null>();
  private readonly layers = new Map<string, Layer>();
  private readonly batchOfSample: Uint32Array;
  private readonly retained = new Map<string, ValueReader>();

  constructor(
    model: Model,
    private readonly capture: Capture,
    private readonly kernel: Kernel,
    private readonly mode: Mode,
  ) {
    for (const input of model.inputs) this.params.set(input.name, input.params);
    for (const layer of model.layers) {
      this.params.set(layer.name, layer.output);
      this.layers.set(layer.name, layer);
    }
    this.batchOfSample = new Uint32Array(capture.samples);
    let start = 0;
    capture.batchSizes.forEach((size, batch) => {
      this.batchOfSample.fill(batch, start, start + size);
      start += size;
    });
  }

  /** Why this layer cannot be replayed, or null. */
  whyNotReplayed(layer: Layer): string | null {
    const reason = whyNotReplayed(this.kernel, layer, this.params.get(layer.input) ?? null);
    if (reason) return reason;
    if (this.capturedInput(layer)) return null;
    const producer = this.layers.get(layer.input);
    if (!producer) return `its input ${layer.input} was not captured`;
    const upstream = this.whyNotReplayed(producer);
    return upstream && `its input ${layer.input} was not captured and cannot be replayed: ${upstream}`;
  }

  /** Opens a layer; producers of values that were not captured are replayed first and kept in memory. */
  async open(layer: Layer): Promise<LayerRun> {
    const input = await this.inputOf(layer);
    const weight = layer.op === 'linear' || layer.op === 'linear_dynamic' ? await layer.weight.read() : null;
    const ready: ReadyLayer = { layer, input: this.params.get(layer.input)!, weight };
    const chosen = new Map<DynamicStep, Promise<readonly QuantParams[]>>();
    const dynamicInput = async (sample: number, kernel = this.kernel) => {
      if (layer.op !== 'linear_dynamic') return null;
      const step = kernel.dynamic!;
      if (!chosen.has(step)) chosen.set(step, this.chooseDynamicInputs(layer, input, step));
      return (await chosen.get(step)!)[this.batchOfSample[sample]];
    };
    const replay = async (from: number, to: number, kernel = this.kernel) => {
      const data = await input.read(from, to);
      const x: Matrix = { rows: to - from, cols: input.features, data };
      if (layer.op !== 'linear_dynamic') return replayLayer(kernel, ready, x);
      return this.replayBatches(x, from, async (block, sample) =>
        replayLayer(kernel, ready, block, (await dynamicInput(sample, kernel))!),
      );
    };
    return { ready, input, replay, dynamicInput };
  }

  private capturedInput(layer: Layer): ValueReader | null {
    const own = this.capture.values.get(`${layer.name}.input`);
    if (this.mode === 'isolated' && own) return own;
    const producer = this.layers.get(layer.input);
    const replayed =
      this.mode === 'propagated' && producer && !whyNotReplayed(this.kernel, producer, this.params.get(producer.input) ?? null);
    return replayed ? null : (this.capture.values.get(layer.input) ?? null);
  }

  private async inputOf(layer: Layer): Promise<ValueReader> {
    return this.capturedInput(layer) ?? this.retained.get(layer.input) ?? this.retain(this.layers.get(layer.input)!);
  }

  /** Replays a whole layer into memory. */
  private async retain(layer: Layer): Promise<ValueReader> {
    const run = await this.open(layer);
    const { samples } = this.capture;
    let kept: NumericArray = new Uint8Array(0);
    let features = 0;
    const rows = blockRows(run.input.features);
    for (let from = 0; from < samples; from += rows) {
      const block = await run.replay(from, Math.min(samples, from + rows));
      if (features === 0) {
        features = block.cols;
        kept = storageFor(layer.output, samples * features);
      }
      kept.set(block.data, from * features);
    }
    const reader = { features, read: async (from: number, to: number) => kept.subarray(from * features, to * features) };
    this.retained.set(layer.name, reader);
    return reader;
  }

  private async chooseDynamicInputs(layer: LinearDynamicLayer, input: ValueReader, step: DynamicStep) {
    const chosen: QuantParams[] = [];
    let start = 0;
    for (const size of this.capture.batchSizes) {
      const { min, max } = await rangeOf(input, start, start + size);
      chosen.push(step.chooseQuantParams(min, max, layer.reduceRange));
      start += size;
    }
    return chosen;
  }

  /** Splits a block at batch borders, where a dynamic layer's scale changes, and joins the results. */
  private async replayBatches(
    x: Matrix,
    firstSample: number,
    replay: (block: Matrix, sample: number) => Promise<Replayed>,
  ): Promise<Replayed> {
    const parts: Replayed[] = [];
    let row = 0;
    while (row < x.rows) {
      const batch = this.batchOfSample[firstSample + row];
      let end = row + 1;
      while (end < x.rows && this.batchOfSample[firstSample + end] === batch) end++;
      const data = x.data.subarray(row * x.cols, end * x.cols);
      parts.push(await replay({ rows: end - row, cols: x.cols, data }, firstSample + row));
      row = end;
    }
    return parts.length === 1 ? parts[0] : join(parts);
  }
}

async function rangeOf(input: ValueReader, from: number, to: number): Promise<{ min: number; max: number }> {
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  const rows = blockRows(input.features);
  for (let start = from; start < to; start += rows) {
    for (const value of await input.read(start, Math.min(to, start + rows))) {
      if (value < min) min = value;
      if (value > max) max = value;
    }
  }
  return { min, max };
}

function join(parts: readonly Replayed[]): Replayed {
  const rows = parts.reduce((sum, p) => sum + p.rows, 0);
  const { cols } = parts[0];
  const data = new Float32Array(rows * cols);
  const accumulator = new Int32Array(rows * cols);
  let at = 0;
  let overflowed = 0;
  for (const part of parts) {
    data.set(part.data, at);
    if (part.accumulator) accumulator.set(part.accumulator, at);
    at += part.rows * cols;
    overflowed += part.overflowed;
  }
  return { rows, cols, data, low: null, high: null, accumulator, overflowed };
}

function storageFor(output: ValueParams | null, length: number): NumericArray {
  if (!output || !isQuantized(output)) return new Float32Array(length);
  if (output.dtype === 'uint8') return new Uint8Array(length);
  return output.dtype === 'int8' ? new Int8Array(length) : new Int32Array(length);
}
