/** Whether values look as if they were read when their memory held others; what that takes to prove is loaded only then. */
import type { Capture, CapturedValue } from '../nouns/capture.js';
import { isElementwise, isLayout, type Layer } from '../nouns/model.js';
import type { DiagnosisReport, LayerReport } from '../nouns/report.js';
import { isUnexplained } from './layerReport.js';
import type { AskedOfMemory, FoundInMemory } from './memoryReused.js';

/** Values in a row that are looked for in others, and how many such rows of a layer. */
const [RUN, RUNS] = [16, 24];
/** Of those in a row: one or two values may stand anywhere. */
const DIFFERENT = 5;

/** Of one capture, or of a candidate. */
export class ReadTooLate {
  private found: Promise<FoundInMemory> | null = null;

  constructor(
    private readonly asked: AskedOfMemory,
    private readonly subject: DiagnosisReport['subject'],
  ) {}

  /** Before a search that would take long and find nothing: true where the layer's report says it now. */
  async explains(layer: Layer, report: LayerReport): Promise<boolean> {
    if (this.found === null && !(await this.isSuspect(layer))) return false;
    return this.name(report);
  }

  /** What nothing explains; returns the reports that it named. */
  async explainsLeft(reports: readonly LayerReport[]): Promise<LayerReport[]> {
    const named: LayerReport[] = [];
    for (const report of reports.filter(isUnexplained)) if (await this.name(report)) named.push(report);
    return named;
  }

  private async name(report: LayerReport): Promise<boolean> {
    const { foundInMemory, nameIn } = await import('./memoryReused.js');
    this.found ??= foundInMemory(this.asked);
    return nameIn(report, await this.found, this.subject, this.asked.model.producer);
  }

  /** Whether what was captured of it stands in a later value too, to which it was not handed on. */
  private async isSuspect(layer: Layer): Promise<boolean> {
    const { model, values, from } = this.asked;
    const own = await firstOf(values, layer.name, from);
    if (own === null) return false;
    const handedOn = new Set([layer.name]);
    for (const later of model.layers.slice(model.layers.indexOf(layer) + 1)) {
      const isCopy = isLayout(later) || isElementwise(later);
      if (isCopy && later.inputs.some((input) => handedOn.has(input))) handedOn.add(later.name);
      const other = handedOn.has(later.name) ? null : await firstOf(values, later.name, from);
      if (other && standsIn(own, other)) return true;
    }
    return false;
  }
}

/** A sample's values as bytes; of floats and wide integers the lowest say enough. */
async function firstOf({ values }: Capture, name: string, sample: number): Promise<Buffer | null> {
  const value: CapturedValue | undefined = values.get(name);
  return value ? Buffer.from(Uint8Array.from(await value.read(sample, sample + 1), (v) => v & 0xff)) : null;
}

function standsIn(own: Buffer, other: Buffer): boolean {
  return Array.from({ length: RUNS }, (_, i) => Math.floor((i * (own.length - RUN)) / RUNS)).some((start) => {
    const run = own.subarray(Math.max(0, start), Math.max(0, start) + RUN);
    return new Set(run).size >= DIFFERENT && other.includes(run);
  });
}
