import type { Diagnosis, Searched } from '../diagnose/diagnose.js';
import type { LayerDiagnosis } from '../diagnose/finding/explanation.js';
import type { LayerDiffResult } from '../diff/layerDiff.js';
import { type Reference, referenceFor } from '../kernels/reference.js';
import { besideValue, type Capture, type CapturedValue } from '../nouns/capture.js';
import type { Fast } from '../nouns/kernel.js';
import { isElementwise, isProduct, type Layer, type Model, takesWholeCalls } from '../nouns/model.js';
import type { Part } from '../nouns/part.js';
import type { Warning } from '../nouns/problem.js';
import type { LayerReport, Report } from '../nouns/report.js';
import { giveBack } from '../numeric/room.js';
import { blocks } from '../replay/blocks.js';
import { replayedCapture } from '../replay/reference.js';
import { type LayerRun, type Mode, ReplaySession } from '../replay/session.js';
import { computedBy } from '../validate/producer.js';
import { acceleratorFor } from './accelerator.js';
import type { AnsweringSide } from './answers.js';
import { assemble } from './assemble.js';
import { knownDefects } from './beyond/defects.js';
import { unlikeTheRule } from './beyond/delegated.js';
import { notFiniteValues } from './beyond/notFinite.js';
import { ReadTooLate } from './beyond/readTooLate.js';
import type { ComparedCandidate } from './candidate/candidate.js';
import { diffReplay } from './candidate/readings.js';
import { insteadOf } from './coverage.js';
import { differingRows, inSamples } from './differing.js';
import { inGraphOrder } from './inGraphOrder.js';
import { inherited, otherInput } from './inherited.js';
import { accumulatorsDiffer, differs } from './judged.js';
import {
  accumulatorDiff,
  differingIn,
  EXACT,
  fillAccumulator,
  fillDiagnosis,
  fillDiff,
  layerDiff,
  uncomparedReport,
  whySearchedInPart,
} from './layerReport.js';
import type { CompareOptions, Progress, Tolerance } from './options.js';
import { CatchUp, selectedLayers } from './shard.js';
import { classification } from './wholeValues.js';

/**
 * The main job: replays every selected layer, diffs it against the capture, says why it differs, and reports.
 * Deterministic: the same files and options give the same report. Throws InputError for data that turns out unreadable.
 */
export async function compare(model: Model, capture: Capture, options: CompareOptions = {}): Promise<Report> {
  const ordered = await inGraphOrder(computedBy(model, capture), capture, options.kernel);
  return assemble([await comparePart(model, ordered, options)]);
}

/** As compare, of values in the graph's order; parts of all shards are to be assembled. */
export async function comparePart(declared: Model, capture: Capture, options: CompareOptions): Promise<Part> {
  const model = computedBy(declared, capture);
  return new Comparison(model, capture, options, await acceleratorFor(model, capture, options)).run();
}

class Comparison {
  private readonly reference: Reference;
  private readonly mode: Mode;
  private readonly session: ReplaySession;
  /** A diagnosis looks at each layer on its captured input, whatever the mode. */
  private readonly isolated: ReplaySession;
  private loadedDiagnosis: Diagnosis | null = null;
  private readonly from: number;
  private readonly to: number;
  private readonly selected: readonly Layer[];
  private readonly own: ReadonlySet<Layer>;
  private readonly catchUp: CatchUp;
  private readonly warnings: Warning[] = [];
  private readonly say = (...warning: readonly [string, string, string]) => this.warn(...warning);
  /** Of the capture's layers that differ. */
  private readonly found = new Map<string, LayerDiagnosis>();
  private readonly isWhole: boolean;
  /** Of a classifier, where all that leads to it is compared. */
  private readonly output: Layer | null;
  /** Values that were read when their memory held others. */
  private readonly late: ReadTooLate;
  /** The replay in the capture's place, where a candidate is judged by that. */
  private readonly replayed: Capture | null;

  constructor(
    private readonly model: Model,
    private readonly capture: Capture,
    private readonly options: CompareOptions,
    private readonly fast: Fast,
    private readonly searched: Searched = new Map(),
  ) {
    this.reference = referenceFor(model.producer, options.kernel);
    this.mode = options.mode ?? 'isolated';
    this.session = new ReplaySession(model, capture, this.reference, this.mode, fast);
    this.isolated =
      this.mode === 'isolated' ? this.session : new ReplaySession(model, capture, this.reference, 'isolated', fast);
    const chained =
      options.against === 'replay' && new ReplaySession(model, capture, this.reference, 'propagated', fast);
    this.replayed = chained ? replayedCapture(model, capture, chained) : null;
    this.from = options.samples?.from ?? 0;
    this.to = options.samples?.to ?? capture.samples;
    const { reference, from, to } = this;
    this.late = new ReadTooLate({ model, values: capture, reference, from, to, fast }, 'capture', this.say);
    ({ selected: this.selected, own: this.own } = selectedLayers(model, capture, options));
    this.isWhole = this.selected.length === model.layers.length && !options.failFast;
    this.output = this.isWhole ? classification(model, capture, options.candidate ?? null) : null;
    this.catchUp = new CatchUp(this.selected, this.own, async (layer, index) => {
      (await this.diagnosis()).pass(layer);
      if (index !== null) await this.compareLayer(layer, index);
    });
  }

