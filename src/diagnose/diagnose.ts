import { elementwiseSteps, productSteps } from '../kernels/kernel.js';
import type { ValueReader } from '../nouns/capture.js';
import type { Fast, Kernel } from '../nouns/kernel.js';
import { isElementwise, isProduct, type Layer, type Producer } from '../nouns/model.js';
import type { QuantParams, ValueParams } from '../nouns/value.js';
import { isQuantized } from '../nouns/value.js';
import { elementwiseOf, productOf, type ReadyLayer } from '../replay/layer.js';
import type { LayerRun } from '../replay/session.js';
import { consistentKernels } from './consistent.js';
import type { At, NotFiniteValue } from './evidence.js';
import { type LayerCase, type LayerDiagnosis, unnamed } from './explanation.js';
import { isKernelsOwn } from './facts.js';
import { diagnoseLayer } from './layer.js';
import { AS_STORED, type Setup } from './setup.js';
import { SharedNumbers } from './shared.js';
import type { Rows, Side } from './study/data.js';
import { Study } from './study/study.js';

/** What differs in a layer, and where its numbers are. */
export interface DifferingLayer {
  readonly run: LayerRun;
  /** What this side read, by input, and what it wrote. */
  readonly inputs: readonly ValueReader[];
  readonly observed: ValueReader;
  readonly from: number;
  readonly to: number;
  readonly mismatched: number;
  readonly witnesses: readonly At[];
  /** The observation lies after a ReLU that is a layer of its own. */
  readonly afterRelu: boolean;
}

type Judged = Pick<DifferingLayer, 'mismatched' | 'from' | 'to'>;

/** Diagnoses the layers of one side in execution order, and remembers the numbers that later layers share. */
export class Diagnosis {
  private readonly shared = new SharedNumbers();

  constructor(
    private readonly side: Side,
    private readonly producer: Producer,
    private readonly paramsOf: (value: string) => ValueParams | null,
    private readonly fast: Fast,
  ) {}

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
    const diagnosis = await diagnoseLayer(layer);
    for (const change of diagnosis.changes) this.shared.remember(run.ready.layer, change);
    return diagnosis;
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

  private caseOf({ run, inputs, observed, afterRelu, ...judged }: DifferingLayer): LayerCase | null {
    const { layer } = run.ready;
    const declared = setupOf(run.kernel, run.ready, afterRelu);
    if (!declared) return null;
    const dynamic = isProduct(layer) && run.batches ? layer.form.dynamic : null;
    const product = declared.kind === 'product' ? declared.params : null;
    return {
      ...judged,
      name: layer.name,
      op: layer.op,
      producer: this.producer,
      side: this.side,
      free: this.side === 'candidate' || !this.madeByPyTorch(),
      kernel: run.kernel,
      declared,
      fast: this.fast,
      inputs: inputs.map(rowsOf),
      observed: rowsOf(observed),
      effort: product ? product.inFeatures * product.outFeatures : observed.features,
      callOf: product ? run.callOf : undefined,
      dynamic: dynamic && { ...run.batches!, ...dynamic },
      shared: this.shared.changesOf(layer, isElementwise(layer) && layer.form.keepsParams),
    };
  }

  /** Nothing declared means nothing known: then any runtime may have made the capture. */
  private madeByPyTorch(): boolean {
    const { framework, engine, flow } = this.producer;
    return framework === 'pytorch' || (framework === undefined && (engine !== undefined || flow !== undefined));
  }
}

/** A layer as declared; afterRelu: with the ReLU that follows it. Null: of a kind that has none. */
function setupOf(kernel: Kernel, ready: ReadyLayer, afterRelu: boolean): Setup | null {
  const { layer, input } = ready;
  const [product, elementwise] = [productSteps(kernel, layer.op), elementwiseSteps(kernel, layer.op)];
  if (product && isProduct(layer)) {
    const params = productOf(ready, layer, isQuantized(input) ? input : FLOAT_INPUT);
    const activation = afterRelu ? 'relu' : params.activation;
    return { kind: 'product', ...AS_STORED, steps: product, params: { ...params, activation } };
  }
  if (elementwise && isElementwise(layer)) {
    return { kind: 'elementwise', ...AS_STORED, steps: elementwise, params: elementwiseOf(layer, input) };
  }
  return null;
}

function rowsOf(reader: ValueReader): Rows {
  return { width: reader.features, read: (from, to) => reader.read(from, to) };
}

/** A dynamic layer's input is float; its kernel chooses the parameters. */
const FLOAT_INPUT: QuantParams = { dtype: 'uint8', scale: 1, zeroPoint: 0, quantMin: 0, quantMax: 255 };

function sameParams(a: ValueParams, b: ValueParams): boolean {
  return isQuantized(a) && isQuantized(b) && a.scale === b.scale && a.zeroPoint === b.zeroPoint;
}
