import { elementwiseSteps } from '../kernels/kernel.js';
import type { NumericArray } from '../nouns/array.js';
import type { ValueReader } from '../nouns/capture.js';
import type { ElementwiseSteps, Fast, Kernel } from '../nouns/kernel.js';
import { isElementwise, isProduct, type Layer, type Producer } from '../nouns/model.js';
import type { QuantParams, ValueParams } from '../nouns/value.js';
import { isQuantized } from '../nouns/value.js';
import { productOf } from '../replay/layer.js';
import type { LayerRun } from '../replay/session.js';
import type { At, CauseCode, FoundParameter } from './evidence.js';
import { consistentKernels, diagnoseLinear, type LayerCase, type LayerDiagnosis } from './linear.js';
import { diagnosePointwise, type PointwiseChange, pointwiseOpOf } from './pointwise.js';
import { type Change, FREEDOM, withLinear } from './setup.js';
import { type Side, Study } from './study.js';
import { unexplainedReport } from './unexplained.js';

/** What differs in a layer, and where its numbers are. */
export interface DifferingLayer {
  readonly run: LayerRun;
  /** What this side read, and what it wrote. */
  readonly input: ValueReader;
  readonly observed: ValueReader;
  readonly from: number;
  readonly to: number;
  readonly mismatched: number;
  readonly witnesses: readonly At[];
  /** The observation lies after a ReLU that is a layer of its own. */
  readonly afterRelu: boolean;
}

/** A number of the file that a layer's diagnosis has found to be another: its readers share it. */
interface SharedNumber {
  readonly cause: CauseCode;
  readonly from: string;
  readonly params: Partial<QuantParams>;
  readonly found: Pick<FoundParameter, 'declared' | 'found' | 'interval'>;
}

/** Pointwise layers are diagnosed in memory, on at most this many values. */
const MOST_POINTWISE_VALUES = 2e7;

/** Diagnoses the layers of one side in execution order, and remembers the numbers that later layers share. */
export class Diagnosis {
  private readonly shared = new Map<string, SharedNumber[]>();

  constructor(
    private readonly side: Side,
    private readonly kernel: Kernel,
    private readonly producer: Producer,
    private readonly paramsOf: (value: string) => ValueParams | null,
    private readonly fast: Fast,
  ) {}

  /** What keeps its input's parameters hands its numbers on. Call for every layer, differing or not. */
  pass(layer: Layer): void {
    if (!isElementwise(layer) || !layer.form.keepsParams) return;
    const numbers = this.shared.get(layer.inputs[0]);
    const input = this.paramsOf(layer.inputs[0]);
    if (numbers && input && sameParams(input, layer.output!)) this.shared.set(layer.name, numbers);
  }

  async layer(differing: DifferingLayer): Promise<LayerDiagnosis> {
    const { layer } = differing.run.ready;
    return isProduct(layer) ? this.linear(differing) : this.pointwise(differing);
  }

  /** Kernels that give exactly the observed values of a linear layer that is as declared. */
  async consistent(exact: DifferingLayer): Promise<string[]> {
    const { layer } = exact.run.ready;
    if (!isProduct(layer)) return [this.kernel.name];
    return consistentKernels(await Study.open(this.caseOf(exact)), []);
  }

  private async linear(differing: DifferingLayer): Promise<LayerDiagnosis> {
    const { layer } = differing.run.ready;
    const diagnosis = await diagnoseLinear(this.caseOf(differing));
    for (const { cause, found } of diagnosis.changes) this.remember(layer, cause, found);
    return diagnosis;
  }

  private caseOf({ run, input, observed, from, to, mismatched, witnesses, afterRelu }: DifferingLayer): LayerCase {
    const { layer } = run.ready;
    if (!isProduct(layer)) throw new Error(`${layer.op} is not linear`);
    const declared = isQuantized(run.ready.input) ? run.ready.input : FLOAT_INPUT;
    const linear = productOf(run.ready, layer, declared);
    return {
      name: layer.name,
      producer: this.producer,
      side: this.side,
      free: this.side === 'candidate' || !this.madeByPyTorch(),
      kernel: this.kernel,
      op: layer.op,
      fast: this.fast,
      linear: afterRelu ? { ...linear, activation: 'relu' } : linear,
      from,
      to,
      readInput: (a, b) => input.read(a, b),
      readObserved: (a, b) => observed.read(a, b),
      witnesses,
      mismatched,
      dynamic: run.batches && layer.form.dynamic ? { ...run.batches, ...layer.form.dynamic } : null,
      shared: this.sharedChanges(layer.inputs[0]),
    };
  }

