import { productSteps, tensorSteps } from '../kernels/kernel.js';
import { formOf, lacksFor } from '../kernels/reference.js';
import type { NumericArray } from '../nouns/array.js';
import type { ValueReader } from '../nouns/capture.js';
import type { Fast, Kernel } from '../nouns/kernel.js';
import { isElementwise, isProduct, type Layer, type Producer } from '../nouns/model.js';
import type { ValueParams } from '../nouns/value.js';
import { isQuantized } from '../nouns/value.js';
import { asChosen } from '../replay/chosen.js';
import type { ReadyLayer } from '../replay/layer.js';
import type { LayerRun } from '../replay/session.js';
import { setupOf } from './declared.js';
import { isKernelsOwn } from './facts.js';
import { consistentKernels } from './finding/consistent.js';
import type { At, NotFiniteValue } from './finding/evidence.js';
import { explained, type LayerCase, type LayerDiagnosis, unnamed } from './finding/explanation.js';
import { isKnown } from './finding/frameworks.js';
import { Answers, type Searched } from './search/answers.js';
import { habitsOf } from './search/anyLayer.js';
import { DoneBefore } from './search/before.js';
import { Begun } from './search/begun.js';
import { asElsewhere, asInCommon, type ShownElsewhere } from './search/elsewhere.js';
import { diagnoseLayer } from './search/layer.js';
import { areNamed } from './search/ranking.js';
import { causesAs, type Habit, type Rival, rivalsOf, shortHabits, valuesAs, valuesUnder } from './search/rivals.js';
import { SharedNumbers } from './search/shared.js';
import { applyChanges, type Change, type Kind, type Setup } from './setup.js';
import { differences } from './study/agree.js';
import type { ImageRows, InCommon, Rows, Side } from './study/data.js';
import { Study } from './study/study.js';
import { Work } from './study/work.js';

export { workFor } from './study/workFor.js';
export type { Searched };

/** What differs in a layer, and where its numbers are. */
export interface DifferingLayer {
  readonly run: LayerRun;
  /** What this side read, by input, and what it wrote. */
  readonly inputs: readonly ValueReader[];
  readonly observed: ValueReader;
  readonly images?: ImageRows;
  readonly positions?: number;
  readonly from: number;
  readonly to: number;
  readonly mismatched: number;
  readonly witnesses: readonly At[];
  /** The observation lies after a ReLU that is a layer of its own. */
  readonly afterRelu: boolean;
  /** Of a candidate: what the other side's layer is found to do, where that is not what is declared. */
  readonly met?: LayerDiagnosis | null;
  /** Nobody observed it: it is what gives every value of a layer after it. */
  readonly proven?: true;
  /** What it and the layers after it do: of what gives its values this is told. */
  readonly habit?: Habit;
  /** One cause without a number is all that is asked for. */
  readonly single?: true;
  /** Asked before two causes at once are sought: whether something else than causes gives its values. */
  readonly isElsewhere?: (isNear: boolean) => Promise<boolean>;
  /** Told how many hypotheses were tried, at each. */
  readonly watch?: (tried: number) => void;
}

/** Of the values that differ between two sides: by the input alone, and by what this side does with it. */
export interface Effects {
  readonly inherited: number;
  readonly departing: number;
}

type Judged = Pick<DifferingLayer, 'mismatched' | 'from' | 'to'>;

/** What a layer's few values do not show, those after it may show with them: these are to be searched as well. */
const OF_OPEN = 16;

/** The first layers that do several things leave those after them the search of another: what these do may be what they do besides. */
const OF_NEAR = 8;

/** Diagnoses the layers of one side in execution order, and remembers the numbers that later layers share. */
export class Diagnosis {
  private readonly shared = new SharedNumbers();
  private readonly before = new DoneBefore();
  private readonly answers: Answers;
  private readonly preferred = new Map<string, readonly string[]>();
  private readonly shown = new Map<string, readonly ShownElsewhere[]>();
  private readonly workAgain: Work;
  private readonly begun = new WeakMap<DifferingLayer, Begun>();

