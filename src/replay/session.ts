import { elementwiseSteps, productSteps, tensorSteps } from '../kernels/kernel.js';
import { type Reference, sameEverywhere } from '../kernels/reference.js';
import type { Matrix, NumericArray } from '../nouns/array.js';
import { besideValue, type Capture, type ValueReader } from '../nouns/capture.js';
import type { Call, Fast, Kernel } from '../nouns/kernel.js';
import {
  declaredParams,
  isElementwise,
  isProduct,
  isState,
  isTensor,
  type Layer,
  layersByName,
  type Model,
  type StateLayer,
  takesWholeCalls,
} from '../nouns/model.js';
import type { LayerShapes, Layout, Shape, ValueParams } from '../nouns/value.js';
import { asRead, impliedShape } from '../ops/fields/shape.js';
import { rowOf, sameDims, sizeOf } from '../tensor/shape.js';
import { blocks } from './blocks.js';
import { type BatchRanges, batchOf, rangesOf } from './calls.js';
import { choosesParams, replayChosen, stepsIn } from './chosen.js';
import { constantReader } from './constant.js';
import { inBlocks } from './elementwise.js';
import { type InCall, type ReadyLayer, replayLayer, whyNotReplayed } from './layer.js';
import { placed } from './patches.js';
import { replayCalls } from './productCalls.js';
import { readerOf, storageFor, takenFrom } from './readers.js';
import { type Replayed, withCaptured } from './replayed.js';
import { reasonOfDims } from './shapes.js';
import { stateReader } from './state.js';
import { hostOf, type InCalls, memoryIn, numbersOf, replayTensor, vectorsOf } from './tensor.js';
import { upTo } from './upTo.js';
import { beginsAnew, inWholeCalls, type StateOf, whyNotOneState } from './wholeCalls.js';

export type Mode = 'isolated' | 'propagated';

/** One layer opened for replay: weights in memory until the next layer's turn. */
export interface LayerRun {
  readonly ready: ReadyLayer;
  readonly kernel: Kernel;
  /** What it reads. */
  readonly inputs: readonly ValueReader[];
  /** The first of them. */
  readonly input: ValueReader;
  /** Set for a dynamic layer, whose input's scale is chosen batch by batch. */
  readonly batches: BatchRanges | null;
  /** Where in its input each value is taken from, where a runtime takes it from another place; `inputs` are as it reads them. */
  readonly taken: Int32Array | null;
  /** How the runtime's calls ran, for what is computed of whole values. */
  readonly inCalls: Omit<InCalls, 'firstSample'>;
  /** Of a product: the runtime's call that a sample belongs to. */
  callOf(sample: number): Call | undefined;
  /** Replays samples [from, to) of the capture. */
  replay(fromSample: number, toSample: number): Promise<Replayed>;
}

const NO_CALLS: readonly Call[] = [];

/** A value as a layer reads it. */
export interface Given {
  readonly reader: ValueReader;
  readonly params: ValueParams;
  readonly shape: Shape;
}

/** Before it can be asked to replay. */
type Opened = Omit<LayerRun, 'replay'>;

/**
 * Replays the layers of a model one at a time. Isolated: each on its captured input, or on the replayed value before it
 * where that was not captured. Propagated: each on the replay's own output.
 */
export class ReplaySession {
  private readonly params: ReadonlyMap<string, ValueParams | null>;
  private readonly layers: ReadonlyMap<string, Layer>;
  private readonly hasStates: boolean;
  /** One past the last sample of each batch. */
  private readonly batchEnds: readonly number[];
  private readonly layout: Layout;
  /** How calls ran. */
  private readonly calls: Pick<InCalls, 'memoryOf' | 'threads' | 'vectors' | 'host' | 'fast'>;
  private readonly retained = new Map<string, ValueReader>();
  private readonly reasons = new Map<Layer, string | null>();
  private readonly chosen = new Map<Layer, Kernel>();
  /** What is asked of each layer again and again. */
  private readonly likely = new Map<Layer, Kernel>();
  private readonly constants: ReadonlyMap<string, ValueReader>;
  private readonly reference: Reference;

  /** reference: a kernel for all layers, or for each its own. */
  constructor(
    private readonly model: Model,
    private readonly capture: Capture,
    reference: Reference | Kernel,
    private readonly mode: Mode,
    private readonly fast: Fast = null,
  ) {
    this.layout = model.layout;
    const { producer } = model;
    this.calls = {
      memoryOf: memoryIn(model),
      threads: producer.threads ?? 1,
      vectors: vectorsOf(producer),
      host: hostOf(producer),
      fast,
    };
    this.reference = 'ops' in reference ? sameEverywhere(reference, producer) : reference;
    this.params = declaredParams(model);
    this.constants = new Map((model.constants ?? []).map((constant) => [constant.name, constantReader(constant)]));
    this.layers = layersByName(model);
    this.hasStates = model.layers.some(isState);
    let end = 0;
    this.batchEnds = capture.batchSizes.map((size) => (end += size));
  }

