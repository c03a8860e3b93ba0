/** One value of a layer as the files and the replay have it: what explaining it starts from. */

import { productSteps } from '../../kernels/kernel.js';
import { formOf } from '../../kernels/reference.js';
import { kernelByName } from '../../kernels/registry.js';
import type { NumericArray } from '../../nouns/array.js';
import type { Capture, ValueReader } from '../../nouns/capture.js';
import type { Codes, Kernel, Product } from '../../nouns/kernel.js';
import type { ElementwiseLayer, Layer, Producer, ProductLayer } from '../../nouns/model.js';
import type { DiagnosisReport } from '../../nouns/report.js';
import { isQuantized } from '../../nouns/value.js';
import { int32s } from '../../numeric/array.js';
import { rangeOfRow } from '../../numeric/extremes.js';
import { columnsOfGroup } from '../../products/groups.js';
import { chosenInput, productOf } from '../../replay/layer.js';
import { oneChannel } from '../../replay/oneChannel.js';
import { layerRows } from '../../replay/rows.js';
import type { LayerRun } from '../../replay/session.js';
import { coordinatesOf, featureAt, positionsOf } from '../../tensor/shape.js';
import type { ValueToExplain } from './explain.js';
import type { PointwiseValue } from './explainPointwise.js';

export interface Place {
  readonly layer: Layer;
  readonly run: LayerRun;
  readonly sample: number;
  readonly channel: number;
  /** Of the channel, in C order. */
  readonly position: number;
  readonly capture: Capture;
  readonly candidate: Capture | undefined;
  /** The layer on what the candidate read; null: not known. */
  readonly ownRun: LayerRun | null;
  /** The declared kernel first. */
  readonly kernels: readonly Kernel[];
  readonly causes: readonly string[];
  /** Of the candidate's difference. */
  readonly candidateCauses?: readonly string[];
  /** In which its values stand, where they were put back. */
  readonly candidateOrder?: string;
}

/** The declared kernel, and the one that the diagnosis of the whole layer found: one value alone proves nothing. */
export function kernelsToExplain(
  declared: Kernel,
  diagnosis: DiagnosisReport | null,
  layer: Layer,
  producer: Producer,
): Kernel[] {
  const found = diagnosis?.kernel ?? declared.name;
  return found !== declared.name && diagnosis!.explained_by.includes(found)
    ? [declared, formOf(kernelByName(found), layer, producer)]
    : [declared];
}

/** One channel of the layer; a dynamic layer's input parameters are those of the sample's batch, or of its own row. */
export function productAt(
  layer: ProductLayer,
  run: LayerRun,
  kernel: Kernel,
  channel: number,
  sample: number,
  row?: NumericArray,
): Product {
  const steps = productSteps(kernel, layer)!;
  const range =
    row && steps.dynamic?.grain === 'row' ? rangeOfRow(row) : run.batches?.rangeOf(run.batches.batchOf(sample));
  const input = range ? chosenInput(steps, layer.form, range) : run.ready.input;
  if (!isQuantized(input)) throw new Error('a linear layer reads codes');
  return oneChannel(productOf(run.ready, layer, input, run.callOf(sample)), channel);
}

export async function explainedProduct(place: Place, layer: ProductLayer): Promise<ValueToExplain> {
  const { run, ownRun, sample, channel, kernels, causes } = place;
  const readBy = async (from: LayerRun) => {
    const values = await rowOfPlace(place, from.input);
    const addend = from.inputs.length > 1 ? await addedAt(place, from.inputs[1]) : undefined;
    return (kernel: Kernel) => {
      const product = productAt(layer, from, kernel, channel, sample, values);
      const { dynamic } = productSteps(kernel, layer)!;
      const quantize = dynamic ? dynamic.quantize.prepare(product.input) : (code: number) => code;
      const x = codesOf(place, product, int32s(values, quantize));
      return { product, x: { ...x, ...(addend && { addend }) } };
    };
  };
  const quantizedFor = await readBy(run);
  return {
    layer: layer.name,
    op: layer.op,
    arithmetic: layer.arithmetic,
    inputName: layer.inputs[0],
    addendName: layer.inputs[1],
    sample,
    channel,
    at: atOf(place),
    ...quantizedFor(kernels[0]),
    ...(layer.form.dynamic && { quantizedFor }),
    ...(await observed(place)),
    read: ownRun && (await readBy(ownRun))(kernels[0]),
    kernels,
    causes,
  };
}

/** A row's codes that the channel reads: those of its group. */
function codesOf({ channel, position }: Place, { patch, inFeatures }: Product, data: Int32Array): Codes {
  const row = { rows: 1, cols: data.length, data };
  if (!patch) return row;
  const group = Math.floor(channel / patch.outChannels);
  return columnsOfGroup({ ...row, positions: Int32Array.of(position) }, inFeatures, group);
}

export async function pointwiseValue(place: Place, layer: ElementwiseLayer): Promise<PointwiseValue> {
  const { run, sample, channel, kernels, causes } = place;
  return {
    layer,
    input: run.ready.input,
    sample,
    channel,
    at: atOf(place),
    x: (await rowOfPlace(place, run.input))[channel],
    ...(await observed(place)),
    kernels,
    causes,
  };
}

/** What the value is computed from: its row of the layer's input. */
function rowOfPlace({ run, sample, position }: Place, input: ValueReader): Promise<NumericArray> {
  const rows = layerRows(run, input);
  const row = sample * rows.perSample + position;
  return rows.input.read(row, row + 1);
}

/** What is added to the value: the second input's at its place. */
async function addedAt({ run, sample, channel, position }: Place, added: ValueReader): Promise<NumericArray> {
  const feature = featureAt(run.ready.shapes.output, { channel, position });
  return (await added.read(sample, sample + 1)).subarray(feature, feature + 1);
}

/** [y, x] of an image; undefined where a channel has one value. */
export function atOf({ run, position }: Place): number[] | undefined {
  const { output } = run.ready.shapes;
  return positionsOf(output) === 1 ? undefined : coordinatesOf(output, position);
}

export async function observed({ layer, run, sample, channel, position, capture, candidate }: Place) {
  const feature = featureAt(run.ready.shapes.output, { channel, position });
  const of = async (file: Capture | undefined) => {
    const value = file?.values.get(layer.name);
    return value ? (await value.read(sample, sample + 1))[feature] : null;
  };
  return { captured: await of(capture), candidate: await of(candidate) };
}