  constructor(
    private readonly side: Side,
    private readonly producer: Producer,
    private readonly paramsOf: (value: string) => ValueParams | null,
    private readonly fast: Fast,
    /** What its searches take in all. */
    readonly work = new Work(),
    known: Searched = new Map(),
  ) {
    this.answers = new Answers(side, known);
    this.workAgain = work.anew();
  }

  /** Once all that a layer may have read is searched. */
  endLayer(name: string, isExplained: boolean): void {
    this.work.endLayer(isExplained ? 0 : this.before.isFirstNear(name) ? 1 / OF_NEAR : 1);
  }

  /** What keeps its input's parameters hands its numbers on. Call for every layer, differing or not. */
  pass(layer: Layer): void {
    if (!isElementwise(layer) || !layer.form.keepsParams) return;
    for (const name of layer.inputs) {
      const input = this.paramsOf(name);
      if (input && sameParams(input, layer.output!)) this.shared.pass(name, layer.name);
    }
  }

  async layer(differing: DifferingLayer): Promise<LayerDiagnosis> {
    const { from, to, mismatched, run } = differing;
    const layer = this.caseOf(differing);
    // a kind without a setup: nothing can be changed
    if (!layer) return unnamed({ side: this.side, mismatched }, {}, { samples: to - from });
    const { diagnosis, took } = await this.answers.of(layer.name, () =>
      this.searched(layer, this.begun.get(differing)),
    );
    this.work.spend(took);
    const told = await this.asPreferred(layer, diagnosis, differing.habit);
    for (const change of told.changes) this.shared.remember(run.ready.layer, change);
    if (!differing.proven) this.before.remember(layer.name, told);
    return told;
  }

  /** Asked while it is searched on a likelier input: whether one cause gives it on this one. It is gone on with where it is asked for. */
  async isOfOne(differing: DifferingLayer): Promise<boolean> {
    const layer = this.caseOf(differing);
    if (!layer) return false;
    const begun = new Begun(layer, this.work);
    this.begun.set(differing, begun);
    return begun.isOfOne;
  }

  /** Asked where it is noise on a likelier input: whether several at once give it on this one, on which it is none. */
  async isOfSeveral(differing: DifferingLayer): Promise<boolean> {
    return (await this.begun.get(differing)?.isOfSeveral()) ?? false;
  }

  /** It is searched anew where it is asked for again. */
  forget(layer: string): void {
    this.answers.forget(layer);
  }

  /** Whether layers that are sought again have taken what that may. */
  get isSpentAgain(): boolean {
    return this.workAgain.isSpentAgain;
  }

  /** What nothing explained by itself, beside what several layers are found to do; null: nothing of it can be changed. times: it was asked for before. */
  async again(differing: DifferingLayer, inCommon: readonly InCommon[], times: number): Promise<LayerDiagnosis | null> {
    const work = this.workAgain;
    const layer = this.caseOf(differing);
    if (!layer) return null;
    work.beginSearch();
    const before = { shown: inCommon.map(({ changes }) => changes), often: [], several: [], open: [] };
    const diagnosis = asInCommon(await diagnoseLayer({ ...layer, work, before, again: inCommon }), layer, inCommon);
    const isExplained = diagnosis.changes.length > 0;
    work.spend(work.endSearch(isExplained));
    if (isExplained) this.answers.set(layer.name, times, { diagnosis, took: 0 });
    return diagnosis;
  }

  /** Of what explains a layer as well, these causes are to be told, where it is asked for again; null: the best. */
  prefer(layer: string, causes: readonly string[] | null): void {
    if (causes) this.preferred.set(layer, causes);
    else this.preferred.delete(layer);
    this.answers.restart(layer);
  }

  /** What a layer's few values give and do not show is told as others show it, where it is asked for again; null: it is not. */
  show(layer: string, shown: readonly ShownElsewhere[] | null): void {
    if (shown) this.shown.set(layer, shown);
    else this.shown.delete(layer);
    this.answers.restart(layer);
  }