  /** What the model declares of a value. */
  paramsOf(value: string): ValueParams | null {
    return this.params.get(value) ?? null;
  }

  /** The kernel that a layer is replayed under. */
  kernelOf(layer: Layer): Kernel {
    const known = this.chosen.get(layer) ?? this.likely.get(layer);
    if (known) return known;
    const [kernel] = this.reference.readings(layer, this.callsOf(layer));
    this.likely.set(layer, kernel);
    return kernel;
  }

  /** Under which another session of the same model replays alike. */
  asReference(): Reference {
    return this.reference;
  }

  /** Kernels that the layer may have run instead, as far as the producer says. */
  otherReadings(layer: Layer): readonly Kernel[] {
    return this.chosen.has(layer) ? [] : this.reference.readings(layer, this.callsOf(layer)).slice(1);
  }

  /** From now on. */
  readAs(layer: Layer, kernel: Kernel): void {
    this.chosen.set(layer, kernel);
    this.retained.delete(layer.name);
  }

  /** The sizes of the runtime's calls of a layer, one a batch. */
  private callsOf(layer: Layer, output: Shape | null = this.capture.shapes.get(layer.name) ?? null): readonly Call[] {
    if (!isProduct(layer)) return NO_CALLS;
    const { inFeatures, outFeatures } = layer.form.weight;
    const values = output ? sizeOf(output.dims) : (this.capture.values.get(layer.name)?.features ?? outFeatures);
    const rows = values / outFeatures;
    return this.capture.batchSizes.map((size) => ({ rows: size * rows, inFeatures, outFeatures }));
  }

  /** Why this layer cannot be replayed, or null. */
  whyNotReplayed(layer: Layer): string | null {
    const known = this.reasons.get(layer);
    if (known !== undefined) return known;
    const isKnown = (one: Layer) => this.reasons.has(one);
    for (const one of upTo(layer, this.layers, isKnown)) {
      if (isKnown(one)) continue;
      // a state that is read before it is left for the next call: nothing speaks against it so far
      this.reasons.set(one, null);
      this.reasons.set(one, this.reasonAgainst(one));
    }
    return this.reasons.get(layer)!;
  }

  /** Under another kernel than its own, which may be unable to. */
  whyNotUnder(kernel: Kernel, layer: Layer): string | null {
    const params = layer.inputs.map((name) => this.params.get(name) ?? null);
    const reason = whyNotReplayed(kernel, layer, params) ?? this.reasonOfCalls(kernel, layer);
    return reason ?? firstOf(layer.inputs, (name) => this.reasonAgainstInput(layer, name));
  }

  private reasonAgainst(layer: Layer): string | null {
    const params = layer.inputs.map((name) => this.params.get(name) ?? null);
    const kernel = this.kernelOf(layer);
    const reason =
      whyNotReplayed(kernel, layer, params) ??
      this.reasonOfCalls(kernel, layer) ??
      reasonOfDims(kernel, layer, params, this.capture.shapes.get(layer.name));
    const reads = isState(layer) && layer.form.assigned !== null ? [layer.form.assigned] : layer.inputs;
    return reason ?? firstOf(reads, (name) => this.reasonAgainstInput(layer, name));
  }

  private reasonOfCalls(kernel: Kernel, layer: Layer): string | null {
    const steps = tensorSteps(kernel, layer);
    if (steps?.ofX86 && this.calls.host.cpu === 'neon') return 'it is known of x86 alone, and ARM made the capture';
    if (!steps?.state || !isTensor(layer)) return null;
    return whyNotOneState(steps.state, layer, this.capture.shapes.get(layer.inputs[0]), this.capture.batchSizes);
  }

  private reasonAgainstInput(layer: Layer, input: string): string | null {
    if (this.capturedInput(layer, input)) return null;
    const producer = this.layers.get(input);
    if (!producer) return `its input ${input} was not captured`;
    const upstream = this.whyNotReplayed(producer);
    if (upstream) return `its input ${input} was not captured and cannot be replayed: ${upstream}`;
    const isBounded = producer.onFloats && tensorSteps(this.kernelOf(producer), producer)?.isBounded;
    return isBounded && !this.capture.values.has(input)
      ? `its input ${input} was not captured and is known within a bound only`
      : null;
  }

