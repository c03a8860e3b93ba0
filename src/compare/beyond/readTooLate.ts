/** Whether values look as if they were read when their memory held others; what that takes to prove is loaded only then. */
import { isElementwise, isLayout, type Layer } from '../../nouns/model.js';
import type { DiagnosisReport, LayerReport } from '../../nouns/report.js';
import { isUnexplained } from '../layerReport.js';
import { layersAfter } from '../layersAfter.js';
import type { AskedOfMemory, FoundInMemory } from './memoryReused.js';

/** Values in a row that are looked for in others, and how many such rows of a layer. */
const [RUN, RUNS] = [16, 24];
/** Of those in a row: one or two values may stand anywhere. */
const DIFFERENT = 5;

/** Of one capture, or of a candidate. */
export class ReadTooLate {
  private readonly bytes = new Map<string, Buffer | null>();
  private found: Promise<FoundInMemory> | null = null;
  private isSaid = false;

  constructor(
    private readonly asked: AskedOfMemory,
    private readonly subject: DiagnosisReport['subject'],
    private readonly warn: (code: string, where: string, message: string) => void,
  ) {}

  /** The memory of the only layer is no other's. */
  private get mayBe(): boolean {
    return this.asked.model.layers.length > 1;
  }

  /** Before a search that would take long and find nothing: true where the layer's report says it now. */
  async explains(layer: Layer, report: LayerReport): Promise<boolean> {
    if (!this.mayBe) return false;
    if (this.found === null && !(await this.isSuspect(layer))) return false;
    return this.name(report);
  }

  /** What nothing explains; returns the reports that it named. */
  async explainsLeft(reports: readonly LayerReport[]): Promise<LayerReport[]> {
    const named: LayerReport[] = [];
    if (!this.mayBe) return named;
    for (const report of reports.filter(({ diagnosis }) => isUnexplained(diagnosis)))
      if (await this.name(report)) named.push(report);
    return named;
  }

  private async name(report: LayerReport): Promise<boolean> {
    const { foundInMemory, nameIn } = await import('./memoryReused.js');
    this.found ??= foundInMemory(this.asked);
    const found = await this.found;
    if (found.passedOver !== undefined && !this.isSaid) {
      this.isSaid = true;
      this.warn('memory-not-searched', report.name, found.passedOver);
    }
    return nameIn(report, found, this.subject, this.asked.model.producer);
  }

  /** Whether what was captured of it stands in a later value too, to which it was not handed on. */
  private async isSuspect(layer: Layer): Promise<boolean> {
    const { model } = this.asked;
    const own = await this.bytesOf(layer.name);
    const runs = own && new Runs(own);
    if (!runs || runs.areNone) return false;
    const handedOn = new Set([layer.name]);
    const reads = layer.inputs.join();
    for (const later of layersAfter(model, layer)) {
      if (later.inputs.join() === reads) continue; // a minimum of what this is the maximum of: the other function is the plainer reason
      const isCopy = isLayout(later) || isElementwise(later);
      if (isCopy && later.inputs.some((input) => handedOn.has(input))) handedOn.add(later.name);
      if (handedOn.has(later.name)) continue;
      // of a thousand layers each asks for those after it
      const known = this.bytes.get(later.name);
      const other = known === undefined ? await this.bytesOf(later.name) : known;
      if (other && runs.standIn(other)) return true;
    }
    return false;
  }

  /** A sample's values; of floats and wide integers the lowest bytes say enough. Every layer that differs asks for those after it. */
  private async bytesOf(name: string): Promise<Buffer | null> {
    const { values, from } = this.asked;
    const known = this.bytes.get(name);
    if (known !== undefined) return known;
    const data = await values.values.get(name)?.read(from, from + 1);
    const bytes = data ? Buffer.from(data) : null;
    this.bytes.set(name, bytes);
    return bytes;
  }
}

/** A row of values, told by four of them that follow each other. */
interface Run {
  readonly bytes: Buffer;
  /** Where the four begin. */
  readonly at: number;
}

/** Rows of one value, looked for in others in one pass. */
class Runs {
  private readonly byWord = new Map<number, Run[]>();
  /** Of the words that may be one of these: most of another value is passed over by it. */
  private readonly mayBe = new Uint8Array(1 << 16);

  constructor(own: Buffer) {
    for (let i = 0; i < RUNS; i++) {
      const start = Math.max(0, Math.floor((i * (own.length - RUN)) / RUNS));
      const bytes = own.subarray(start, start + RUN);
      if (new Set(bytes).size < DIFFERENT) continue;
      const at = mostVaried(bytes);
      const word = bytes.readUInt32BE(at);
      this.byWord.set(word, [...(this.byWord.get(word) ?? []), { bytes, at }]);
      this.mayBe[hashOf(word)] = 1;
    }
  }

  /** All that it holds are too few different values. */
  get areNone(): boolean {
    return this.byWord.size === 0;
  }

  standIn(other: Buffer): boolean {
    if (this.byWord.size === 0) return false;
    let word = 0;
    for (let end = 1; end <= other.length; end++) {
      word = ((word << 8) | other[end - 1]) >>> 0;
      if (end < 4 || this.mayBe[hashOf(word)] === 0) continue;
      const start = end - 4;
      for (const { bytes, at } of this.byWord.get(word) ?? [])
        if (start >= at && other.subarray(start - at, start - at + bytes.length).equals(bytes)) return true;
    }
    return false;
  }
}

/** Zeros behind a ReLU are everywhere: the four that differ most. */
function mostVaried(bytes: Buffer): number {
  const variety = (at: number) => new Set(bytes.subarray(at, at + 4)).size;
  const places = Array.from({ length: bytes.length - 3 }, (_, at) => at);
  return places.reduce((best, at) => (variety(at) > variety(best) ? at : best));
}

function hashOf(word: number): number {
  return Math.imul(word, 0x9e3779b1) >>> 16;
}