  private async asPreferred(layer: LayerCase, found: LayerDiagnosis, habit?: Habit): Promise<LayerDiagnosis> {
    const shown = this.shown.get(layer.name);
    if (shown) return (await asElsewhere(layer, shown)) ?? found;
    const causes = this.preferred.get(layer.name) ?? (habit && (await causesAs(layer, habit)));
    const best = causes && found.others?.find((changes) => areNamed(changes, causes));
    if (!best) return found;
    const study = await Study.open(layer);
    const others = found.others!.filter((one) => one !== best);
    const proven = [best, found.changes, ...others].map((changes) => ({
      changes,
      setup: applyChanges(study.declared, changes),
    }));
    return explained(layer, study, proven, found.report);
  }

  private async searched(layer: LayerCase, begun?: Begun): Promise<{ diagnosis: LayerDiagnosis; took: number }> {
    this.work.beginSearch();
    const diagnosis = await (begun?.all() ?? diagnoseLayer(layer));
    const took = this.work.endSearch(!diagnosis.report.causes.includes('unexplained'));
    const isOpen = this.before.isOpenIn(diagnosis);
    const share = isOpen || this.before.isFirst(diagnosis) ? OF_OPEN : 1;
    return { diagnosis: isOpen ? { ...diagnosis, isOpen } : diagnosis, took: took / share };
  }

  /** Of a layer that reads or gives NaN or infinity: nothing is searched. */
  withoutNumbers(notFinite: readonly NotFiniteValue[], { mismatched, from, to }: Judged): LayerDiagnosis {
    return unnamed({ side: this.side, mismatched }, { not_finite: notFinite }, { samples: to - from });
  }

  /** Kernels that give exactly the observed values of a layer that is as declared. */
  async consistent(exact: DifferingLayer): Promise<string[]> {
    const layer = this.caseOf(exact);
    if (!layer || !isKernelsOwn(layer.declared)) return [exact.run.kernel.name];
    return consistentKernels(await Study.open(layer), []);
  }

  /** Whether it has a setup, so that anything can be changed. */
  isStudied(differing: DifferingLayer): boolean {
    return this.caseOf(differing) !== null;
  }

  /** How many of the observed values a layer still lacks when it does as `changes` say; null: no setup of it. */
  async rehearse(differing: DifferingLayer, changes: readonly Change[]): Promise<number | null> {
    const layer = this.caseOf(differing);
    if (!layer || changes.some(({ coordinate }) => coordinate === 'rows')) return null;
    const study = await Study.open(layer);
    const [{ mismatched }] = await study.outcomes([applyChanges(study.declared, changes)]);
    return mismatched;
  }

  /** What a layer that nobody saw might do otherwise; none of a kind without a setup. */
  async rivals(differing: DifferingLayer): Promise<Rival[]> {
    const layer = this.caseOf(differing);
    return layer ? rivalsOf(layer) : [];
  }

  async valuesUnder(differing: DifferingLayer, changes: readonly Change[]): Promise<NumericArray> {
    return valuesUnder(this.caseOf(differing)!, changes);
  }

  /** What all layers of an implementation may do in two ways at once. */
  async habits(differing: DifferingLayer): Promise<Habit[]> {
    const layer = this.caseOf(differing);
    return layer ? shortHabits(layer) : [];
  }

  /** What layers before are found to do. */
  get habitsBefore(): Habit[] {
    return habitsOf(this.before.sets.shown);
  }

  /** What a layer gives where it does as all others; null: nothing of it can be changed. */
  async valuesAs(differing: DifferingLayer, habit: Habit): Promise<NumericArray | null> {
    const layer = this.caseOf(differing);
    return layer ? valuesAs(layer, habit) : null;
  }

  /**
   * Whether values that differ from `expected` would do so if this side did as `changes` say, and whether this side does.
   * Null: no setup of it.
   */
  async effects(own: DifferingLayer, expected: DifferingLayer, changes: readonly Change[]): Promise<Effects | null> {
    const [layer, other] = [this.caseOf(own), this.caseOf(expected)];
    if (!layer || !other) return null;
    const study = await Study.open(layer);
    const setup = applyChanges(study.declared, changes);
    const effects = { inherited: 0, departing: 0 };
    for await (const scope of study.blocks()) {
      const { samples, observed } = scope;
      const wanted = await other.observed.read(samples[0], samples[0] + samples.length);
      const outputs = study.outputs(setup, scope);
      const [asWanted, asObserved] = [differences(outputs, wanted), differences(outputs, observed)];
      for (let i = 0; i < observed.length; i++) {
        if (observed[i] === wanted[i]) continue;
        effects.inherited += asWanted[i];
        effects.departing += asObserved[i];
      }
      if (scope !== study.subset) study.engine.forget(scope);
    }
    return effects;
  }

