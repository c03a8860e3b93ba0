/**
 * Values that were read when their memory held others: an interpreter lets tensors share memory, so that what is read after a call is
 * what later layers have left there. Proven byte by byte: where a value is not what the chain of replays gives, it is what the chain
 * gives of a later layer, at one distance for all samples; and a layer that read the value in time gives what the chain gives.
 */
import type { CauseEvidence } from '../../diagnose/finding/evidence.js';
import { tensorSteps } from '../../kernels/kernel.js';
import { type Reference, referenceFor } from '../../kernels/reference.js';
import { forecastKernels } from '../../kernels/registry.js';
import type { NumericArray } from '../../nouns/array.js';
import type { Capture, ValueReader } from '../../nouns/capture.js';
import type { Fast } from '../../nouns/kernel.js';
import type { Layer, Model, Producer } from '../../nouns/model.js';
import type { DiagnosisReport, LayerReport } from '../../nouns/report.js';
import { isQuantized, type ValueParams } from '../../nouns/value.js';
import { blocks } from '../../replay/blocks.js';
import { replayedCapture } from '../../replay/reference.js';
import { ReplaySession } from '../../replay/session.js';
import { layersAfter } from '../layersAfter.js';
import { areAlike, type RanBy, ranBy } from '../ranBy.js';
import { named } from './named.js';
import { WINDOW, WrittenBytes } from './writtenBytes.js';

export interface AskedOfMemory {
  readonly model: Model;
  /** The values that were read. */
  readonly values: Capture;
  readonly reference: Reference;
  readonly from: number;
  readonly to: number;
  readonly fast: Fast;
}

/** What is found, layer by layer, and the kernel that gives the chain. */
export interface FoundInMemory {
  readonly kernel: string;
  readonly layers: ReadonlyMap<string, Found>;
  /** Why nothing was looked for. */
  readonly passedOver?: string;
}

/** Values that a chain keeps in memory: those of a ResNet-18 (2.5e6 a sample) in about a hundred samples. */
const MOST_BYTES = 2 ** 28;

/** Of a graph's runtimes the one that finds most is believed: a capture that was made by hand seldom says which ran. */
export async function foundInMemory(asked: AskedOfMemory): Promise<FoundInMemory> {
  const { model, reference } = asked;
  const sessionOf = (chain: Reference) => new ReplaySession(model, asked.values, chain, 'propagated', asked.fast);
  const own = sessionOf(reference);
  const bytes = bytesOfChain(asked, own);
  if (bytes > MOST_BYTES) {
    const passedOver = `not looked for: values read after their memory was used again; a replay of all layers holds ${mebibytes(bytes)} of values, and at most ${mebibytes(MOST_BYTES)} are held; capture fewer samples`;
    return { kernel: reference.kernel.name, layers: new Map(), passedOver };
  }
  const isGraph = model.layers.some(({ delegates }) => delegates);
  const others = isGraph ? forecastKernels(model).map(({ name }) => referenceFor(model.producer, name)) : [];
  let [best, kernel]: [ReadonlyMap<string, Found>, string] = [new Map(), reference.kernel.name];
  const replayed: RanBy[] = [];
  let given: ReadonlySet<string> = new Set();
  for (const chain of [reference, ...others.filter((other) => other.kernel !== reference.kernel)]) {
    const session = chain === reference ? own : sessionOf(chain);
    const ran = ranBy(model, session);
    if (replayed.some((other) => areAlike(other, ran))) continue; // of 6000 additions each took half a second
    replayed.push(ran);
    const { found, right } = await underKernel(asked, session, given);
    if (right.size > given.size) given = right;
    if (found.size > best.size || (found.size === best.size && leftIn(found) < leftIn(best)))
      [best, kernel] = [found, chain.kernel.name];
  }
  return { kernel, layers: best };
}

function bytesOfChain({ model, values }: AskedOfMemory, session: ReplaySession): number {
  const chain = replayedCapture(model, values, session).values;
  return model.layers.reduce((sum, { name }) => {
    const { samples = 0, features = 0, dtype } = chain.get(name) ?? {};
    return sum + samples * features * (dtype === 'uint8' || dtype === 'int8' ? 1 : 4);
  }, 0);
}