  /** Why a value cannot be read as an input of a layer, or null. */
  whyNotRead(layer: Layer, value: string): string | null {
    return this.params.get(value) ? this.reasonAgainstInput(layer, value) : 'it has no parameters';
  }

  /** A value as a layer may read it; producers of values that were not captured are replayed first and kept in memory. */
  async given(layer: Layer, value: string): Promise<Given> {
    const reader = await this.inputOf(layer, value);
    return { reader, params: this.params.get(value)!, shape: this.capture.shapes.get(value) ?? rowOf(reader.features) };
  }

  /** What the layers after it read of a layer that was replayed; null: nothing yet. */
  replayedValue(layer: string): ValueReader | null {
    return this.retained.get(layer) ?? null;
  }

  /** Of layers that none reads any more: thousands of small values outlive the young heap otherwise. States are read by the next call. */
  release(layers: readonly string[]): void {
    if (!this.hasStates) for (const layer of layers) this.retained.delete(layer);
  }

  /** Opens a layer, on what it is declared to read or on other values that fit it. */
  async open(layer: Layer, kernel = this.kernelOf(layer), others: readonly Given[] | null = null): Promise<LayerRun> {
    const reads: Given[] = others ? [...others] : [];
    if (!others) for (const name of layer.inputs) reads.push(await this.given(layer, name));
    const given = reads.map(({ reader }) => reader);
    if (isState(layer)) given.push(await this.stateOf(layer));
    const stored = isProduct(layer) ? await layer.form.weight.read() : null;
    const params = reads.map((one) => one.params);
    const shapes = this.shapesOf(layer, reads, others !== null);
    const taken = this.takenBy(kernel, layer, params[0], shapes);
    const inputs = taken ? [takenFrom(given[0], taken)] : given;
    const [input] = inputs;
    const patch =
      isProduct(layer) && layer.form.patch ? placed(layer.form.patch, shapes.inputs[0], shapes.output) : undefined;
    const packed = patch && productSteps(kernel, layer)?.packed;
    const weight = stored && packed ? packed(stored, patch) : stored;
    const own = { ...(patch && { patch }), ...(isTensor(layer) && (await numbersOf(layer))) };
    const ready: ReadyLayer = { layer, input: params[0], inputs: params, weight, shapes, ...own };
    const calls = this.callsOf(layer, shapes.output);
    const callOf = (sample: number) => calls.at(batchOf(this.batchEnds, sample));
    const batches = choosesParams(layer)
      ? await rangesOf(
          input,
          this.capture.samples,
          this.batchEnds,
          stepsIn(layer, input.features, this.batchEnds.length),
        )
      : null;
    const inCalls = { ends: this.batchEnds, ...this.calls };
    const run = { ready, kernel, inputs, input, taken, batches, inCalls, callOf };
    const replayed = async (from: number, to: number, stateOf?: StateOf) => {
      const xs: Matrix[] = [];
      for (const x of inputs) xs.push({ rows: to - from, cols: x.features, data: await x.read(from, to) });
      if (isTensor(layer))
        return replayTensor(tensorSteps(kernel, layer)!, layer, ready, xs, { firstSample: from, ...inCalls, stateOf });
      if (isProduct(layer)) return replayCalls(run, layer, xs, from, this.fast);
      if (isElementwise(layer) && layer.form.chosen) return replayChosen(run, layer, xs[0], from);
      return replayLayer(kernel, ready, xs, this.fast, this.blocksOf(run, from));
    };
    const kept = tensorSteps(kernel, layer)?.state ?? null;
    const isReset = kept === null || beginsAnew(this.model.producer, kept);
    const replay =
      isTensor(layer) && takesWholeCalls(layer) ? inWholeCalls(this.batchEnds, kept, isReset, replayed) : replayed;
    const isOwn = others === null && kernel === this.kernelOf(layer) && !this.hasStates;
    return { ...run, replay: isOwn && this.isToBeRetained(layer) ? this.keeping(layer, replay) : replay };
  }

  /** What is replayed from the first sample to the last is what layers after it read: they replay it no second time. */
  private keeping(layer: Layer, replay: LayerRun['replay']): LayerRun['replay'] {
    const { samples, values } = this.capture;
    const captured = values.get(layer.name);
    let kept: NumericArray | null = null;
    let end = 0;
    return async (from, to) => {
      const block = await replay(from, to);
      if (from !== end || this.retained.has(layer.name)) return block;
      const features = (block.rows * block.cols) / (to - from);
      kept ??= storageFor(layer.output, samples * features);
      // where several results are legitimate and the captured one is among them, that goes on
      const isOpen = block.low !== null && captured !== undefined;
      kept.set(isOpen ? withCaptured(block, await captured.read(from, to)) : block.data, from * features);
      end = to;
      if (end === samples) this.retained.set(layer.name, readerOf(kept, features));
      return block;
    };
  }

