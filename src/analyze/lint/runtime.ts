/** What a runtime does with a graph that its numbers alone do not say: layers that it runs in float, scales that it rounds. */
import type { LintFinding } from '../../documents/lint.js';
import { kernels } from '../../kernels/registry.js';
import type { Layer } from '../../nouns/model.js';
import { isQuantized } from '../../nouns/value.js';
import { f32 } from '../../numeric/float.js';

const KERNELS = kernels.flatMap(({ name, opsInFloat }) => (opsInFloat ? [name] : []));

/** Of one layer of a graph. */
export function ofRuntime(layer: Layer): LintFinding[] {
  return [...inFloat(layer), ...flooredSoftmax(layer), ...hazardous(layer)];
}

function hazardous({ name, hazards = [] }: Layer): LintFinding[] {
  return hazards.map((hazard) => ({ ...hazard, severity: 'warning', layer: name, channel: null, kernels: KERNELS }));
}

/** What computes floats of floats is no part of what was quantized. */
function inFloat({ name, arithmetic, because, remedy, form, output }: Layer): LintFinding[] {
  if (arithmetic !== 'float' || (form?.kind === 'tensor' && output?.dtype === 'float32')) return [];
  const fix = remedy ?? 'none: expect values that differ by 1 at near-ties from a kernel on integers';
  return [
    {
      code: 'runs-in-float',
      severity: 'info',
      layer: name,
      channel: null,
      kernels: KERNELS,
      message: `ONNX Runtime runs it in float: ${because}`,
      fix,
      evidence: { because },
    },
  ];
}

/** QLinearSoftmax multiplies by floor(1 / scale). */
function flooredSoftmax({ name, op, arithmetic, output }: Layer): LintFinding[] {
  if (op !== 'softmax' || arithmetic !== 'integers' || !output || !isQuantized(output)) return [];
  const exact = f32(1 / f32(output.scale));
  const used = Math.floor(exact);
  if (used === exact) return [];
  return [
    {
      code: 'softmax-scale-floored',
      severity: 'warning',
      layer: name,
      channel: null,
      kernels: KERNELS,
      message: `1/scale is ${exact}, and QLinearSoftmax multiplies by ${used}: every probability is ${((1 - used / exact) * 100).toPrecision(2)}% too small`,
      fix: 'give its output the scale 1/256, by TensorQuantOverrides of extra_options; QuantFormat.QOperator does so by itself, QDQ writes 1/255, which is floored to 254',
      evidence: { inverse_scale: exact, used },
    },
  ];
}