function mebibytes(bytes: number): string {
  return `${Math.ceil(bytes / 2 ** 20)} MiB`;
}

/** In a layer's report; false: it is not one of those. */
export function nameIn(
  report: LayerReport,
  { kernel, layers }: FoundInMemory,
  subject: DiagnosisReport['subject'],
  producer: Producer,
): boolean {
  const found = layers.get(report.name);
  if (!found) return false;
  const of = report.mismatched!;
  report.diagnosis = named({
    layer: report,
    subject,
    producer,
    declaredKernel: report.kernel!,
    kernel,
    explainedBy: [kernel],
    causes: ['memory-reused'],
    evidence: { 'memory-reused': found },
    explained: Math.max(0, of - (found.left ?? 0)),
    of,
    hasFix: true,
    rehearsal: null,
  });
  for (const channel of report.channels ?? []) channel.causes = report.diagnosis.causes;
  return true;
}

function leftIn(found: ReadonlyMap<string, Found>): number {
  return [...found.values()].reduce((sum, { left = 0 }) => sum + left, 0);
}

type Found = CauseEvidence['memory-reused'];

interface UnderKernel {
  readonly found: ReadonlyMap<string, Found>;
  /** What the chain gives. */
  readonly right: ReadonlySet<string>;
}

/** given: by the chain of another kernel, which what ran gives too: the first of them that is not ends a chain of thousands of layers. */
async function underKernel(
  asked: AskedOfMemory,
  session: ReplaySession,
  given: ReadonlySet<string>,
): Promise<UnderKernel> {
  const { model, values } = asked;
  const computed = fromInputs(model, session);
  const memory = new Memory(asked, session, replayedCapture(model, values, session).values, computed);
  const found = new Map<string, Found>();
  const right = new Set<string>();
  for (const layer of model.layers) if (given.has(layer.name) && (await memory.differs(layer))) return { found, right };
  for (const layer of model.layers) {
    const late = await memory.placesOf(layer);
    const input = layer.inputs.find((one) => found.has(one));
    if (late === 'right' && !computed.has(layer.name)) continue;
    if (late === 'right') {
      right.add(layer.name);
      if (input !== undefined) found.set(layer.name, { input });
    } else if (late) found.set(layer.name, late);
  }
  for (const [name, { left }] of found)
    if (left !== undefined && !isReadRightly(model, name, right)) found.delete(name);
  return { found, right };
}

/** Layers that the chain computes itself: what is not replayed or known within a bound only, and what reads it, is what was captured. */
function fromInputs({ inputs, constants = [], layers }: Model, session: ReplaySession): ReadonlySet<string> {
  const known = new Set([...inputs, ...constants].map(({ name }) => name));
  const isComputed = (layer: Layer) =>
    session.whyNotReplayed(layer) === null &&
    !(layer.onFloats && tensorSteps(session.kernelOf(layer), layer)?.isBounded);
  for (const layer of layers)
    if (isComputed(layer) && layer.inputs.every((input) => known.has(input))) known.add(layer.name);
  return known;
}

/** Whether a layer behind it is right: then it was computed right, and is not what was read of it. */
function isReadRightly({ layers }: Model, name: string, right: ReadonlySet<string>): boolean {
  const behind = new Set([name]);
  for (const layer of layers) if (layer.inputs.some((input) => behind.has(input))) behind.add(layer.name);
  return [...behind].some((one) => one !== name && right.has(one));
}

/** Of the bytes that are looked for together: a run of one or two values may stand anywhere. */
const DISTINCT = 4;
/** Samples in which places are looked for; all others have to agree. */
const GLANCE = 4;
/** How many windows of a value are looked for in one layer, from the first to the last byte that is not explained. */
const WINDOWS = 16;

/** Of one value in some samples. */
interface Seen {
  /** A sample each. */
  readonly observed: readonly Buffer[];
  readonly right: readonly Buffer[];
}

/** The captured values, and beside them what the chain gives. */
class Memory {
  /** Of the chain, in the samples of a glance: every value that is not right looks through all after it. */
  private readonly glanced = new Map<Layer, Buffer[]>();
  /** All of those. */
  private written: WrittenBytes | null = null;