  private takenBy(kernel: Kernel, layer: Layer, input: ValueParams, shapes: LayerShapes): Int32Array | null {
    const taken = isElementwise(layer) ? elementwiseSteps(kernel, layer)?.taken : undefined;
    if (!taken || !isElementwise(layer)) return null;
    const elementwise = { input, output: layer.output ?? input, clamp: layer.form.clamp };
    return taken(elementwise, this.calls.memoryOf(layer.inputs[0]), shapes.inputs[0]);
  }

  /** Of a file of matrices, where nothing says shapes, they follow from what is read. */
  private shapesOf(layer: Layer, given: readonly Given[], areOthers: boolean): LayerShapes {
    const known = given.map(({ shape }) => shape);
    const inputs = asRead(layer, known, this.layout);
    const declared = this.capture.shapes.get(layer.name);
    if (declared && !areOthers) return { inputs, output: declared };
    const implied = impliedShape(layer, inputs, this.layout);
    return { inputs, output: declared && sameDims(declared.dims, implied.dims) ? declared : implied };
  }

  private capturedInput(layer: Layer, input: string): ValueReader | null {
    const own =
      layer.inputs.length === 1 ? besideValue(this.capture.values, this.model, layer.name, 'input') : undefined;
    if (this.mode === 'isolated' && own) return own;
    const producer = this.layers.get(input);
    const replayed = this.mode === 'propagated' && producer && this.whyNotReplayed(producer) === null;
    return replayed ? null : (this.capture.values.get(input) ?? this.constants.get(input) ?? null);
  }

  private async inputOf(layer: Layer, input: string): Promise<ValueReader> {
    const known = this.capturedInput(layer, input) ?? this.retained.get(input);
    if (known) return known;
    const isKnown = ({ name }: Layer, reader: Layer) =>
      this.retained.has(name) || this.capturedInput(reader, name) !== null;
    for (const producer of upTo(this.layers.get(input)!, this.layers, isKnown))
      if (!this.retained.has(producer.name)) await this.retain(producer);
    return this.retained.get(input)!;
  }

  /** What the call before has left. */
  private async stateOf(layer: StateLayer): Promise<ValueReader> {
    const { assigned } = layer.form;
    return stateReader(layer.form, assigned === null ? null : await this.inputOf(layer, assigned), this.batchEnds);
  }

  /** Where a state goes from call to call, so does the replay of all that is not captured. */
  private async retainCalls(): Promise<void> {
    const { shapes, samples } = this.capture;
    const parts: { readonly run: LayerRun; readonly kept: NumericArray; readonly features: number }[] = [];
    const layers = [...this.layers.values()].filter((layer) => this.isToBeRetained(layer));
    for (const { name, output } of layers) {
      const features = sizeOf(shapes.get(name)?.dims ?? []);
      this.retained.set(name, readerOf(storageFor(output, samples * features), features));
    }
    for (const layer of layers) {
      const { features } = this.retained.get(layer.name)!;
      const kept = await this.retained.get(layer.name)!.read(0, samples);
      parts.push({ run: await this.open(layer), kept, features });
    }
    for (let i = 0; i < this.batchEnds.length; i++) {
      const [from, to] = [this.batchEnds[i - 1] ?? 0, this.batchEnds[i]];
      for (const { run, kept, features } of parts) kept.set((await run.replay(from, to)).data, from * features);
    }
  }

  private isToBeRetained(layer: Layer): boolean {
    const isGiven = this.mode === 'isolated' && this.capture.values.has(layer.name);
    return !isGiven && this.whyNotReplayed(layer) === null;
  }

  /** Replays a whole layer into memory. */
  private async retain(layer: Layer): Promise<void> {
    if (this.hasStates) return this.retainCalls();
    const run = await this.open(layer);
    for (const [from, to] of blocks(0, this.capture.samples, run.input.features)) await run.replay(from, to);
  }

  /** Of a kernel that computes several values of a tensor at a time, and what is left otherwise. */
  private blocksOf({ ready: { layer, input }, kernel, inputs: [{ features }] }: Opened, firstSample: number): InCall {
    const steps = elementwiseSteps(kernel, layer);
    const width = steps?.rest ? (steps.block?.(input, layer.output!) ?? 1) : 1;
    return width === 1 ? {} : { isInBlock: inBlocks(width, features, firstSample, this.batchEnds) };
  }
}

function firstOf<T, R>(items: readonly T[], find: (item: T) => R | null): R | null {
  for (const item of items) {
    const found = find(item);
    if (found !== null) return found;
  }
  return null;
}