  async run(): Promise<Part> {
    const { model, capture, options, mode, from, to, selected, own } = this;
    const layers: LayerReport[] = [];
    for (const [index, layer] of selected.entries()) {
      if (!own.has(layer)) continue;
      const report = await this.compareLayer(layer, index);
      if (!options.candidate) this.accept(report);
      layers.push(report);
      if (options.failFast && !options.candidate && differs(report)) break;
    }
    for (const report of await this.late.explainsLeft(layers)) if (!options.candidate) this.accept(report);
    const candidate = options.candidate ? await this.candidateLayers(options.candidate, layers) : null;
    const names = new Set([...own].map(({ name }) => name));
    return {
      run: {
        model: model.path,
        capture: capture.path,
        candidate: options.candidate?.path ?? null,
        against: options.against ?? 'capture',
        mode,
        kernel: this.reference.kernel.name,
        framework: model.producer.framework ?? null,
        candidate_framework: options.candidate?.producer?.framework ?? null,
        samples: { from, to },
        selected: selected.map(({ name }) => name),
        requireReplayed: options.requireReplayed ?? false,
        failFast: options.failFast ?? false,
        classifies: this.output !== null,
        whole: this.isWhole,
      },
      own: own.size,
      layers,
      candidateLayers: candidate?.layers ?? null,
      answers: await this.answers(layers, candidate),
      ...(options.candidateModel && {
        candidateModel: { path: options.candidateModel.path, differences: [...options.candidateModel.differences] },
      }),
      warnings: {
        files: [...model.warnings, ...capture.warnings, ...unlikeTheRule(model)],
        candidate: [...(options.candidate?.warnings ?? [])],
        layers: this.warnings.filter(({ where }) => names.has(where)),
      },
    };
  }

  private async compareLayer(layer: Layer, index: number): Promise<LayerReport> {
    const report = uncomparedReport(layer, this.session.kernelOf(layer).name);
    const reason = this.session.whyNotReplayed(layer);
    if (reason) {
      this.warn('not-replayed', layer.name, reason + insteadOf(layer, this.session, this.capture, this.options));
      return { ...report, status: 'not-replayed', kernel: null };
    }
    const expected = this.capture.values.get(layer.name);
    if (!expected) {
      if (!this.replayed) this.warn('not-captured', layer.name, 'replayed, but its output was not captured');
      await this.compareAccumulators(layer, report);
      return report;
    }
    const tolerance = this.options.tolerance?.(layer.name) ?? EXACT;
    let run = await this.session.open(layer);
    let diff = await this.diff(report, run, expected, tolerance, index);
    if (diff.mismatched > 0) {
      const other = await this.otherReading(layer, report, expected, tolerance, index);
      if (other) [run, diff] = [other.run, other.diff];
    }
    fillDiff(report, diff, tolerance, layer.output);
    if (diff.mismatched > 0 && this.options.diagnose !== false) await this.diagnose(report, run, expected, diff, index);
    for (const defect of knownDefects(run, this.model.producer, this.capture.batchSizes, report))
      this.warn('kernel-defect', layer.name, defect);
    // their memory may be the next layer's; a search may hold what any layer so far has read
    const { weight } = run.ready;
    const isDone = this.loadedDiagnosis === null && !this.options.candidate;
    if (isDone && isProduct(layer) && weight) layer.form.weight.release?.(weight);
    return report;
  }

  /** Of a layer of which nothing else was captured. */
  private async compareAccumulators(layer: Layer, report: LayerReport): Promise<void> {
    const captured = besideValue(this.capture.values, this.model, layer.name, 'accumulator');
    if (!captured) return;
    const run = await this.session.open(layer);
    const sums = accumulatorDiff(captured.shape);
    for (const [start, end] of blocks(this.from, this.to, run.input.features + captured.features)) {
      const { accumulator } = await run.replay(start, end);
      if (accumulator) sums.add({ firstSample: start, expected: await captured.read(start, end), actual: accumulator });
    }
    fillAccumulator(report, sums.result());
  }

