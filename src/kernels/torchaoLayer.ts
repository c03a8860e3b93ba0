/** torchao's form of one layer: a range of each row or of the call, with a zero point or without; and how a CPU sums. */
import type { AccumulateStep, DynamicStep, Kernel } from '../nouns/kernel.js';
import { isProduct } from '../nouns/model.js';
import { decomposedOps, product } from './families.js';
import { pyTorchFloats } from './pyTorchFloats.js';
import { realBias } from './steps/bias.js';
import { roundThenOffset } from './steps/offsetAndClamp.js';
import { quantizeDecomposed } from './steps/quantize.js';
import { halfEven } from './steps/round.js';
import { rawOf, torchaoDynamics, torchaoStatic } from './steps/torchao.js';

export function torchaoForms(sums: AccumulateStep): Pick<Kernel, 'onFloats' | 'ops' | 'ofLayer'> {
  const raw = rawOf(sums);
  const linear = product({
    accumulate: raw.codes,
    bias: realBias,
    multiplier: torchaoStatic,
    round: halfEven,
    offsetAndClamp: roundThenOffset,
    bound: quantizeDecomposed,
    givesFloats: true,
  });
  const opsOf = (accumulate: AccumulateStep, dynamic: DynamicStep): Kernel['ops'] => ({
    linear,
    linear_dynamic: { ...linear, accumulate, dynamic },
    ...decomposedOps(),
  });
  const grainOf = ({ symmetric, asymmetric }: (typeof torchaoDynamics)['row']) => ({
    symmetric: opsOf(sums, symmetric),
    asymmetric: opsOf(raw.bytes, asymmetric),
  });
  const forms = { row: grainOf(torchaoDynamics.row), batch: grainOf(torchaoDynamics.batch) };
  const known = new Map<Kernel['ops'], Kernel>();
  return {
    onFloats: pyTorchFloats,
    ops: forms.row.symmetric,
    ofLayer(this: Kernel, layer) {
      if (!isProduct(layer) || !layer.form.dynamic) return this;
      const { perRow = true, asymmetric = false } = layer.form.dynamic;
      const ops = forms[perRow ? 'row' : 'batch'][asymmetric ? 'asymmetric' : 'symmetric'];
      // the same object for the same form
      if (!known.has(ops)) known.set(ops, ops === this.ops ? this : { ...this, ops });
      return known.get(ops)!;
    },
  };
}