  constructor(
    private readonly asked: AskedOfMemory,
    private readonly session: ReplaySession,
    private readonly chain: Capture['values'],
    private readonly computed: ReadonlySet<string>,
  ) {}

  /** What stands in place of a value; null: something else does, or nobody knows the value. */
  async placesOf(layer: Layer): Promise<Found | 'right' | null> {
    const { from, to } = this.asked;
    const both = [this.asked.values.values.get(layer.name), this.chain.get(layer.name)];
    if (both.some((value) => value === undefined || value.samples < to)) return null; // a value may have fewer samples
    const glance = await this.seen(layer, from, Math.min(to, from + GLANCE));
    const places: PlaceOf[] = [];
    let left = differing(glance);
    if (left.length === 0 && to - from <= GLANCE) return 'right'; // there are no others
    const written = left.length > 0 ? await this.allWritten() : null;
    const windowsOf = (bytes: Uint32Array) =>
      windowsIn(glance.observed, bytes).filter((window) => written!.has(window.bytes));
    let windows = written ? windowsOf(left) : [];
    for (const of of windows.length > 0 ? this.laterThan(layer) : []) {
      if (windows.length === 0) break;
      const theirs = this.glanced.get(of) ?? (await this.glance(of));
      const before = left;
      // a value has one address in a call: pieces of it at several distances are its arithmetic's, as of a slice beside a sum
      let at: number | null = null;
      for (const distance of distancesIn(glance.observed, windows, theirs)) {
        const rest = before.filter((byte) => !isFrom(glance.observed, theirs, byte, distance));
        if (rest.length < left.length) [left, at] = [rest, distance];
      }
      if (at !== null) places.push({ distance: at, of });
      if (left.length < before.length) windows = windowsOf(left);
    }
    return left.length > 0 && places.length === 0 ? null : this.throughout(layer, places);
  }

  /** Whether the chain does not give it, in the samples of a glance. */
  async differs(layer: Layer): Promise<boolean> {
    const { from, to } = this.asked;
    return differing(await this.seen(layer, from, Math.min(to, from + GLANCE))).length > 0;
  }

  private async allWritten(): Promise<WrittenBytes> {
    if (this.written) return this.written;
    const all: Buffer[] = [];
    for (const layer of this.asked.model.layers)
      if (this.computed.has(layer.name) && this.chain.has(layer.name)) all.push(...(await this.glance(layer)));
    this.written = new WrittenBytes(all);
    return this.written;
  }

  private async glance(layer: Layer): Promise<Buffer[]> {
    const { from, to } = this.asked;
    const bytes = await this.bytesOf(layer, from, Math.min(to, from + GLANCE));
    this.glanced.set(layer, bytes);
    return bytes;
  }

  /** The same in every sample. */
  private async throughout(layer: Layer, places: readonly PlaceOf[]): Promise<Found | 'right' | null> {
    let [isRight, values, bytes, bytesLeft] = [true, 0, 0, 0];
    for (const [start, end] of this.blocksOf(layer)) {
      const seen = await this.seen(layer, start, end);
      let left = differing(seen);
      isRight &&= left.length === 0;
      bytes += left.length;
      for (const { of, distance } of places) {
        const theirs = await this.bytesOf(of, start, end);
        left = left.filter((at) => !isFrom(seen.observed, theirs, at, distance));
      }
      bytesLeft += left.length;
      const width = seen.observed[0].length / this.chain.get(layer.name)!.features;
      values += new Set(left.map((at) => Math.floor(at / width))).size;
    }
    if (isRight) return 'right';
    const over = places.map(({ of, distance }) => ({ layer: of.name, distance }));
    // what a resize makes of a value holds some of its codes, so that some of what differs stands there
    return over.length > 0 && 2 * bytesLeft < bytes ? { over, ...(values > 0 && { left: values }) } : null;
  }

  private laterThan(layer: Layer): readonly Layer[] {
    return layersAfter(this.asked.model, layer).filter(({ name }) => this.computed.has(name));
  }

