import { stepsOf } from '../kernels/kernel.js';
import { declaredKernel } from '../kernels/named.js';
import type { Kernel } from '../nouns/kernel.js';
import { declaredParams, type Layer, type Model } from '../nouns/model.js';
import { isQuantized, type ValueParams } from '../nouns/value.js';
import { sameScale } from '../numeric/float.js';

/**
 * A model without what another runtime's kernel cannot have: values with a scale of their own, where the kernel's op keeps its input's. Of the
 * runtime that ran it a scale is as likely a wrong one.
 */
export function onKernel(model: Model, kernel: Kernel): Model {
  const declared = declaredKernel(model.producer);
  const params = declaredParams(model);
  const keeps = (of: Kernel, layer: Layer) => {
    const steps = stepsOf(of, layer);
    const kept = (steps?.kind === 'tensor' && steps.keepsScale) || [];
    return kept === true || kept.some((dtype) => dtype === layer.output?.dtype);
  };
  const isOther = (layer: Layer) =>
    keeps(kernel, layer) &&
    !keeps(declared, layer) &&
    layer.inputs.some((input) => isRescaled(params.get(input), layer.output));
  if (!model.layers.some(isOther)) return model;
  const notReplayed = `kernel ${kernel.name} gives it the scale of its input`;
  return {
    ...model,
    layers: model.layers.map((layer) => (isOther(layer) ? { ...layer, form: null, notReplayed } : layer)),
  };
}

function isRescaled(input: ValueParams | null | undefined, output: ValueParams | null): boolean {
  if (!input || !output || !isQuantized(input) || !isQuantized(output)) return false;
  return !sameScale(input.scale, output.scale) || input.zeroPoint !== output.zeroPoint;
}