  private caseOf({ run, inputs, observed, afterRelu, met = null, ...judged }: DifferingLayer): LayerCase | null {
    const { layer } = run.ready;
    const declared = setupOf(run.kernel, resolved(run), afterRelu);
    if (!declared) return null;
    const dynamic = isProduct(layer) && run.batches ? layer.form.dynamic : null;
    const product = declared.kind === 'product' ? declared.params : null;
    return {
      ...judged,
      name: layer.name,
      op: layer.op,
      arithmetic: layer.arithmetic,
      ...(layer.onFloats && !layer.arithmetic && { onFloats: true as const }),
      // what a script does in float is of its own making where sums are added; elsewhere it is the text of the operator
      otherArithmetic:
        this.side === 'capture' || declared.kind === 'tensor'
          ? otherArithmetic(run.kernel, layer, declared.kind)
          : null,
      producer: this.producer,
      reads: layer.inputs,
      side: this.side,
      ...(this.side === 'capture' && { lacks: (kernel: Kernel) => lacksFor(kernel, this.producer) }),
      madeBy: this.madeBy(run.kernel),
      kernel: run.kernel,
      ...((layer.delegates || run.kernel.ofLayer) && {
        ofLayer: (kernel: Kernel) => formOf(kernel, layer, this.producer),
      }),
      declared,
      fast: this.fast,
      inputs: inputs.map(rowsOf),
      observed: rowsOf(observed),
      ...(!judged.proven && { work: this.work }), // that it has a name is known
      effort: product ? product.inFeatures * product.outFeatures : observed.features,
      callOf: product ? run.callOf : undefined,
      ...(declared.kind === 'tensor' && { whole: { ready: run.ready, inCalls: run.inCalls } }),
      dynamic: dynamic && { ...run.batches!, ...dynamic },
      shared: this.shared.changesOf(layer, isElementwise(layer) && layer.form.keepsParams),
      before: this.before.sets,
      met,
    };
  }

  /** Kernels of every runtime may be tried. */
  get free(): boolean {
    return this.madeBy(null) !== 'own-runtime';
  }

  /** Nothing declared means nothing known: then anyone may have made the capture. */
  private madeBy(declared: Kernel | null): LayerCase['madeBy'] {
    const { framework, engine, flow, kernel } = this.producer;
    if (this.side === 'candidate') return 'anyone';
    if (framework === 'pytorch' || (framework === undefined && (engine ?? flow) !== undefined)) return 'own-runtime';
    const isAnyones = framework === undefined ? kernel === undefined : !isKnown(framework);
    return isAnyones || declared?.runtime === 'numpy' ? 'anyone' : 'runtimes';
  }
}

/** Null: integers or float is no question of this kernel's. */
function otherArithmetic(kernel: Kernel, { op, arithmetic }: Layer, kind: Kind): Setup['steps'] | null {
  if (arithmetic === undefined || !kernel.opsInFloat || kind === 'elementwise') return null;
  const other = { op, arithmetic: arithmetic === 'float' ? ('integers' as const) : ('float' as const) };
  return kind === 'product' ? productSteps(kernel, other) : tensorSteps(kernel, other);
}

/** Of a layer that chooses its parameters: those of its one call. */
function resolved({ ready, kernel, batches, inCalls }: LayerRun): ReadyLayer {
  return inCalls.ends.length === 1 ? { ...ready, layer: asChosen(ready.layer, kernel, batches, 0) } : ready;
}

function rowsOf(reader: ValueReader): Rows {
  return { width: reader.features, read: (from, to) => reader.read(from, to) };
}

function sameParams(a: ValueParams, b: ValueParams): boolean {
  return isQuantized(a) && isQuantized(b) && a.scale === b.scale && a.zeroPoint === b.zeroPoint;
}
