/** Ops on whole values: each block goes to the kernel's step call by call. */

import type { Matrix, NumericArray } from '../nouns/array.js';
import type { Host } from '../nouns/host.js';
import type { Bounded, CodeArray, Computed, TensorCall, TensorSteps, Vectors } from '../nouns/kernel.js';
import type { Memory, Model, Producer, TensorLayer } from '../nouns/model.js';
import { isQuantized } from '../nouns/value.js';
import { isBytes } from '../numeric/array.js';
import { once } from '../once.js';
import { sizeOf } from '../tensor/shape.js';
import { batchOf } from './calls.js';
import type { ReadyLayer } from './layer.js';
import { NO_SUMS, type Replayed } from './replayed.js';
import type { StateOf } from './wholeCalls.js';

const CONTIGUOUS: Memory = { format: 'contiguous', strides: null };

/** Where a block stands among the runtime's calls, and what ran them. */
export interface InCalls {
  readonly firstSample: number;
  /** One past the last sample of each call. */
  readonly ends: readonly number[];
  readonly memoryOf: (value: string) => Memory;
  readonly threads: number;
  readonly vectors: Vectors;
  readonly everywhere?: TensorCall['everywhere'];
  readonly most?: TensorCall['most'];
  readonly host: Host;
  readonly fast?: TensorCall['fast'];
  /** Of a layer that keeps a state. */
  readonly stateOf?: StateOf;
}

/** As declared, contiguous where only a shape is; of a layer that says neither, like its first input. */
export function memoryIn({ layers, memory }: Model): (value: string) => Memory {
  const all = once(() => {
    const known = new Map(memory);
    for (const { name, inputs } of layers) {
      const { format } = known.get(inputs[0]) ?? CONTIGUOUS;
      if (!known.has(name)) known.set(name, { format, strides: null });
    }
    return known;
  });
  return (value) => all().get(value) ?? CONTIGUOUS;
}

/** As PyTorch names what it runs with; the widest where nothing is declared. */
export function vectorsOf({ cpuCapability = '' }: Producer): Vectors {
  if (/avx2/i.test(cpuCapability)) return 'avx2';
  return cpuCapability === '' || /avx512/i.test(cpuCapability) ? 'avx512' : 'default';
}

/** x86 with FMA and the newest version where nothing is declared. */
export function hostOf({ arch = '', cpuCapability = '', frameworkVersion }: Producer): Host {
  const isArm = /^(arm|aarch)/i.test(arch) || /neon/i.test(cpuCapability);
  const withoutFma = /^(sse|avx$|default$|no avx)/i.test(cpuCapability);
  const version =
    /^\d+(\.\d+)*/
      .exec(frameworkVersion ?? '')?.[0]
      .split('.')
      .map(Number) ?? null;
  return { cpu: isArm ? 'neon' : withoutFma ? 'sse' : 'fma', version };
}

/** What a layer looks up or multiplies with. */
export async function numbersOf({ form }: TensorLayer): Promise<Pick<ReadyLayer, 'table' | 'arrays'>> {
  return {
    ...(form.table && { table: await form.table() }),
    ...(form.arrays && { arrays: await form.arrays() }),
  };
}

/** What steps of whole values are given of a call. codes: a list an input. */
export function tensorCall(
  layer: TensorLayer,
  { shapes, inputs: params, table, arrays }: Pick<ReadyLayer, 'shapes' | 'inputs' | 'table' | 'arrays'>,
  codes: readonly NumericArray[],
  { memoryOf, stateOf, ...facts }: Omit<InCalls, 'firstSample' | 'ends'>,
  place: Pick<TensorCall, 'samples' | 'first' | 'ofCall'>,
): TensorCall {
  const { attributes, activation } = layer.form;
  const inputs = codes.map((data, i) => ({
    data,
    shape: shapes.inputs[i],
    params: params[i],
    memory: memoryOf(layer.inputs[i]),
  }));
  const output = { shape: shapes.output, params: layer.output!, memory: memoryOf(layer.name) };
  const own = { ...(layer.ranAs && { ranAs: layer.ranAs }), ...(table && { table }), ...(arrays && { arrays }) };
  const call = { attributes, activation, inputs, output, ...own, ...place, ...facts };
  return stateOf ? { ...call, state: stateOf(call) } : call;
}

export function replayTensor(
  steps: TensorSteps,
  layer: TensorLayer,
  ready: ReadyLayer,
  inputs: readonly Matrix[],
  { firstSample, ends, ...facts }: InCalls,
): Replayed {
  const samples = inputs[0].rows;
  const parts = new Parts(
    samples,
    sizeOf(ready.shapes.output.dims),
    layer.output !== null && isQuantized(layer.output),
  );
  for (let from = 0; from < samples; ) {
    const call = batchOf(ends, firstSample + from);
    const start = call > 0 ? ends[call - 1] : 0;
    const to = Math.min(samples, ends[call] - firstSample);
    const codes = inputs.map(({ data, cols: features }) => data.subarray(from * features, to * features));
    const place = { samples: to - from, first: firstSample + from - start, ofCall: ends[call] - start };
    parts.add(steps.run(tensorCall(layer, ready, codes, facts, place)), from);
    from = to;
  }
  return parts.joined();
}

/** Results of calls, one after the other; bounds from the first part on that has them. */
class Parts {
  private data: CodeArray | Float32Array | null = null;
  private low: Bounded['low'] | null = null;
  private high: Bounded['high'] | null = null;

  constructor(
    private readonly rows: number,
    private readonly cols: number,
    private readonly isQuantized: boolean,
  ) {}

  add(computed: Computed, row: number): void {
    const at = row * this.cols;
    const { data, low, high } = 'data' in computed ? computed : { data: computed, low: null, high: null };
    if (data.length === this.rows * this.cols && (isBytes(data) ? this.isQuantized : data instanceof this.array))
      this.data = data; // all in one call: no copy
    else this.whole.set(data, at);
    if (low && data.length === this.rows * this.cols) [this.low, this.high] = [low, high];
    else if (low && !this.low) [this.low, this.high] = [this.whole.slice(), this.whole.slice()];
    if (this.low !== low) this.low?.set(low ?? data, at);
    if (this.high !== high) this.high?.set(high ?? data, at);
  }

  joined(): Replayed {
    const { rows, cols, whole, low, high } = this;
    return { rows, cols, data: whole, low, high, ...NO_SUMS };
  }

  private get whole(): CodeArray | Float32Array {
    this.data ??= new this.array(this.rows * this.cols);
    return this.data;
  }

  private get array(): Int32ArrayConstructor | Float32ArrayConstructor {
    return this.isQuantized ? Int32Array : Float32Array;
  }
}
