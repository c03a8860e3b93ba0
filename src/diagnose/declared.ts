/** A layer's setup as the file declares it. */
import { elementwiseSteps, productSteps, tensorSteps } from '../kernels/kernel.js';
import type { Kernel } from '../nouns/kernel.js';
import { isElementwise, isLayout, isProduct, isTensor, type LayoutLayer, takesWholeCalls } from '../nouns/model.js';
import { isQuantized, type QuantParams, type ValueParams } from '../nouns/value.js';
import { elementwiseOf, productOf, type ReadyLayer } from '../replay/layer.js';
import { withNarrowBias } from './alternatives/biases/biasUnits.js';
import { AS_STORED, type Setup } from './setup.js';

/** A dynamic layer's input is float; its kernel chooses the parameters. */
const FLOAT_INPUT: QuantParams = { dtype: 'uint8', scale: 1, zeroPoint: 0, quantMin: 0, quantMax: 255 };

/** A layer as declared; afterRelu: with the ReLU that follows it. Null: of a kind that has none. */
export function setupOf(kernel: Kernel, ready: ReadyLayer, afterRelu: boolean): Setup | null {
  const { layer, input, inputs } = ready;
  const tensor = tensorSteps(kernel, layer);
  if (tensor && takesWholeCalls(layer)) return null; // no sample is tried alone
  if (tensor && isTensor(layer)) {
    const { attributes, activation } = layer.form;
    const params = { inputs, output: layer.output!, attributes, activation };
    return { kind: 'tensor', ...AS_STORED, reads: inputs.map(() => null), steps: tensor, params };
  }
  const [product, elementwise] = [productSteps(kernel, layer), elementwiseSteps(kernel, layer)];
  if (product && isProduct(layer)) {
    const params = withNarrowBias(productOf(ready, layer, isQuantized(input) ? input : FLOAT_INPUT));
    const activation = afterRelu ? 'relu' : params.activation;
    return {
      kind: 'product',
      ...AS_STORED,
      reads: inputs.map(() => null),
      steps: product,
      params: { ...params, activation },
    };
  }
  if (elementwise && isElementwise(layer) && !layer.form.chosen) {
    return { kind: 'elementwise', ...AS_STORED, steps: elementwise, params: elementwiseOf(layer, input) };
  }
  return isLayout(layer) ? moving(kernel, layer, input) : null;
}

/** Codes move, and each is left as it is; of floats nothing is known. */
function moving(kernel: Kernel, { output }: LayoutLayer, input: ValueParams): Setup | null {
  const steps = elementwiseSteps(kernel, { op: 'identity' });
  if (!steps || !output || !isQuantized(output) || !isQuantized(input)) return null;
  return { kind: 'elementwise', ...AS_STORED, steps, params: { input, output, clamp: null } };
}