  private async pointwise({ run, input, observed, from, to, mismatched }: DifferingLayer): Promise<LayerDiagnosis> {
    const { layer } = run.ready;
    const steps = elementwiseSteps(this.kernel, layer.op)!;
    if (!isSearched(layer, steps)) {
      const report = unexplainedReport(this.side, mismatched, {}, { samples: to - from });
      return { report, byChannel: new Map(), changes: [] };
    }
    const last = Math.min(to, from + Math.max(1, Math.floor(MOST_POINTWISE_VALUES / observed.features)));
    const { report, changes } = diagnosePointwise({
      name: layer.name,
      op: pointwiseOpOf(layer, steps),
      steps,
      side: this.side,
      free: this.side === 'candidate' || !this.madeByPyTorch(),
      kernel: this.kernel,
      producer: this.producer,
      input: run.ready.input,
      output: layer.output!,
      mismatched,
      x: await input.read(from, last),
      y: (await observed.read(from, last)) as NumericArray,
      features: observed.features,
      firstSample: from,
      shared: this.sharedPointwise(layer),
    });
    for (const { causes, found } of changes) for (const cause of causes) this.remember(layer, cause, found);
    return { report, byChannel: new Map(), changes: [] };
  }

  /** Nothing declared means nothing known: then any runtime may have made the capture. */
  private madeByPyTorch(): boolean {
    const { framework, engine, flow } = this.producer;
    return framework === 'pytorch' || (framework === undefined && (engine !== undefined || flow !== undefined));
  }

  private remember(layer: Layer, cause: CauseCode, found: unknown): void {
    const { declared, found: value, same_as, interval } = (found ?? {}) as Partial<FoundParameter>;
    if (typeof declared !== 'number' || typeof value !== 'number' || same_as !== undefined) return;
    const number = { cause, from: layer.name, found: { declared, found: value, ...(interval ? { interval } : {}) } };
    if (cause === 'output-scale-wrong') this.share(layer.name, { ...number, params: { scale: value } });
    if (cause === 'output-zero-point-wrong') this.share(layer.name, { ...number, params: { zeroPoint: value } });
    if (cause === 'input-scale-wrong') this.share(layer.inputs[0], { ...number, params: { scale: value } });
  }

  private share(value: string, number: SharedNumber): void {
    this.shared.set(value, [...(this.shared.get(value) ?? []), number]);
  }

  private sharedChanges(value: string): Change[] {
    return (this.shared.get(value) ?? []).map((number) => ({
      cause: number.cause,
      coordinate: number.params.scale === undefined ? 'x_zero_point' : 'x_scale',
      freedom: FREEDOM.none,
      label: `as ${number.from}`,
      found: { ...number.found, same_as: number.from },
      apply: (setup) => withLinear(setup, { input: { ...setup.linear.input, ...number.params } }),
    }));
  }

  private sharedPointwise(layer: Layer): PointwiseChange[] {
    return (this.shared.get(layer.inputs[0]) ?? []).map((number) => ({
      causes: [number.cause],
      freedom: FREEDOM.none,
      found: { ...number.found, same_as: number.from },
      apply: (setup) => ({
        ...setup,
        input: isQuantized(setup.input) ? { ...setup.input, ...number.params } : setup.input,
        output: isQuantized(setup.output) ? { ...setup.output, ...number.params } : setup.output,
      }),
    }));
  }
}

/** The search below knows one conversion, or a clamp from 0; anything else must not be read as one of these. */
function isSearched({ form }: Layer, { dequantize, quantize, rescale }: ElementwiseSteps): boolean {
  if (rescale || (dequantize && quantize)) return false;
  return form?.kind === 'elementwise' && (form.clamp === null || form.clamp.lower === 0);
}

/** A dynamic layer's input is float; its kernel chooses the parameters. */
const FLOAT_INPUT: QuantParams = { dtype: 'uint8', scale: 1, zeroPoint: 0, quantMin: 0, quantMax: 255 };

function sameParams(a: ValueParams, b: ValueParams): boolean {
  return isQuantized(a) && isQuantized(b) && a.scale === b.scale && a.zeroPoint === b.zeroPoint;
}
