/** Activations of PyTorch on codes, as tables. Float32 step by step, in the kernels' order; x: the dequantized code. */
import type { EluAttributes, GeluAttributes, SlopeAttributes, ThresholdAttributes } from '../../nouns/attributes.js';
import type { TensorCall, TensorSteps } from '../../nouns/kernel.js';
import { erf } from '../../numeric/erf.js';
import { f32 } from '../../numeric/float.js';
import { dequantizeFloat32 } from './dequantize.js';
import { atenTable, qnnpackTable, type RealFunction } from './table.js';

const always = (apply: RealFunction) => () => apply;

/** min(max(x + 3, 0), 6). */
const gate = (x: number) => Math.min(Math.max(f32(x + 3), 0), 6);

export const hardswishAten = atenTable({
  equation: 'quantize(x * min(max(x + 3, 0), 6) / 6)',
  reciprocal: 'float64',
  vectors: always((x) => f32(f32(x * gate(x)) / 6)),
});

export const hardsigmoidAten = atenTable({
  equation: 'quantize(min(max(x + 3, 0), 6) / 6)',
  vectors: always((x) => f32(gate(x) / 6)),
});

/** Reads codes one by one in vectors too; what is left of a run divides in float64. */
export const sigmoidAten = atenTable({
  equation: 'quantize(1 / (1 + exp(-x)))',
  reciprocal: 'float64',
  dequantize: dequantizeFloat32,
  vectors: always((x, round) => f32(1 / f32(1 + round(Math.exp(-x))))),
  rest: always((x, round) => f32(1 / (1 + round(Math.exp(-x))))),
});

export const tanhAten = atenTable({
  equation: 'quantize(tanh(x))',
  vectors: always((x, round) => round(Math.tanh(x))),
});

/** Of a contiguous copy of its input. */
export const leakyReluAten = atenTable({
  equation: 'quantize(x > 0 ? x : x * negative_slope)',
  vectors(attributes) {
    const slope = f32((attributes as SlopeAttributes).negativeSlope);
    return (x) => (x > 0 ? x : f32(x * slope));
  },
  layout: (call) => ({ ...call, inputs: call.inputs.map((input) => ({ ...input, memory: call.output.memory })) }),
});

/** Always writes a contiguous output. */
const intoContiguous = (call: TensorCall): TensorCall => ({
  ...call,
  output: { ...call.output, memory: { format: 'contiguous', strides: null } },
});

function eluLike(equation: string, numbers: (attributes: EluAttributes) => EluAttributes): TensorSteps {
  const read = (attributes: unknown) => {
    const { alpha, scale, inputScale } = numbers(attributes as EluAttributes);
    return [f32(alpha), f32(scale), f32(inputScale)] as const;
  };
  return atenTable({
    equation,
    vectors(attributes) {
      const [alpha, scale, inputScale] = read(attributes);
      return (x, round) => f32((x > 0 ? x : f32(round(Math.expm1(f32(x * inputScale))) * alpha)) * scale);
    },
    rest(attributes) {
      const [alpha, scale, inputScale] = read(attributes);
      return (x, round) => (x >= 0 ? f32(x * scale) : f32(f32(round(Math.expm1(f32(x * inputScale))) * alpha) * scale));
    },
    layout: intoContiguous,
  });
}

export const eluAten = eluLike('quantize((x > 0 ? x : alpha * expm1(x * input_scale)) * scale)', (own) => own);

export const celuAten = eluLike('quantize(x > 0 ? x : alpha * expm1(x / alpha))', ({ alpha }) => ({
  alpha,
  scale: 1,
  inputScale: 1 / alpha,
}));

export const thresholdAten = atenTable({
  equation: 'quantize(x > threshold ? x : value)',
  vectors(attributes) {
    const { threshold, value } = attributes as ThresholdAttributes;
    return (x) => (x > f32(threshold) ? x : f32(value));
  },
});

const BETA = Math.sqrt(2 / Math.PI);
const CUBE = f32(0.044715);

/** What is left of a run is computed in float64. */
const GELU: Readonly<Record<GeluAttributes['approximate'], { vectors: RealFunction; rest: RealFunction }>> = {
  none: {
    vectors: (x, round) => f32(f32(x * 0.5) * f32(1 + round(erf(f32(x * f32(Math.SQRT1_2)))))),
    rest: (x) => f32(x * 0.5 * (1 + erf(x * Math.SQRT1_2))),
  },
  tanh: {
    vectors(x, round) {
      const inner = f32(x + f32(CUBE * f32(f32(x * x) * x)));
      return f32(f32(0.5 * x) * f32(1 + round(Math.tanh(f32(f32(BETA) * inner)))));
    },
    rest: (x) => f32(0.5 * x * (1 + Math.tanh(BETA * (x + 0.044715 * f32(f32(x * x) * x))))),
  },
};

export const geluAten = atenTable({
  equation: 'quantize(x / 2 * (1 + erf(x / sqrt(2)))), or with tanh',
  reciprocal: 'float64',
  vectors: (attributes) => GELU[(attributes as GeluAttributes).approximate].vectors,
  rest: (attributes) => GELU[(attributes as GeluAttributes).approximate].rest,
});

export const hardswishQnnpack = qnnpackTable(
  'rint(clamp(x * min(max(x + 3, 0), 6) / 6 * (1 / sy) + zp))',
  ({ scale, zeroPoint }) => {
    const inverse = f32(1 / f32(scale));
    return (x) => f32(inverse * f32(f32(x * gate(x)) / 6)) + zeroPoint;
  },
  hardswishAten,
);

export const hardsigmoidQnnpack = qnnpackTable(
  'rint(clamp(256 * (min(max(x + 3, 0), 6) / 6)))',
  always((x) => 256 * f32(gate(x) / 6)),
  hardsigmoidAten,
);

export const sigmoidQnnpack = qnnpackTable(
  'rint(clamp(256 / (1 + exp(-x))))',
  always((x, round) => 256 / f32(1 + round(Math.exp(-x)))),
  sigmoidAten,
);

export const tanhQnnpack = qnnpackTable(
  'rint(clamp(128 * tanh(x) + 128))',
  always((x, round) => f32(128 * round(Math.tanh(x))) + 128),
  tanhAten,
);