  /** A kernel that gives every value, where the producer leaves open which one ran: the layer is judged by it, and it is said. */
  private async otherReading(
    layer: Layer,
    report: LayerReport,
    expected: CapturedValue,
    tolerance: Tolerance,
    index: number,
  ): Promise<{ run: LayerRun; diff: LayerDiffResult } | null> {
    for (const kernel of this.session.otherReadings(layer)) {
      const run = await this.session.open(layer, kernel);
      const diff = await this.diff(report, run, expected, tolerance, index);
      if (diff.mismatched > 0) continue;
      for (const session of [this.session, this.isolated]) session.readAs(layer, kernel);
      this.warn(
        'read-as',
        layer.name,
        `the producer leaves open which kernel ran it; ${kernel.name} gives every value`,
      );
      report.kernel = kernel.name;
      return { run, diff };
    }
    return null;
  }

  private async diff(
    report: LayerReport,
    run: LayerRun,
    expected: CapturedValue,
    tolerance: Tolerance,
    index: number,
  ): Promise<LayerDiffResult> {
    const { layer } = run.ready;
    const diff = layerDiff(layer.output, expected.shape, tolerance, this.fast);
    const accumulator = besideValue(this.capture.values, this.model, layer.name, 'accumulator');
    let overflowed = 0;
    const sums = accumulator && accumulatorDiff(accumulator.shape);
    for (const [start, end] of blocks(this.from, this.to, run.input.features + expected.features)) {
      const replayed = await run.replay(start, end);
      const { data: actual, low, high } = replayed;
      diff.add({ firstSample: start, expected: await expected.read(start, end), actual, low, high });
      overflowed += replayed.overflowed;
      if (sums && replayed.accumulator) {
        const captured = await accumulator.read(start, end);
        sums.add({ firstSample: start, expected: captured, actual: replayed.accumulator });
      }
      if (isProduct(layer) || isElementwise(layer)) giveBack(actual); // always new numbers
      this.progress(layer, 'replay', index, end - this.from);
    }
    if (overflowed > 0) this.warn('int32-overflow', layer.name, `${overflowed} accumulators leave int32 and wrap`);
    if (sums) fillAccumulator(report, sums.result());
    return diff.result();
  }

  private async diagnose(
    report: LayerReport,
    run: LayerRun,
    observed: CapturedValue,
    diff: LayerDiffResult,
    index: number,
  ): Promise<void> {
    this.progress(run.ready.layer, 'diagnose', index, this.to - this.from);
    await this.catchUp.before(index + 1);
    const { from, to, fast, mode } = this;
    const own = mode === 'isolated' ? diff : await this.isolatedDiff(run, observed);
    const source = mode === 'isolated' ? null : await otherInput(this.isolated, run, { from, to, fast });
    if (own && own.mismatched === 0) {
      report.diagnosis = inherited(report, run.kernel.name, source ?? run.ready.layer.inputs[0]);
    } else if (own && !(await this.late.explains(run.ready.layer, report))) {
      // on the captured input also what a dynamic layer chooses follows from that
      const ownRun = mode === 'isolated' ? run : await this.isolated.open(run.ready.layer);
      const { input, inputs } = ownRun;
      const diagnosis = await this.diagnosis();
      diagnosis.work.beginLayer();
      const watch = (tried: number) => this.progress(run.ready.layer, 'diagnose', index, to - from, tried);
      const rows = differingRows({ run: ownRun, input, inputs, observed, from, to, diff: own, afterRelu: false });
      const differing = { ...rows, watch };
      const notFinite = await notFiniteValues(run, own.notFinite.expected, from, to);
      const found =
        notFinite.length > 0
          ? diagnosis.withoutNumbers(notFinite, differing)
          : await this.named(run, observed, own, await diagnosis.layer(differing));
      const elsewhere = notFinite.length > 0 ? null : await this.elsewhere(ownRun, own, observed, found);
      this.found.set(run.ready.layer.name, elsewhere ?? found);
      fillDiagnosis(report, elsewhere ?? inSamples(found, run));
      const part = whySearchedInPart(report);
      if (part !== null) this.warn('searched-in-part', report.name, part);
      if (source !== null) report.diagnosis!.evidence.inherited = { from: source };
    }
    for (const channel of report.channels ?? [])
      if (channel.causes.length === 0) channel.causes = report.diagnosis?.causes ?? [];
  }

  /** What the layer itself does not explain: layers before it, or other operands than the file's. */
  private async elsewhere(run: LayerRun, diff: LayerDiffResult, observed: CapturedValue, found: LayerDiagnosis) {
    const { model, capture: values, isolated: session, from, to, fast } = this;
    const { restsOnNumbers } = await import('./beyond/otherRuntime.js');
    if (!restsOnNumbers(found)) return null;
    const { foundElsewhere } = await import('./beyond/elsewhere.js');
    const side = { model, values, session, diagnosis: await this.diagnosis(), from, to, fast, warn: this.say };
    return foundElsewhere(side, { run, diff }, observed, found);
  }

