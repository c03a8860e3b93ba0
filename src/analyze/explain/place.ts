/** One value of a layer as the files and the replay have it: what explaining it starts from. */
import { productSteps } from '../../kernels/kernel.js';
import { kernelByName } from '../../kernels/registry.js';
import type { NumericArray } from '../../nouns/array.js';
import type { Capture } from '../../nouns/capture.js';
import type { Kernel, Linear } from '../../nouns/kernel.js';
import type { ElementwiseLayer, Layer, ProductLayer } from '../../nouns/model.js';
import type { DiagnosisReport } from '../../nouns/report.js';
import { isQuantized } from '../../nouns/value.js';
import { chosenInput, linearOf } from '../../replay/layer.js';
import { oneChannel } from '../../replay/product.js';
import type { LayerRun } from '../../replay/session.js';
import type { ValueToExplain } from './explain.js';
import type { PointwiseValue } from './explainPointwise.js';

export interface Place {
  readonly layer: Layer;
  readonly run: LayerRun;
  readonly sample: number;
  readonly channel: number;
  readonly capture: Capture;
  readonly candidate: Capture | undefined;
  /** The declared kernel first. */
  readonly kernels: readonly Kernel[];
  readonly causes: readonly string[];
}

/** The declared kernel, and the one that the diagnosis of the whole layer found: one value alone proves nothing. */
export function kernelsToExplain(declared: Kernel, diagnosis: DiagnosisReport | null): Kernel[] {
  const found = diagnosis?.kernel ?? declared.name;
  return found !== declared.name && diagnosis!.explained_by.includes(found)
    ? [declared, kernelByName(found)]
    : [declared];
}

/** One channel of the layer; a dynamic layer's input parameters are those of the sample's batch. */
export function linearAt(layer: ProductLayer, run: LayerRun, kernel: Kernel, channel: number, sample: number): Linear {
  const range = run.batches?.rangeOf(run.batches.batchOf(sample));
  const steps = productSteps(kernel, layer.op)!;
  const input = range ? chosenInput(steps, layer.form, range) : run.ready.input;
  if (!isQuantized(input)) throw new Error('a linear layer reads codes');
  return oneChannel(linearOf(run.ready, layer, input), channel);
}

export async function linearValue(place: Place, layer: ProductLayer): Promise<ValueToExplain> {
  const { run, sample, channel, capture, candidate, kernels, causes } = place;
  const [declared] = kernels;
  const linear = linearAt(layer, run, declared, channel, sample);
  const values = await run.input.read(sample, sample + 1);
  const { dynamic } = productSteps(declared, layer.op)!;
  const quantize = dynamic ? dynamic.quantize.prepare(linear.input) : (code: number) => code;
  return {
    layer: layer.name,
    op: layer.op,
    inputName: layer.inputs[0],
    sample,
    channel,
    linear,
    x: { rows: 1, cols: values.length, data: Int32Array.from(values, quantize) },
    captured: await valueAt(capture, layer.name, sample, channel),
    candidate: candidate ? await valueAt(candidate, layer.name, sample, channel) : null,
    candidateInputCodesDiffer: candidate ? await otherInputCodes(candidate, layer, sample, values) : null,
    kernels,
    causes,
  };
}

export async function pointwiseValue(place: Place, layer: ElementwiseLayer): Promise<PointwiseValue> {
  const { run, sample, channel, capture, candidate, kernels, causes } = place;
  return {
    layer,
    input: run.ready.input,
    sample,
    channel,
    x: (await run.input.read(sample, sample + 1))[channel],
    captured: await valueAt(capture, layer.name, sample, channel),
    candidate: candidate ? await valueAt(candidate, layer.name, sample, channel) : null,
    kernels,
    causes,
  };
}

async function otherInputCodes(candidate: Capture, layer: Layer, sample: number, codes: NumericArray) {
  const own = candidate.values.get(`${layer.name}.input`) ?? candidate.values.get(layer.inputs[0]);
  if (!own) return null;
  const read = await own.read(sample, sample + 1);
  return Array.from(codes).filter((code, k) => code !== read[k]).length;
}

async function valueAt(capture: Capture, name: string, sample: number, channel: number): Promise<number | null> {
  const value = capture.values.get(name);
  return value ? (await value.read(sample, sample + 1))[channel] : null;
}