  private blocksOf({ name }: Layer) {
    return blocks(this.asked.from, this.asked.to, 2 * this.chain.get(name)!.features);
  }

  private async seen(layer: Layer, from: number, to: number): Promise<Seen> {
    const observed = await this.bytesOf(layer, from, to, this.asked.values.values.get(layer.name)!);
    return { observed, right: await this.bytesOf(layer, from, to) };
  }

  /** What the layers after it were replayed on is replayed no second time. */
  private replayed(name: string): ValueReader {
    return (this.computed.has(name) && this.session.replayedValue(name)) || this.chain.get(name)!;
  }

  /** As they stand in memory. */
  private async bytesOf(
    { name, output }: Layer,
    from: number,
    to: number,
    value: ValueReader = this.replayed(name),
  ): Promise<Buffer[]> {
    const stored = inMemory(await value.read(from, to), output);
    const bytes = Buffer.from(stored.buffer, stored.byteOffset, stored.byteLength);
    const each = bytes.length / (to - from);
    return Array.from({ length: to - from }, (_, i) => bytes.subarray(i * each, (i + 1) * each));
  }
}

/** A layer's bytes, so many further on. */
interface PlaceOf {
  readonly distance: number;
  readonly of: Layer;
}

/** Where bytes are not right, counted through all samples: as objects those of noise would take 100 MB. */
function differing({ observed, right }: Seen): Uint32Array {
  const each = observed[0].length;
  const at = new Uint32Array(observed.length * each);
  let count = 0;
  for (const [sample, bytes] of observed.entries())
    for (let i = 0; i < each; i++) if (bytes[i] !== right[sample][i]) at[count++] = sample * each + i;
  return at.subarray(0, count);
}

function isFrom(observed: readonly Buffer[], theirs: readonly Buffer[], at: number, distance: number): boolean {
  const [sample, byte] = placeOf(observed, at);
  return observed[sample][byte] === theirs[sample][byte + distance];
}

function placeOf([{ length }]: readonly Buffer[], at: number): readonly [sample: number, byte: number] {
  return [Math.floor(at / length), at % length];
}

const NONE: readonly number[] = [];

interface Looked {
  readonly sample: number;
  readonly start: number;
  readonly bytes: Buffer;
}

/** Around some of these bytes, once for all values that they are looked for in: a thousand layers look in those after them. */
function windowsIn(observed: readonly Buffer[], left: Uint32Array): Looked[] {
  const found = new Map<number, Looked>();
  for (let i = 0; i < WINDOWS && left.length > 0; i++) {
    const [sample, byte] = placeOf(observed, left[Math.floor((i * left.length) / WINDOWS)]);
    for (const start of [byte, byte - WINDOW + 1]) {
      const bytes = observed[sample].subarray(Math.max(0, start), Math.max(0, start) + WINDOW);
      if (start < 0 || bytes.length < WINDOW || new Set(bytes).size < DISTINCT) continue;
      found.set(sample * observed[sample].length + start, { sample, start, bytes });
    }
  }
  return [...found.values()];
}

/** Distances at which a window stands in another value, in every sample; a thousand layers ask of those after them: seldom there is one. */
function distancesIn(
  observed: readonly Buffer[],
  windows: readonly Looked[],
  theirs: readonly Buffer[],
): readonly number[] {
  let found = NONE;
  const tried: number[] = [];
  for (const { sample, start, bytes } of windows) {
    const at = theirs[sample].indexOf(bytes);
    if (at < 0 || tried.includes(at - start)) continue;
    tried.push(at - start);
    const stands = (own: Buffer, s: number) =>
      own.subarray(start, start + WINDOW).equals(theirs[s].subarray(at, at + WINDOW));
    if (observed.every(stands)) found = [...found, at - start];
  }
  return found;
}

function inMemory(data: NumericArray, output: ValueParams | null): NumericArray {
  if (!output || !isQuantized(output)) return Float32Array.from(data);
  if (output.dtype === 'uint8') return Uint8Array.from(data);
  if (output.dtype === 'int8') return Int8Array.from(data);
  return output.dtype === 'int16' ? Int16Array.from(data) : Int32Array.from(data);
}