  /** Where no cause explains a layer, another runtime's form of it may. */
  private async named(
    run: LayerRun,
    observed: CapturedValue,
    { mismatched }: LayerDiffResult,
    searched: LayerDiagnosis,
  ) {
    if (!run.ready.layer.delegates && !takesWholeCalls(run.ready.layer)) return searched;
    const { from, to, isolated: session, model } = this;
    const asked = { session, layer: run.ready.layer, declared: run.kernel, producer: model.producer, observed };
    const { otherRuntime, restsOnNumbers, withRuntimes } = await import('./beyond/otherRuntime.js');
    const whole = { ...asked, from, to, mismatched, subject: 'capture' } as const;
    const form = restsOnNumbers(searched) ? await otherRuntime(whole) : null;
    return form ?? withRuntimes(whole, searched);
  }

  /** Loaded where something differs: it is a third of the program. */
  private async diagnosis(): Promise<Diagnosis> {
    const { Diagnosis, workFor } = await import('../diagnose/diagnose.js');
    const { model, capture, session, fast, searched } = this;
    const made = () => {
      const paramsOf = (name: string) => session.paramsOf(name);
      return new Diagnosis('capture', model.producer, paramsOf, fast, workFor('capture', model, capture), searched);
    };
    this.loadedDiagnosis ??= made();
    return this.loadedDiagnosis;
  }

  /** Propagated mode: the layer on its captured input, or null where that is missing. */
  private async isolatedDiff(run: LayerRun, observed: CapturedValue): Promise<LayerDiffResult | null> {
    const { from, to, fast } = this;
    const { layer } = run.ready;
    if (this.isolated.whyNotReplayed(layer)) return null;
    return diffReplay({ from, to, fast }, await this.isolated.open(layer), observed, null);
  }

  /** Which causes are responsible for the answers; of a shard in which something differs, with all the other layers. */
  private async answers(layers: LayerReport[], candidate: ComparedCandidate | null): Promise<Part['answers']> {
    const { model, capture, options, output, from, to, fast, own, selected, searched } = this;
    if (!output || !(candidate?.layers ?? layers).some(({ status }) => status === 'mismatch')) return null;
    if (own.size < selected.length)
      return (await new Comparison(model, capture, { ...options, shard: undefined }, fast, searched).run()).answers;
    const { answersOf } = await import('./answers.js');
    const captured: AnsweringSide = {
      ...{ values: this.replayed ?? capture, session: this.isolated, diagnosis: await this.diagnosis() },
      found: this.replayed ? new Map() : this.found,
      differs: differingIn(layers),
    };
    const exact = { capture: captured.values, captureLayers: layers, options };
    return answersOf({ model, output, from, to, fast, exact }, captured, candidate?.side ?? null);
  }

  private async candidateLayers(candidate: Capture, captureLayers: readonly LayerReport[]) {
    const { model, reference, options, from, to, selected, own, fast, replayed } = this;
    const { compareCandidate } = await import('./candidate/candidate.js');
    return compareCandidate({
      model,
      capture: replayed ?? this.capture,
      candidate,
      reference,
      options,
      from,
      to,
      selected,
      own,
      captureLayers: replayed ? [] : captureLayers,
      captureFound: replayed ? new Map() : this.found,
      findCaptured: async (end) => void (replayed || (await this.catchUp.before(end))),
      session: replayed ? new ReplaySession(model, replayed, reference, 'isolated', fast) : this.isolated,
      fast,
      searched: this.searched,
      accept: (layer) => this.accept(layer),
      warn: (code, where, message) => this.warn(code, where, message),
    });
  }

  private accept(layer: LayerReport): void {
    if ((differs(layer) || accumulatorsDiffer(layer)) && this.options.accepts?.(layer)) layer.accepted = 'baseline';
  }

  private warn(code: string, where: string, message: string): void {
    const isSame = (other: Warning) => other.code === code && other.where === where && other.message === message;
    if (!this.warnings.some(isSame)) this.warnings.push({ code, where, message });
  }

  private progress(layer: Layer, stage: Progress['stage'], index: number, samplesDone: number, tried?: number): void {
    this.options.onProgress?.({
      layer: layer.name,
      stage,
      layersDone: index,
      layersTotal: this.selected.length,
      samplesDone,
      samplesTotal: this.to - this.from,
      ...(tried !== undefined && { tried }),
    });
  }
}
