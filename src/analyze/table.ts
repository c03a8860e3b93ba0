/** Multiplier, shift, bias, zero points and clamps of every channel, from the model alone. */

import { kernelsWith } from '../compare/coverage.js';
import type { TableChannel, TableDocument, TableLayer } from '../documents/table.js';
import { productSteps } from '../kernels/kernel.js';
import { type Reference, referenceFor } from '../kernels/reference.js';
import { clampOfCodes } from '../kernels/steps/activation.js';
import { int32BiasOf } from '../kernels/steps/int32Bias.js';
import { stepOfCall } from '../kernels/steps/multiplier.js';
import type { Product, ProductSteps } from '../nouns/kernel.js';
import { declaredParams, isProduct, type Layer, type Model, type ProductLayer } from '../nouns/model.js';
import { InputError } from '../nouns/problem.js';
import { isQuantized, type QuantParams, type ValueParams } from '../nouns/value.js';
import { f32 } from '../numeric/float.js';
import { wrapInt32 } from '../numeric/integer.js';
import { weightZeroPointOf } from '../products/exactSums.js';
import { productOf, whyNotReplayed, whyUnknown } from '../replay/layer.js';
import { printable } from '../text.js';
import { int64BiasOf, multipliersOf, refuseFloatKernel, whyFloat } from './constants.js';

/** Throws InputError for a kernel without an integer form, or a model without a layer that has such constants. */
export async function table(model: Model, kernelName: string | undefined): Promise<TableDocument> {
  const reference = referenceFor(model.producer, kernelName);
  refuseFloatKernel(reference.kernel);
  const layers: TableLayer[] = [];
  const skipped: TableDocument['skipped'] = [];
  const declared = declaredParams(model);
  for (const layer of model.layers) {
    const unknown = whyUnknown(layer);
    if (unknown !== null) skipped.push({ layer: layer.name, why: unknown });
    if (!isProduct(layer)) continue;
    const input = declared.get(layer.inputs[0]) ?? null;
    const why = whyLeftOut(reference, layer, input);
    if (why !== null) skipped.push({ layer: layer.name, why });
    else layers.push(await tableLayer(reference, layer, input as QuantParams, declared.get(layer.inputs[1])));
  }
  if (layers.length > 0) {
    return { format: 'qdiff-table', version: 1, kernel: reference.kernel.name, layers, skipped };
  }
  const reason = skipped
    .slice(0, 1)
    .map(({ layer, why }) => ` (${printable(layer)}: ${why})`)
    .join('');
  const message = `expected a layer that multiplies codes by weights, got none${reason}`;
  throw new InputError([{ kind: 'nothing-to-compute', where: model.path, message }]);
}

function whyLeftOut(reference: Reference, layer: ProductLayer, input: ValueParams | null): string | null {
  if (layer.form.dynamic) return 'its input gets its scale when it runs';
  const kernel = kernelOf(reference, layer);
  const why = whyNotReplayed(kernel, layer, [input]);
  if (why !== null) return `${why}${kernelsWith(layer, kernel)}`;
  const float = whyFloat(productSteps(kernel, layer)!);
  return float && `kernel ${kernel.name} ${float}`;
}

/** Batches are not known here: a layer is what it is in a large call. */
function kernelOf(reference: Reference, layer: Layer) {
  if (!isProduct(layer)) return reference.kernel;
  const { inFeatures, outFeatures } = layer.form.weight;
  return reference.readings(layer, [{ rows: Number.POSITIVE_INFINITY, inFeatures, outFeatures }])[0];
}

async function tableLayer(
  reference: Reference,
  layer: ProductLayer,
  input: QuantParams,
  added: ValueParams | null | undefined,
): Promise<TableLayer> {
  const kernel = kernelOf(reference, layer);
  const steps = productSteps(kernel, layer)!;
  const linear = productOf(
    { weight: await layer.form.weight.read(), inputs: added ? [input, added] : [input] },
    layer,
    input,
  );
  const { output, activation, addend } = linear;
  return {
    name: layer.name,
    op: layer.op,
    kernel: kernel.name,
    equation: stepOfCall(steps.multiplier, linear).equation,
    input_zero_point: input.zeroPoint,
    ...addendOf(addend, output),
    output_zero_point: isQuantized(output) ? output.zeroPoint : null,
    clamp: isQuantized(output) ? [...clampOfCodes(activation, output, steps.bound)] : null,
    channels: channelsOf(steps, linear),
  };
}

function addendOf(addend: ValueParams | undefined, output: ValueParams) {
  if (!addend || !isQuantized(addend)) return {};
  const steps = isQuantized(output) ? output.scale : 1;
  return { addend_zero_point: addend.zeroPoint, addend_multiplier_float32: f32(addend.scale / steps) };
}

function channelsOf(steps: ProductSteps, linear: Product): TableChannel[] {
  const multipliers = multipliersOf(steps, linear);
  const wide = int64BiasOf(steps, linear);
  const bias = wide ?? int32BiasOf(steps, linear);
  const holdsInt32 = bias.every((value) => value === wrapInt32(value));
  const keepsFloat = linear.bias !== null && steps.bias.prepare(linear).unit !== 'int32';
  return Array.from({ length: linear.outFeatures }, (_, n) => ({
    channel: n,
    weight_zero_point: weightZeroPointOf(linear, n),
    ...(multipliers.float32
      ? { multiplier_float32: multipliers.float32[n] }
      : { multiplier_int32: multipliers.int32[n], shift: multipliers.shift[n] }),
    ...(holdsInt32 ? { bias_int32: bias[n] } : { bias_int64: bias[n] }),
    ...(keepsFloat ? { bias_float32: linear.bias![n] } : {}),
  }));
}
